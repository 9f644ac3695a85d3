"""An engine where rules, channels, silences and policies are set up. It takes what the contract's models take."""

from __future__ import annotations

import math
from typing import Any

from pydantic import ValidationError

from quarterdeck.contract.clock import DAY, HOUR, MINUTE, SECOND, from_iso, iso
from quarterdeck.contract.models.alert_rules import NewRule, RuleChange
from quarterdeck.contract.models.alerts import NewSilence
from quarterdeck.contract.models.channels import ChannelChange, NewChannel
from quarterdeck.contract.models.sla import NewPolicy, PolicyChange
from quarterdeck.contract.problems import Code, Problem
from tests.tui.fake_client import NOW
from tests.tui.fake_sla import SlaClient

Row = dict[str, Any]
_CHANGED = {"version": 1, "updated_at": iso(NOW - 3 * DAY), "updated_by": "olga"}
_SECRETS = ("secret_env", "secret_keyring", "tenant_id", "enabled")
_DAYS = ["mon", "tue", "wed", "thu", "fri"]


def _checked(model: Any, body: Row) -> Row:
    """The body as the model has it, with its defaults. Raises Problem as the engine does."""
    try:
        checked: Row = model.model_validate(body).model_dump(mode="json")
    except ValidationError as error:
        errors = tuple(("/" + "/".join(map(str, each["loc"])), each["msg"]) for each in error.errors())
        raise Problem(Code.INVALID_INPUT, f"{errors[0][0]}: {errors[0][1]}.", errors=errors) from error
    return checked


def rule(number: int, name: str, kind: str, settings: Row, **changes: Any) -> Row:
    body = {"name": name, "type": kind, "settings": settings}
    row = {**_checked(NewRule, body), "id": number, "evaluated_at": iso(NOW - 20 * SECOND), "error": None}
    return {**row, "firing": 0, "pending": 0, **_CHANGED, **changes}


def some_rules() -> list[Row]:
    night = {"timezone": "Europe/Stockholm", "windows": [{"days": _DAYS, "start": "22:00", "end": "07:00"}]}
    fails = {
        "threshold": 20,
        "by": ["queue"],
        "for_seconds": 300,
        "severity": "critical",
        "channels": ["ops", "on-call"],
    }
    texts = {"labels": {"team": "mail"}, "annotations": {"summary": "{queue}: {value} % of attempts fail"}}
    inhibits = [{"matchers": [{"name": "severity", "value": "info"}], "equal": ["cluster"]}]
    grows = {"threshold": 50, "unit": "count", "window_minutes": 60, "for_seconds": 300, "channels": ["ops"]}
    tenant = {"tenant_id": "acme", "enabled": False}
    posted = {"matchers": [{"name": "job", "value": "node.*", "is_regex": True}], "severity": "info"}
    lost = "There is no table of dead letters for this tenant any more."
    return [
        rule(
            3, "Mail fails", "error_rate_high", {**fails, **texts, "quiet_hours": night, "inhibits": inhibits}, firing=2
        ),
        rule(5, "Dead letters pile up", "dlq_growth", grows, error=lost),
        rule(8, "Promises of Acme", "sla_breach", {"threshold": 1, "channels": ["ops"]}, **tenant),
        rule(9, "Stuck", "queue_stuck", {"threshold": 15, "by": ["queue"], "channels": ["on-call"]}, pending=1),
        rule(12, "Prometheus", "external", posted),
    ]


def channel(number: int, name: str, settings: Row, **changes: Any) -> Row:
    row = {**_checked(NewChannel, {"name": name, "settings": settings}), "id": number, "kind": settings["kind"]}
    return {**row, "disabled_reason": None, "last": None, **_CHANGED, **changes}


def last(state: str, ago: int, attempts: int = 1, error: str | None = None) -> Row:
    return {"at": iso(NOW - ago), "state": state, "attempts": attempts, "run_id": 4_711, "error": error}


def some_channels() -> list[Row]:
    mail = {"kind": "email", "host": "mail.example.org", "sender": "alerts@example.org", "to": ["ops@example.org"]}
    gone = "The receiver answered 410: it wants nothing any more."
    late = "https://hooks.example.org/alerts answered 503."
    return [
        channel(1, "boss", {"kind": "pagerduty"}, secret_keyring="boss", last=last("delivered", 5 * HOUR)),
        channel(2, "old-hook", {"kind": "webhook", "url": "https://old.example.org/in"}, enabled=False)
        | {"disabled_reason": gone, "last": last("failed", 2 * DAY, error=gone)},
        channel(3, "on-call", mail, tenant_id="acme"),
        channel(4, "ops", {"kind": "webhook", "url": "https://hooks.example.org/alerts"})
        | {"secret_env": "QUARTERDECK_CHANNEL_OPS", "last": last("pending", 4 * MINUTE, 3, late)},
        channel(7, "room", {"kind": "slack"}, secret_env="QUARTERDECK_CHANNEL_ROOM", last=last("delivered", 0)),
    ]


def silence(number: int, name: str, value: str, starts: int, ends: int, comment: str, **changes: Any) -> Row:
    matchers = [{"name": name, "value": value, "is_regex": False, "is_equal": True}]
    state = "expired" if ends <= NOW else "pending" if starts > NOW else "active"
    times = {"starts_at": iso(starts), "ends_at": iso(ends), "state": state}
    row = {"id": number, "tenant_id": None, "matchers": matchers, **times, "comment": comment, "alerts": 0}
    return {**row, "created_by": "ana", **changes}


def some_silences() -> list[Row]:
    regex = [{"name": "host", "value": "web.*|db 1", "is_regex": True, "is_equal": True}]
    return [
        silence(31, "queue", "mail", NOW - HOUR, NOW + 90 * SECOND, "Moving to the new relay.", alerts=2),
        silence(30, "site", "north", NOW - DAY, NOW + 3 * DAY, "Cable cut; the provider knows.", created_by="ben")
        | {"matchers": regex, "tenant_id": "acme", "alerts": 14},
        silence(32, "team", "web", NOW + 5 * HOUR, NOW + 9 * HOUR, "Release."),
        silence(12, "queue", "refunds", NOW - 3 * DAY, NOW - 2 * DAY, "Their maintenance."),
    ]


def policy(number: int, name: str, settings: Row, **changes: Any) -> Row:
    narrow = {key: changes.pop(key) for key in ("resource", "tenant_id", "kind") if key in changes}
    body = {"name": name, "resource": "support_tasks", "settings": settings, **narrow}
    made = {**_checked(NewPolicy, body), "id": number, "enabled": True}
    return {**made, "effective_from": iso(NOW - 40 * DAY), **_CHANGED, **changes}


def some_policies() -> list[Row]:
    hours = [("08:00", "12:00"), ("13:00", "17:00")]
    calendar = {
        "timezone": "Europe/Stockholm",
        "country": "SE",
        "holidays": ["2026-12-24"],
        "windows": [{"days": _DAYS, "start": start, "end": end} for start, end in hours],
    }
    standard = {
        "targets": [
            {"priority": "urgent", "first_response_minutes": 15, "resolution_minutes": 120},
            {"priority": "normal", "first_response_minutes": 60, "resolution_minutes": 480},
            {"priority": "low", "resolution_minutes": 2_880},
        ],
        "calendar": calendar,
        "escalation": [
            {"percent": 75, "act": "raise_priority"},
            {"percent": 100, "act": "assign", "assignee": "lead", "does": "do", "note": "Call the customer."},
        ],
    }
    prompt = {"targets": [{"priority": "urgent", "first_response_minutes": 5}]}
    returns = {"targets": [{"priority": "normal", "resolution_minutes": 4_320}], "pauses": []}
    return [
        policy(1, "Standard", standard, version=4),
        policy(2, "Acme, prompt", prompt, tenant_id="acme", kind="refund"),
        policy(3, "Returns", returns, resource="returns", enabled=False),
    ]


class SetupClient(SlaClient):
    """`refuses` is raised by the next call that changes something."""

    def __init__(self) -> None:
        super().__init__()
        self.rules = {row["id"]: row for row in some_rules()}
        self.channels = {row["id"]: row for row in some_channels()}
        self.silences = {row["id"]: row for row in some_silences()}
        self.policies = {row["id"]: row for row in some_policies()}
        self.refuses: Exception | None = None
        self._numbers = 100

    def _number(self) -> int:
        self._numbers += 1
        return self._numbers

    def _may(self) -> None:
        if self.refuses is not None:
            error, self.refuses = self.refuses, None
            raise error

    def _change(self, rows: dict[int, Row], number: object, model: Any, body: Row) -> Row:
        self._may()
        _checked(model, body)
        row = rows[int(str(number))]
        self._seen(row, body)
        named = {name: value for name, value in body.items() if name not in ("reason", "version")}
        if "settings" in body:
            named["settings"] = {**row["settings"], **body["settings"]}
        row.update(named, updated_at=iso(NOW), updated_by="olga", version=row["version"] + 1)
        return dict(row)

    def _delete(self, rows: dict[int, Row], path: Any, query: Any) -> Row:
        self._may()
        self._seen(rows[int(path["id"])], query)
        return rows.pop(int(path["id"]))

    def _seen(self, row: Row, said: Row) -> None:
        if said["version"] != row["version"]:
            told = f"{row['name']} has changed since you looked, by {row['updated_by']}; look again, then decide."
            raise Problem(Code.CHANGED_SINCE, told)

    def somebody_changes(self, row: Row, **settings: Any) -> None:
        """Beside whoever sits at the console."""
        row.update(settings={**row["settings"], **settings}, updated_by="ben", version=row["version"] + 1)

    # rules

    def _alerts_rules(self, _path: Any, _query: Any, _body: Any) -> Row:
        return {"items": [dict(row) for row in self.rules.values()]}

    def _alerts_create(self, _path: Any, _query: Any, body: Any) -> Row:
        self._may()
        made = rule(self._number(), body["name"], body["type"], body["settings"])
        made.update(tenant_id=body.get("tenant_id"), enabled=body["enabled"], evaluated_at=None)
        self.rules[made["id"]] = made
        return dict(made)

    def _alerts_change(self, path: Any, _query: Any, body: Any) -> Row:
        return self._change(self.rules, path["id"], RuleChange, body)

    def _alerts_rule(self, path: Any, _query: Any, _body: Any) -> Row:
        return dict(self.rules[int(path["id"])])

    def _alerts_delete(self, path: Any, query: Any, _body: Any) -> Row:
        return self._delete(self.rules, path, query)

    # channels

    def _channels_list(self, _path: Any, _query: Any, _body: Any) -> Row:
        return {"items": [dict(row) for row in self.channels.values()]}

    def _channels_create(self, _path: Any, _query: Any, body: Any) -> Row:
        self._may()
        _checked(NewChannel, body)
        made = channel(self._number(), body["name"], body["settings"], **{k: body[k] for k in _SECRETS})
        self.channels[made["id"]] = made
        return dict(made)

    def _channels_change(self, path: Any, _query: Any, body: Any) -> Row:
        return self._change(self.channels, path["id"], ChannelChange, body)

    def _channels_delete(self, path: Any, query: Any, _body: Any) -> Row:
        return self._delete(self.channels, path, query)

    def _channels_verify(self, path: Any, _query: Any, _body: Any) -> Row:
        said = f"{self.channels[int(path['id'])]['settings']['url']} answered 503."
        return {"delivered": False, "code": "http_503", "said": said, "detail": "down for repairs", "took_ms": 212}

    # what a rule would do

    def _alerts_test(self, path: Any, _query: Any, _body: Any) -> Row:
        labels = {"alertname": "x", "severity": "critical", "queue": "mail"}
        first = NOW - DAY
        times = [{"since": iso(first + n * 5 * HOUR), "until": iso(first + n * 5 * HOUR + 23 * MINUTE)} for n in (1, 3)]
        episodes = [{**each, "labels": labels, "worst": 44.0, "quiet": False} for each in times]
        episodes.append({"labels": labels, "since": iso(NOW - 7 * MINUTE), "until": None, "worst": 31.5, "quiet": True})
        values = [12 + 10 * math.sin(n / 20) + (20 if n % 97 > 88 else 0) for n in range(289)]
        first -= first % (5 * MINUTE)
        sampled = [{"at": iso(first + n * 5 * MINUTE), "value": value} for n, value in enumerate(values)]
        now = [
            {"labels": labels, "value": 31.5, "fires": True},
            {"labels": {**labels, "queue": "refunds"}, "value": 1.25, "fires": False},
        ]
        known = {"known_since": iso(NOW - DAY), "why": None, "episodes": episodes, "values": sampled}
        if self.rules[int(path["id"])]["type"] == "external":
            why = "Alerts from outside come as they come; this rule only says where they go."
            known = {"known_since": None, "why": why, "episodes": [], "values": []}
            now = []
        return {"now": now, **known}

    # silences

    def _alerts_silences(self, _path: Any, query: Any, _body: Any) -> Row:
        return {"items": [dict(row) for row in self.silences.values() if row["state"] == query["state"]]}

    def _alerts_preview_silence(self, _path: Any, _query: Any, body: Any) -> Row:
        self._may()
        _checked(NewSilence, body)
        first = [
            {"id": n, "name": "Disk fills", "labels": {"alertname": "Disk fills", "host": f"web {n}"}} for n in (7, 8)
        ]
        return {"firing": 2, "pending": 1, "quiet": 1, "first": first}

    def _alerts_silence(self, _path: Any, _query: Any, body: Any) -> Row:
        made = silence(self._number(), "", "", NOW, from_iso(body["ends_at"]), body["comment"], alerts=2)
        made.update(matchers=body["matchers"], created_by="olga")
        self.silences = {made["id"]: made, **self.silences}
        return dict(made)

    def _alerts_end_silence(self, path: Any, _query: Any, _body: Any) -> Row:
        row = self.silences[int(path["id"])]
        row.update(ends_at=iso(NOW), state="expired")
        return dict(row)

    # policies

    def _sla_policies(self, _path: Any, _query: Any, _body: Any) -> Row:
        return {"items": [dict(row) for row in self.policies.values()]}

    def _sla_create(self, _path: Any, _query: Any, body: Any) -> Row:
        self._may()
        named = {key: body[key] for key in ("resource", "tenant_id", "kind")}
        made = policy(self._number(), body["name"], body["settings"], **named)
        self.policies[made["id"]] = made
        return dict(made)

    def _sla_change(self, path: Any, _query: Any, body: Any) -> Row:
        return self._change(self.policies, path["id"], PolicyChange, body)

    def _sla_delete(self, path: Any, query: Any, _body: Any) -> Row:
        return self._delete(self.policies, path, query)

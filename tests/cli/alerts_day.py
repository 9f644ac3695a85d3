"""What somebody who answers alerts does on the command line."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.lines import Shell

RULE = """
name = "Prometheus"
type = "external"

[settings]
severity = "critical"
channels = ["nowhere"]
"""


def whole_day(shell: Shell) -> None:
    assert "There are no rules yet" in shell("alerts", "rules").err
    Path("rule.toml").write_text(RULE)
    assert "There is no channel nowhere for every tenant" in shell("alerts", "create-rule", "rule.toml", code=None).err
    Path("rule.toml").write_text(RULE.replace('"nowhere"', ""))
    made = shell.json("alerts", "create-rule", "rule.toml")
    number = str(made["id"])
    assert (made["name"], made["settings"]["severity"]) == ("Prometheus", "critical")
    late = {"name": "late", "type": "sla_breach", "settings": {"threshold": 1}}
    Path("late.json").write_text(json.dumps(late))
    other = str(shell.json("alerts", "create-rule", "late.json")["id"])
    Path("late.json").write_text(json.dumps({**late, "settings": {"threshold": 2}}))
    shell("alerts", "change-rule", other, "--file", "late.json", "--reason", "calmer")
    shown = shell.json("alerts", "rule", other)
    Path("shown.json").write_text(json.dumps({**shown, "settings": {**shown["settings"], "threshold": 3}}))
    shell("alerts", "change-rule", other, "--file", "shown.json")
    assert "has changed since you looked" in shell("alerts", "change-rule", other, "-f", "shown.json", code=1).err
    assert "--on" in shell("alerts", "change-rule", other, code=2).err
    assert "it would have fired 0 times" in shell("alerts", "test", other).out
    assert "Prometheus" in shell("alerts", "rules").out
    assert "external" in shell("alerts", "rule", number).out

    alerts = [{"labels": {"alertname": "Down", "host": host, "tenant": "acme"}} for host in ("a", "b", "c")]
    Path("alerts.json").write_text(json.dumps(alerts))
    assert "Posted 3 alerts; 3 changed." in shell("alerts", "post", "alerts.json").out
    assert shell("overview").out.startswith("3 critical alerts fire, last Down host=c\n")
    assert "3 critical, 0 warning, 0 info" in shell("overview").out
    assert shell.json("overview")["alerts"]["firing"] == 3
    assert shell("overview", "--critical").out.count("Down") == 3
    listed = shell.json("alerts", "list", "--state", "firing", "--label", "host=a")["items"]
    assert [each["labels"]["host"] for each in listed] == ["a"]
    first = str(listed[0]["id"])
    assert [each["id"] for each in shell.json("alerts", "list", "--query", "severity:info")["items"]] == []
    groups = shell("alerts", "groups")
    assert "Down" in groups.out
    assert "3 alerts firing, 0 about to; 0 are over." in groups.err
    assert shell.json("alerts", "groups", "--query", "severity:critical")["groups"][0]["firing"]["critical"] == 3
    assert "Acknowledged 1 alert." in shell("alerts", "ack", first, "--for", "2h", "--note", "On it.").out
    assert "30m" in shell("alerts", "ack", first, "--for", "soon", code=2).err
    for never in ("367d", "99999999d", "9" * 5_000 + "d"):
        assert "366 days" in shell("alerts", "silence", "a=b", "--comment", "x", "--for", never, code=2).err
    assert "On it." in shell("alerts", "show", first).out
    assert "Nobody looks after 1 alert." in shell("alerts", "unack", first, "--note", "Not mine.").out
    assert f"Not acknowledged, not firing, or not there: {first}." in shell("alerts", "unack", first, code=4).out
    said = shell("alerts", "resolve", first, "99999", "--note", "Fixed.", code=5).out
    assert "Acknowledged 0 alerts." in shell("alerts", "ack", "99999", code=4).out
    assert "Resolved 1 alert." in said
    assert "99999" in said

    preview = shell("alerts", "silence", "host=~b|x", "--comment", "Moving.", "--preview").out
    assert preview == "It would keep 1 firing alert quiet.\n"
    assert "Nothing is silenced." in shell("alerts", "silences").err
    silence = shell.json("alerts", "silence", "host=~b|x", "--comment", "Moving.", "--for", "30m")
    assert silence["alerts"] == 1
    assert "host=~b|x" in shell("alerts", "silences").out
    assert "silenced" in shell("alerts", "list", "--tenant", "acme").out
    assert "is no matcher" in shell("alerts", "silence", "host", "--comment", "x", code=2).err
    shell("alerts", "unsilence", str(silence["id"]))
    assert shell.json("alerts", "stats")["firing"] == 2
    shell("alerts", "delete-rule", other)
    assert "There are no such alerts." in shell("alerts", "list", "--tenant", "nobody").err

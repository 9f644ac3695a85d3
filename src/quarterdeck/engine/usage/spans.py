"""Which time and whose usage is asked for."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import BigInteger, ColumnElement, Table, case, literal

from quarterdeck.contract.clock import DAY, HOUR, MINUTE, WEEK, now_ms, to_ms
from quarterdeck.contract.enums import Period, UsageStep
from quarterdeck.contract.models.usage import UsageSpan
from quarterdeck.contract.principal import Principal
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.engine.sla.figures import period_bounds
from quarterdeck.engine.usage.tables import usage_days, usage_minutes

_USUAL = 30 * DAY  # the last of them is the one that runs
# Milliseconds since 1970 began on a Thursday.
_MONDAY = 3 * DAY
_LENGTHS = {UsageStep.MINUTE: MINUTE, UsageStep.HOUR: HOUR, UsageStep.DAY: DAY, UsageStep.WEEK: WEEK}
# So many steps are added up in one go; a page of a long time does not read all of it.
_AT_ONCE = {
    UsageStep.MINUTE: 360,
    UsageStep.HOUR: 168,
    UsageStep.DAY: 62,
    UsageStep.WEEK: 26,
    UsageStep.MONTH: 24,
}


def table_of(step: UsageStep) -> Table:
    return usage_minutes if step in (UsageStep.MINUTE, UsageStep.HOUR) else usage_days


def span(query: UsageSpan, step: UsageStep) -> tuple[int, int]:
    """[from, until) in whole steps. Raises Problem(INVALID_INPUT)."""
    now = now_ms()
    # There is no usage that lies outside.
    until = min(now if query.until is None else to_ms(query.until), now + 2 * DAY)
    since = ceiling(max(until, 1), UsageStep.DAY) - _USUAL if query.since is None else to_ms(query.since)
    if since >= until:
        why = "must be before until and before now"
        raise Problem(Code.INVALID_INPUT, f"since {why}.", errors=(("/query/since", why),))
    since = max(since, 0)
    return floor(since, step), ceiling(max(until, 1), step)


def floor(moment: int, step: UsageStep) -> int:
    """The start of the step that a moment lies in."""
    if step is UsageStep.MONTH:
        return period_bounds(moment, moment + 1, Period.MONTH)[0][0]
    if step is UsageStep.WEEK:
        return moment - (moment + _MONDAY) % WEEK
    return moment - moment % _LENGTHS[step]


def ceiling(moment: int, step: UsageStep) -> int:
    """Where a step ends, at the moment or after it."""
    if step is UsageStep.MONTH:
        return period_bounds(moment - 1, moment, Period.MONTH)[0][1]
    return floor(moment - 1, step) + _LENGTHS[step]


def start_of(at: ColumnElement[int], step: UsageStep, since: int, until: int) -> ColumnElement[int]:
    """`floor` in SQL, of moments in the span."""
    if step is UsageStep.MONTH:
        bounds = period_bounds(since, until, Period.MONTH)
        return case(*((at < end, literal(start, BigInteger)) for start, end in bounds))
    if step is UsageStep.WEEK:
        return at - (at + _MONDAY) % WEEK
    return at - at % HOUR if step is UsageStep.HOUR else at


def windows(since: int, until: int, step: UsageStep) -> Iterator[tuple[int, int]]:
    """The span in parts of whole steps, the newest first."""
    size = _AT_ONCE[step]
    if step is UsageStep.MONTH:
        bounds = period_bounds(since, until, Period.MONTH)
        while bounds:
            part, bounds = bounds[-size:], bounds[:-size]
            yield part[0][0], part[-1][1]
        return
    length = size * _LENGTHS[step]
    while until > since:
        start = max(since, until - length)
        yield start, until
        until = start


def narrowed(table: Table, principal: Principal, query: UsageSpan) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if principal.tenants is not None:
        found.append(table.c.tenant_id.in_(sorted(principal.tenants)))
    if query.tenant is not None:
        found.append(table.c.tenant_id == query.tenant)
    if query.resource_type is not None:
        found.append(table.c.resource_type == query.resource_type)
    return found

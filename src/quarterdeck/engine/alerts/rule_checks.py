"""Whether a rule can be evaluated and told."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from quarterdeck.contract.enums import AlertType, AlertUnit, Dimension
from quarterdeck.contract.models.alert_rules import DIMENSIONS, UNITS, RuleSettings
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.engine.alerts.quiet import quiet_of
from quarterdeck.engine.channels.naming import refuse_unknown


async def refuse_unknown_channels(connection: AsyncConnection, settings: RuleSettings, tenant: str | None) -> None:
    """Raises Problem(INVALID_INPUT) for a channel that nobody has set up."""
    named = [(f"/settings/channels/{number}", name) for number, name in enumerate(settings.channels)]
    await refuse_unknown(connection, named, tenant)


def check(kind: AlertType, settings: RuleSettings) -> None:
    """Whether such a rule can be evaluated. Raises Problem(INVALID_INPUT) that names the field."""
    units, dimensions = UNITS[kind], DIMENSIONS[kind]
    if kind is AlertType.EXTERNAL:
        if settings.threshold is not None or settings.unit is not None:
            raise refuse("/settings/threshold", "an external rule has none; its alerts come as they are")
    else:
        if settings.threshold is None:
            raise refuse("/settings/threshold", f"is missing; {kind} is counted in {' or '.join(units)}")
        unit = settings.unit or units[0]
        if unit not in units:
            raise refuse("/settings/unit", f"must be {' or '.join(units)} for {kind}, not {unit}")
        if unit is AlertUnit.PERCENT and settings.threshold > 100 and kind is not AlertType.THROUGHPUT_LOW:
            raise refuse("/settings/threshold", "is in percent and can be at most 100")
        if unit is AlertUnit.COUNT and settings.threshold != int(settings.threshold):
            raise refuse("/settings/threshold", "is a count and has to be a whole number")
        if settings.threshold == 0:
            raise refuse("/settings/threshold", "must be more than 0, or it fires for ever")
        if settings.matchers:
            raise refuse("/settings/matchers", "belong to external rules")
    for number, each in enumerate(settings.by):
        if each not in dimensions:
            allowed = f"must be among {', '.join(dimensions)}" if dimensions else "has to be empty"
            raise refuse(f"/settings/by/{number}", f"{allowed} for {kind}, not {each}")
    if len(set(settings.by)) != len(settings.by):
        raise refuse("/settings/by", "names something twice")
    if Dimension.ITEM in settings.by and settings.unit is AlertUnit.PERCENT:
        raise refuse("/settings/by", "cannot be item where the threshold is in percent")
    try:
        quiet_of(settings.quiet_hours)
    except ValueError as error:
        field, _, sentence = str(error).partition(": ")
        raise refuse(f"/settings/quiet_hours/{field}", sentence) from None


def refuse(pointer: str, sentence: str) -> Problem:
    """For a field of a rule."""
    place = pointer.lstrip("/").replace("/", ".")
    return Problem(Code.INVALID_INPUT, f"{place}: {sentence}.", errors=((pointer, sentence),))

"""Binds the operations on alerts."""

from __future__ import annotations

from fastapi import APIRouter

from quarterdeck.contract.models import alert_rules
from quarterdeck.contract.models import alerts as models
from quarterdeck.contract.operations import alerts as operations
from quarterdeck.engine.alerts import acting, board, history, outside, rules, silencing, trying
from quarterdeck.engine.http.binding import Call, bind

router = APIRouter()


async def _rules(call: Call) -> alert_rules.RuleList:
    return await rules.list_rules(call.engine, call.principal)


async def _rule(call: Call) -> alert_rules.Rule:
    return await rules.show_rule(call.engine, call.principal, call.path["id"])


async def _create(call: Call) -> alert_rules.Rule:
    return await rules.create_rule(call.engine, call.principal, call.body)


async def _change(call: Call) -> alert_rules.Rule:
    return await rules.change_rule(call.engine, call.principal, call.path["id"], call.body)


async def _delete(call: Call) -> alert_rules.Rule:
    return await rules.delete_rule(call.engine, call.principal, call.path["id"], call.query.version)


async def _test(call: Call) -> alert_rules.RuleTest:
    return await trying.try_out(call.engine, call.principal, call.path["id"])


async def _history(call: Call) -> models.AlertPage:
    return await history.history(call.engine, call.principal, call.query)


async def _board(call: Call) -> models.AlertBoard:
    return await board.board(call.engine, call.principal, call.query)


async def _show(call: Call) -> models.AlertDetail:
    return await history.show(call.engine, call.principal, call.path["id"])


async def _stats(call: Call) -> models.AlertStats:
    return await history.stats(call.engine, call.principal, call.query)


async def _acknowledge(call: Call) -> models.Acted:
    return await acting.acknowledge(call.engine, call.principal, call.body)


async def _resolve(call: Call) -> models.Acted:
    return await acting.resolve(call.engine, call.principal, call.body)


async def _silences(call: Call) -> models.SilenceList:
    return await silencing.list_silences(call.engine, call.principal, call.query)


async def _silence(call: Call) -> models.Silence:
    return await silencing.silence(call.engine, call.principal, call.body)


async def _preview_silence(call: Call) -> models.SilencePreview:
    return await silencing.preview(call.engine, call.principal, call.body)


async def _end_silence(call: Call) -> models.Silence:
    return await silencing.end_silence(call.engine, call.principal, call.path["id"])


async def _post(call: Call) -> models.PostResult:
    return await outside.post(call.engine, call.principal, call.body)


bind(router, operations.RULES, _rules)
bind(router, operations.RULE, _rule)
bind(router, operations.CREATE, _create)
bind(router, operations.CHANGE, _change)
bind(router, operations.DELETE, _delete)
bind(router, operations.TEST, _test)
bind(router, operations.HISTORY, _history)
bind(router, operations.BOARD, _board)
bind(router, operations.SHOW, _show)
bind(router, operations.STATS, _stats)
bind(router, operations.ACKNOWLEDGE, _acknowledge)
bind(router, operations.RESOLVE, _resolve)
bind(router, operations.SILENCES, _silences)
bind(router, operations.SILENCE, _silence)
bind(router, operations.PREVIEW_SILENCE, _preview_silence)
bind(router, operations.END_SILENCE, _end_silence)
bind(router, operations.POST, _post)

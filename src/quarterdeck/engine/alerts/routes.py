"""Binds the operations on alerts."""

from __future__ import annotations

from fastapi import APIRouter

from quarterdeck.contract.operations import alerts as operations
from quarterdeck.engine.alerts import acting, board, history, outside, rules, silencing, trying
from quarterdeck.engine.http.binding import serve

router = APIRouter()

serve(router, operations.RULES, rules.list_rules)
serve(router, operations.RULE, rules.show_rule)
serve(router, operations.CREATE, rules.create_rule)
serve(router, operations.CHANGE, rules.change_rule)
serve(router, operations.DELETE, rules.delete_rule)
serve(router, operations.TEST, trying.try_out)
serve(router, operations.HISTORY, history.history)
serve(router, operations.BOARD, board.board)
serve(router, operations.SHOW, history.show)
serve(router, operations.STATS, history.stats)
serve(router, operations.ACKNOWLEDGE, acting.acknowledge)
serve(router, operations.UNACKNOWLEDGE, acting.unacknowledge)
serve(router, operations.RESOLVE, acting.resolve)
serve(router, operations.SILENCES, silencing.list_silences)
serve(router, operations.SILENCE, silencing.silence)
serve(router, operations.PREVIEW_SILENCE, silencing.preview)
serve(router, operations.END_SILENCE, silencing.end_silence)
serve(router, operations.POST, outside.post)

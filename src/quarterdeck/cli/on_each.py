"""An action on some numbers, one after the other: what became of each, and how the command ends."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from quarterdeck.cli.agreeing import agree_to_action
from quarterdeck.cli.exits import Exit, exit_for, sentence_for
from quarterdeck.cli.runtime import Cli
from quarterdeck.contract.actions import Action
from quarterdeck.contract.problems import Problem

Done = dict[str, Any]


async def on_each(
    cli: Cli,
    action: Action,
    ids: Sequence[int],
    act: Callable[[int], Awaitable[Done]],
    line: Callable[[Done], str],
    *,
    yes: bool,
    hint: Callable[[Done], str] = lambda done: "",
) -> Exit | None:
    """`line` says what became of one, `hint` what can be done about it now. Where there is only one number, what
    refuses it is raised."""
    agree_to_action(cli, action, ids, yes)
    done: list[Done] = []
    problems: list[tuple[int, Problem]] = []
    for number in ids:
        try:
            done.append(await act(number))
        except Problem as problem:
            if len(ids) == 1:
                raise
            problems.append((number, problem))
    failed = [{"id": number, "code": why.code, "detail": sentence_for(why)} for number, why in problems]
    for sentence in filter(None, map(hint, done)):
        cli.out.note(sentence)
    lines = [f"{action.label}: {line(each)}" for each in done]
    cli.out.result({"done": done, "failed": failed} if len(ids) > 1 else done[0], lines)
    for number, why in problems:
        cli.out.note(f"{number}: {sentence_for(why)}")
    if not problems:
        return None
    return Exit.PARTIAL if done else exit_for(problems[0][1])

"""Exit codes, and the sentence that goes with a failure."""

from __future__ import annotations

from enum import IntEnum

from quarterdeck.contract.problems import Code, Problem


class Exit(IntEnum):
    """What a command leaves behind. docs/exit-codes.md is about these."""

    OK = 0
    FAILED = 1  # refused, or failed
    USAGE = 2  # the command, a filter or a value is not valid
    UNREACHABLE = 3  # no engine answers
    NOTHING = 4  # not found, or nothing to claim
    PARTIAL = 5  # some of it worked
    INTERRUPTED = 130


EPILOG = (
    "Exit codes: 0 done, 1 refused or failed, 2 not valid (option, filter, value), 3 no engine answers, "
    "4 not found or nothing to claim, 5 only partly done, 130 interrupted."
)

_BY_CODE = {
    Code.NOT_FOUND: Exit.NOTHING,
    Code.NOTHING_TO_CLAIM: Exit.NOTHING,
    Code.INVALID_INPUT: Exit.USAGE,
    Code.FILTER_INVALID: Exit.USAGE,
    Code.CURSOR_INVALID: Exit.USAGE,
}


class CommandError(Exception):
    """One sentence for the person, and how the command ends."""

    def __init__(self, sentence: str, exit_code: Exit = Exit.FAILED) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code


def usage(sentence: str) -> CommandError:
    return CommandError(sentence, Exit.USAGE)


def exit_for(problem: Problem) -> Exit:
    return _BY_CODE.get(problem.code, Exit.FAILED)


def sentence_for(problem: Problem) -> str:
    """The problem's sentence, with what is wrong where, when it does not say so itself."""
    extra = [f"{pointer.strip('/')}: {text}" for pointer, text in problem.errors if text not in problem.detail]
    return f"{problem.detail} ({'; '.join(extra[:3])})" if extra else problem.detail

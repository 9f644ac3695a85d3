"""Write what is made from the code: config.example.toml, docs/actions.md, docs/api.md.

A test compares the files with what this makes, so they are never behind. `--check` only compares.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from quarterdeck.config.example import example
from quarterdeck.contract.actions import Action, actions_for
from quarterdeck.contract.enums import AnyResource, MachineResource, Resource
from quarterdeck.contract.operations import OPERATIONS, Operation
from quarterdeck.contract.problems import PROBLEMS
from quarterdeck.contract.transitions import TRANSITIONS

TOP = Path(__file__).resolve().parent.parent
MADE = "<!-- Made from the code by `python3 dev.py generate`. -->\n"


def files() -> dict[Path, str]:
    """Path -> content of everything that is generated."""
    return {
        TOP / "config.example.toml": example(),
        TOP / "docs" / "actions.md": actions_page(),
        TOP / "docs" / "api.md": api_page(),
    }


def actions_page() -> str:
    parts = [
        MADE,
        "# Actions\n\n"
        "What an operator can do to an item, a run or a dead letter. With marks, the same key opens the bulk dialog.\n"
        "On the command line: `qd items ACTION RESOURCE ID` for one item, `qd bulk run RESOURCE ACTION -q FILTER` for\n"
        "many. Keys can be remapped (see [configuration](configuration.md)).\n",
    ]
    for resource in (*Resource, *MachineResource):
        parts.append(f"\n## {resource}\n\n{_machine(resource)}\n")
        for action in sorted(actions_for(resource), key=lambda action: action.label):
            parts.append(_action(action))
    return "".join(parts)


def _machine(resource: AnyResource) -> str:
    rows = [
        f"| {state} | {', '.join(sorted(targets)) or 'nothing: this is the end'} |"
        for state, targets in TRANSITIONS[resource].items()
    ]
    return "\n".join(["| from | to |", "|---|---|", *rows])


def _action(action: Action) -> str:
    facts = [
        f"risk {action.risk}",
        "can be undone" if action.undoable else "cannot be undone",
        f"needs the role {action.role}",
        "one or many" if action.bulk else "one at a time",
    ]
    applies = ", ".join(sorted(action.from_states))
    target = f", leads to {action.to}" if action.to else ""
    lines = [
        f"\n### {action.label}\n",
        f"\n`{action.verb}`, key `{action.key}`. {action.summary} Applies to: {applies}{target}.\n",
        f"\n{'; '.join(facts).capitalize()}. In bulk: batches of {action.batch.size}.\n",
    ]
    parameters = [
        f"- `{name}`{'' if field.is_required() else ' (optional)'}: {field.description or field.title or name}\n"
        for name, field in action.params.load().model_fields.items()
    ]
    return "".join([*lines, *(["\n"] if parameters else []), *parameters])


def api_page() -> str:
    parts = [
        MADE,
        "# The API\n\n"
        "The engine speaks HTTP on a unix socket in the user's runtime folder (`qd engine status` names it).\n"
        "Times are UTC, ISO 8601 with `Z`. Lists are keyset pages: give `next` back as `cursor`. The OpenAPI\n"
        "document is at `/api/v1/openapi.json`. A failure is a problem document (RFC 9457) with a stable `code`,\n"
        "a sentence in `detail`, and `errors[]` with JSON pointers for bad input.\n",
    ]
    groups: dict[str, list[Operation]] = {}
    for operation in OPERATIONS.values():
        groups.setdefault(operation.tag, []).append(operation)
    for tag, operations in groups.items():
        parts.append(f"\n## {tag}\n")
        for operation in operations:
            parts.append(f"\n### `{operation.method} {operation.path}`\n\n{_operation(operation)}")
    parts.append("\n## Problem codes\n\n| code | status | meaning |\n|---|---|---|\n")
    parts += [f"| `{code}` | {status} | {title} |\n" for code, (status, title) in PROBLEMS.items()]
    return "".join(parts)


def _operation(operation: Operation) -> str:
    lines = [f"{operation.summary} Role: {operation.role}. Answers {operation.status} ({operation.answers}).\n"]
    if operation.idempotent:
        lines.append("\nNeeds an `Idempotency-Key`; the same key and body again gives the same answer for 24 hours.\n")
    for title, reference in (("Query", operation.query), ("Body", operation.request)):
        if reference is not None:
            lines.append(f"\n{title}: {_members(reference.load())}.\n")
    return "".join(lines)


def _members(model: Any) -> str:
    return ", ".join(f"`{name}`{'' if field.is_required() else '?'}" for name, field in model.model_fields.items())


def main(arguments: list[str]) -> int:
    stale = [path for path, text in files().items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in stale:
        print(f"{'out of date' if '--check' in arguments else 'wrote'}: {path.relative_to(TOP)}")
        if "--check" not in arguments:
            path.write_text(files()[path], encoding="utf-8")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

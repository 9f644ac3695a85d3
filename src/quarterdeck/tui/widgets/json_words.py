"""How a JSON value is said in a line, and whole."""

from __future__ import annotations

import json
import re
from itertools import islice
from typing import Any

from quarterdeck.tui.glyphs import Glyphs
from quarterdeck.tui.spans import Line
from quarterdeck.tui.text import safe
from quarterdeck.tui.widgets.json_nodes import Node, Tree, children

_PREVIEWED = 6  # members of a folded branch that are named in its line
_LONGEST_KEY = 60
# What a terminal would obey, or draw as something else, is written as an escape; JSON reads it back as it was.
_ODD = re.compile(r"[^\x20-\x7e\n]")


def line_of(node: Node, is_open: bool, cells: int, glyphs: Glyphs) -> Line:
    """`cells` bounds how much of a long text is looked at."""
    indent = node.depth * 2
    line: Line = [(" " * indent, "")]
    if indent > cells // 3:  # as deep as this the number says more than the space
        line = [(" " * (cells // 3 - 4), ""), (f"{node.depth:>3} ", "faint")]
    line.append((f"{(glyphs.down if is_open else glyphs.cursor) if node.is_branch else ' '} ", "muted"))
    if isinstance(node.key, int):
        line += [(f"{node.key}", "faint"), (" ", "")]
    elif node.key is not None:
        line += [(safe(node.key[:_LONGEST_KEY]), "muted"), (": ", "faint")]
    return [*line, *_value(node, is_open, cells)]


def _value(node: Node, is_open: bool, cells: int) -> Line:
    value = node.value
    if isinstance(value, str):
        return [(_quoted(value, cells), "")]
    if isinstance(value, (dict, list)):
        size = len(value)
        if not size:
            return [("{}" if isinstance(value, dict) else "[]", "faint")]
        sign = f"{{{size:,}}}" if isinstance(value, dict) else f"[{size:,}]"
        return [(sign, "faint")] if is_open else [(sign, "faint"), (f" {_preview(node)}", "faint")]
    return [(scalar(value), "faint" if value is None else "info")]


def scalar(value: Any) -> str:
    """A number, true, false or null as JSON writes it."""
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)[:400]


def _quoted(text: str, cells: int) -> str:
    return f'"{safe(text[: cells + 1])}"'


def _preview(node: Node) -> str:
    said = []
    for child in islice(children(node), _PREVIEWED):
        value = child.value
        word = "…" if isinstance(value, (dict, list)) and value else _short(value)
        said.append(word if isinstance(child.key, int) else f"{safe(str(child.key)[:20])}: {word}")
    more = "" if len(node.value) <= _PREVIEWED else ", …"
    return ", ".join(said) + more


def _short(value: Any) -> str:
    if isinstance(value, str):
        return f'"{safe(value[:20])}{"…" if len(value) > 20 else ""}"'
    return ("{}" if isinstance(value, dict) else "[]") if isinstance(value, (dict, list)) else scalar(value)


def first_lines(value: Any, cells: int, most: int, glyphs: Glyphs) -> list[Line]:
    """The beginning of a value, for a pane that has other things to say as well."""
    tree = Tree(value)
    number = tree.ensure(most + 1)
    shown = tree.lines[1 : most + 1] if tree.root.is_branch else tree.lines
    lines = [line_of(_raised(node), tree.is_open(node), cells, glyphs) for node in shown]
    if number > most:
        lines.append([("  …", "faint")])
    return lines


def _raised(node: Node) -> Node:
    """One level to the left: the root, which has no name, is not shown."""
    if node.parent is None:
        return node
    raised = Node(node.key, node.value, node.parent, node.at)
    raised.depth = node.depth - 1
    return raised


def kind_of(value: Any) -> str:
    """What a value is, and how large."""
    if isinstance(value, str):
        return f"text of {len(value):,}"
    if isinstance(value, dict):
        return f"object of {len(value):,}"
    if isinstance(value, list):
        return f"list of {len(value):,}"
    return "null" if value is None else "true or false" if isinstance(value, bool) else "number"


def searched(node: Node, wanted: str) -> bool:
    """Whether `wanted`, in lower case, stands in the name or in the value itself."""
    if isinstance(node.key, str) and wanted in node.key.lower():
        return True
    value = node.value
    if isinstance(value, str):
        return wanted in value.lower()
    return not isinstance(value, (dict, list)) and wanted in scalar(value)


def written(value: Any) -> str:
    """The value as JSON for a person to edit: every letter is one that a terminal draws as it is.

    Raises RecursionError where it is nested too deeply for an editor.
    """
    text = json.dumps(value, ensure_ascii=False, indent=2)
    lines = _ODD.sub(_escaped, text).split("\n")
    # Letters that are drawn as they are alone, but not beside each other.
    return "\n".join(line if safe(line) == line else _ODD.sub(_always, line) for line in lines)


def _always(match: re.Match[str]) -> str:
    return json.dumps(match[0])[1:-1]


def _escaped(match: re.Match[str]) -> str:
    letter = match[0]
    return letter if safe(letter) == letter else json.dumps(letter)[1:-1]

"""Themes: a TOML file becomes a Look, which is a Textual theme plus one Rich style for each token.

Widgets that paint lines themselves ask the look for `style("badge-active")`; style sheets use the same
names as variables (`$line`, `$muted`, `$badge-active`). A file says colours in [colors] and, where the
usual style of a token is not wanted, a style in [styles], in which the names of colours may be used.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from rich.color import Color, ColorParseError
from rich.errors import StyleSyntaxError
from rich.style import Style
from textual.theme import Theme

from quarterdeck.tui.glyphs import ASCII, UNICODE, Glyphs

DEFAULT = "brutalist"

COLORS = (
    "background",
    "text",
    "muted",
    "faint",
    "line",
    "surface",
    "accent",
    "on-accent",
    "success",
    "warning",
    "error",
    "info",
    "badge-waiting",
    "badge-active",
    "badge-completed",
    "badge-failed",
    "badge-attention",
    "badge-ended",
)

# token -> style, in the names of colours. A token that is missing here is a colour on the background.
STYLES: Mapping[str, str] = {
    "": "text",
    "header": "muted",
    "title": "bold text",
    "cursor": "bold on-accent on accent",
    "cursor-blurred": "bold text on line",
    "marked": "accent",
    "range": "underline accent",
    "stale": "strike faint",
    "placeholder": "faint",
    "notice": "bold accent",
    "key": "bold accent",
    "thumb": "muted",
    "empty": "muted",
    "heading": "bold muted",
    "lost": "bold background on error",
    "button-focus": "bold on-accent on accent",
    "button-danger": "bold error",
}

# Without colour what matters still stands out.
_PLAIN: Mapping[str, str] = {
    "title": "bold",
    "cursor": "reverse",
    "cursor-blurred": "underline",
    "marked": "bold",
    "range": "underline",
    "stale": "dim",
    "notice": "bold",
    "key": "bold",
    "error": "bold",
    "badge-failed": "bold",
    "badge-attention": "bold",
    "heading": "bold",
    "lost": "reverse",
    "button-focus": "reverse",
    "button-danger": "bold",
}

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_MEMBERS = {"name", "dark", "ansi", "colors", "styles"}


class ThemeError(Exception):
    """One sentence that names the file, the member, and what would be right."""


class Look(NamedTuple):
    """How everything is drawn. `ansi` is true where the terminal's own colours are used."""

    name: str
    theme: Theme
    styles: Mapping[str, Style]
    glyphs: Glyphs = UNICODE
    ansi: bool = False
    plain: bool = False
    path: Path | None = None

    def style(self, token: str) -> Style:
        """The style of a token; that of plain text for one nobody knows."""
        return self.styles.get(token) or self.styles[""]


def folder() -> Path:
    """Where the themes of the product are: in the wheel beside the package, or in the source tree."""
    package = Path(__file__).resolve().parent.parent
    shipped = package / "themes"
    return shipped if shipped.is_dir() else package.parent.parent / "themes"


def available(own: Path | None = None) -> dict[str, Path]:
    """name -> file, the product's and those in the folder `own`, which win."""
    found: dict[str, Path] = {}
    for place in (folder(), own):
        if place is not None and place.is_dir():
            found.update({path.stem: path for path in sorted(place.glob("*.toml"))})
    return found


def find(wanted: str, own: Path | None = None) -> Path:
    """The file of a theme, by name or by path. Raises ThemeError."""
    if wanted.endswith(".toml") or os.sep in wanted:
        return Path(wanted).expanduser()
    known = available(own)
    if wanted not in known:
        raise ThemeError(f"There is no theme {wanted!r}; choose one of {', '.join(sorted(known))}, or give a path.")
    return known[wanted]


def load(path: Path, *, ascii: bool = False, plain: bool | None = None) -> Look:
    """The look in a theme file. `plain` without colours (None: if NO_COLOR is set). Raises ThemeError."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ThemeError(f"The theme {path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ThemeError(f"The theme {path} is not valid TOML: {error}.") from error
    look = parse(data, path)
    if plain if plain is not None else no_color():
        look = _without_colour(look)
    if not ascii:
        return look
    theme = replace(look.theme, variables={**look.theme.variables, "stroke": "ascii"})
    return look._replace(theme=theme, glyphs=ASCII)


def choose(wanted: str, own: Path | None = None, *, ascii: bool = False, plain: bool | None = None) -> Look:
    """The look of a name or path. Raises ThemeError."""
    return load(find(wanted, own), ascii=ascii, plain=plain)


def parse(data: Mapping[str, Any], path: Path) -> Look:
    """Raises ThemeError naming the member that is wrong."""
    name = data.get("name", path.stem)
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ThemeError(f"{path}: name must be lower-case letters, digits and dashes.")
    for member in data:
        if member not in _MEMBERS:
            raise ThemeError(f"{path}: {member} is unknown; known are {', '.join(sorted(_MEMBERS))}.")
    for member in ("dark", "ansi"):
        if not isinstance(data.get(member, False), bool):
            raise ThemeError(f"{path}: {member} must be true or false.")
    ansi = data.get("ansi", False)
    colors = _colors(_table(data, "colors", path), path, ansi)
    styles = _styles(_table(data, "styles", path), path, colors)
    return Look(name, _textual(name, data.get("dark", True), ansi, colors), styles, ansi=ansi, path=path)


def _table(data: Mapping[str, Any], member: str, path: Path) -> Mapping[str, str]:
    table = data.get(member, {})
    if not isinstance(table, dict) or not all(isinstance(value, str) for value in table.values()):
        raise ThemeError(f"{path}: [{member}] must be a table of texts.")
    return table


def _colors(given: Mapping[str, str], path: Path, ansi: bool) -> dict[str, str]:
    for token in COLORS:
        if token not in given:
            raise ThemeError(f'{path}: [colors] has no {token}; add {token} = "#RRGGBB".')
    for token, value in given.items():
        if token not in COLORS:
            raise ThemeError(f"{path}: [colors] {token} is unknown; known are {', '.join(COLORS)}.")
        try:
            color = Color.parse(value)
        except ColorParseError:
            color = None
        if color is None or (color.triplet is None) != ansi:
            wanted = "the name of one of the terminal's colours, like bright_black" if ansi else "like #CCFF00"
            raise ThemeError(f"{path}: [colors] {token} is {value!r}; it must be {wanted}.")
    return dict(given)


def _styles(given: Mapping[str, str], path: Path, colors: Mapping[str, str]) -> dict[str, Style]:
    for token in given:
        if token not in STYLES and token not in COLORS:
            raise ThemeError(f"{path}: [styles] {token} is unknown; known are {', '.join(filter(None, STYLES))}.")
    base = Style(bgcolor=colors["background"], color=colors["text"])
    words = {token: token for token in COLORS} | dict(STYLES) | dict(given)
    found: dict[str, Style] = {}
    for token, text in words.items():
        try:
            found[token] = base + Style.parse(" ".join(colors.get(word, word) for word in text.split()))
        except StyleSyntaxError as error:
            raise ThemeError(f"{path}: [styles] {token} is {text!r}, which is no style: {error}.") from error
    found["text"] = found[""]
    return found


def _textual(name: str, dark: bool, ansi: bool, colors: Mapping[str, str]) -> Theme:
    words = {token: f"ansi_{value}" for token, value in colors.items()} if ansi else dict(colors)
    variables = {token: words[token] for token in COLORS if token not in ("background", "text")}
    variables |= {
        "stroke": "solid",  # of lines between parts
        "border": words["accent"],
        "border-blurred": words["line"],
        "block-cursor-foreground": words["on-accent"],
        "block-cursor-background": words["accent"],
        "block-cursor-blurred-foreground": words["text"],
        "block-cursor-blurred-background": words["line"],
        "input-cursor-background": words["text"],
        "input-cursor-foreground": words["background"],
        "input-selection-background": words["line"],
        "input-selection-foreground": words["text"],
        "footer-key-foreground": words["accent"],
        "scrollbar": words["line"],
        "scrollbar-hover": words["muted"],
        "scrollbar-active": words["accent"],
        "scrollbar-background": words["background"],
        "scrollbar-background-hover": words["background"],
        "scrollbar-background-active": words["background"],
        "scrollbar-corner-color": words["background"],
    }
    if ansi:
        variables |= {"ansi-background": "ansi_default", "ansi-foreground": "ansi_default"}
    else:
        variables |= {"text": words["text"], "text-muted": words["muted"], "text-disabled": words["faint"]}
    return Theme(
        name=name,
        primary=words["accent"],
        secondary=words["info"],
        accent=words["accent"],
        warning=words["warning"],
        error=words["error"],
        success=words["success"],
        foreground=words["text"],
        background=words["background"],
        surface=words["surface"],
        panel=words["surface"],
        dark=dark,
        variables=variables,
        ansi=ansi,
    )


def no_color() -> bool:
    """Whether NO_COLOR asks for none (https://no-color.org). Read at import: Textual removes the variable."""
    return _NO_COLOR


_NO_COLOR = bool(os.environ.get("NO_COLOR"))


def _without_colour(look: Look) -> Look:
    """Bold, reverse and underline only; the terminal's own foreground and background."""
    colors = dict.fromkeys(COLORS, "default")
    base = Style(color="default", bgcolor="default")
    styles = {token: base + Style.parse(_PLAIN.get(token, "none")) for token in look.styles}
    theme = _textual(look.name, look.theme.dark, True, colors)
    # What has the focus in a dialog shows by reverse, as the cursor of a table does.
    theme.variables["block-cursor-text-style"] = "reverse"
    theme.variables["button-focus-text-style"] = "reverse"
    return look._replace(theme=theme, styles=styles, ansi=True, plain=True)


async def saved(*paths: Path) -> AsyncIterator[Path]:
    """Each time one of the files is saved, also by editors that write a new file in its place. Endless."""
    from watchfiles import awatch  # only an open console needs it, after its first rows

    wanted = {path.resolve() for path in paths}
    async for changes in awatch(*{path.parent for path in wanted}, recursive=False):
        for changed in {Path(name).resolve() for _, name in changes} & wanted:
            if changed.exists():
                yield changed


_fallback: Look | None = None


def look_of(app: object) -> Look:
    """The look of an app (its attribute `look`), or the default one where it has none."""
    global _fallback
    look = getattr(app, "look", None)
    if isinstance(look, Look):
        return look
    if _fallback is None:
        _fallback = choose(DEFAULT)
    return _fallback

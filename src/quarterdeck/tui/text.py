"""Text from outside, made safe for a terminal, and fitted into cells.

A terminal obeys what it is sent: an escape sequence in a title can write the operator's clipboard, a bidi
control can turn a line round, an invisible character can make two different ids look the same. `safe`
leaves nothing that a terminal would obey and little that it would draw with a width of its own opinion.
"""

from __future__ import annotations

import re
from functools import lru_cache
from unicodedata import category, is_normalized, normalize

from rich.cells import cell_len, set_cell_size

ELLIPSIS = "…"
LINE_END = "⏎"
UNREADABLE = "�"  # C1 controls, lone surrogates, noncharacters
INVISIBLE = "·"  # zero-width spaces, fillers, tags
TURNED = "⇄"  # bidi controls
DOTTED_CIRCLE = "◌"  # carries a combining mark that has no letter
MARKS_PER_LETTER = 2  # more is decoration that runs into the lines above and below

_BIDI = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
# Emoji joiners, presentation selectors and skin tones: terminals disagree about the width of what they
# make. Without them every terminal draws the same cells.
_SILENT = "\u200c\u200d\ufe00-\ufe0f\U0001f3fb-\U0001f3ff\U000e0100-\U000e01ef"
_UNSEEN = "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u2060-\u2065\u206a-\u206f\u3164\ufeff\uffa0"
_UNSEEN_FAR = "\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e00ff\U000e01f0-\U000e0fff"
_NO_CHARACTER = "\ud800-\udfff\ufffe\uffff\ufdd0-\ufdef"
_FLAGS = "\U0001f1e6-\U0001f1ff"

_SUSPECT = re.compile(
    f"\r\n|[\x00-\x1f\x7f-\x9f\u2028\u2029{_BIDI}{_SILENT}{_UNSEEN}{_UNSEEN_FAR}{_NO_CHARACTER}{_FLAGS}]"
)
_IS_BIDI = re.compile(f"[{_BIDI}]")
_IS_SILENT = re.compile(f"[{_SILENT}]")
_IS_BROKEN = re.compile(f"[{_NO_CHARACTER}]")
_SPACES = frozenset("\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f")


def _replace(match: re.Match[str]) -> str:
    found = match[0]
    code = ord(found[0])
    if found in ("\r\n", "\n", "\x85", "\u2028", "\u2029"):
        return LINE_END
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    if code < 0xA0 or _IS_BROKEN.match(found):
        return UNREADABLE
    if _IS_BIDI.match(found):
        return TURNED
    if _IS_SILENT.match(found):
        return ""
    if 0x1F1E6 <= code <= 0x1F1FF:  # half a flag: the letter it stands for
        return chr(ord("A") + code - 0x1F1E6)
    return INVISIBLE


def _thin_out(text: str) -> str:
    """Combining marks: on a letter, at most a few, never on what stands before the text."""
    kept: list[str] = []
    on_letter = MARKS_PER_LETTER
    for character in text:
        if character < "\u0300":
            kept.append(character)
            on_letter = 0
        elif category(character) in ("Mn", "Me"):
            if not kept:
                kept.append(DOTTED_CIRCLE)
                on_letter = 0
            if on_letter < MARKS_PER_LETTER:
                kept.append(character)
                on_letter += 1
        else:
            kept.append(" " if character in _SPACES else character)
            on_letter = 0
    return "".join(kept)


@lru_cache(2048)
def _slow(text: str) -> str:
    clean = _SUSPECT.sub(_replace, text)
    if clean.isascii():
        return clean
    if not is_normalized("NFC", clean):
        clean = normalize("NFC", clean)
    return _thin_out(clean)


def safe(text: object) -> str:
    """`text` on one line, with nothing in it that a terminal would obey. Line ends show as ⏎."""
    found = text if isinstance(text, str) else "" if text is None else str(text)
    if found.isascii() and found.isprintable():
        return found
    return _slow(found) if len(found) < 1_000 else _slow.__wrapped__(found)


def safe_lines(text: object) -> list[str]:
    """The lines of `text`, each safe; tabs become spaces. For places that have room for more than one line."""
    found = text if isinstance(text, str) else "" if text is None else str(text)
    return [safe(line.expandtabs(4)) for line in re.split("\r\n|[\n\r\x85\u2028\u2029]", found)]


def fit(text: str, width: int, *, right: bool = False, more: str = ELLIPSIS) -> str:
    """Safe text in exactly `width` cells: padded, or cut with `more` where it is longer.

    A wide character that would be cut in half gives way to a space.
    """
    if width <= 0:
        return ""
    length = len(text) if text.isascii() else cell_len(text)
    if length > width:
        kept = width - cell_len(more)
        return set_cell_size(text, kept) + more if kept > 0 else set_cell_size(more, width)
    return " " * (width - length) + text if right else text + " " * (width - length)

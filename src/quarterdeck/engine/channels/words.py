"""Text from outside on its way out: nothing in it that a reader's program would obey."""

from __future__ import annotations

import re

# C0, C1, DEL, bidi controls, separators that break lines, half characters.
_UNWELCOME = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


def plain(text: object, longest: int = 2_000) -> str:
    """Lines stay lines; whatever controls something becomes a visible sign."""
    said = str(text).replace("\r\n", "\n").replace("\t", " ")
    return shortened(_UNWELCOME.sub("\ufffd", said), longest)


def one_line(text: object, longest: int = 200) -> str:
    """As `plain`, in one line."""
    return shortened(" ".join(plain(text, 10 * longest).split()), longest)


def shortened(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"

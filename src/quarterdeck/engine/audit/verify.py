"""Walks the whole chain and names every fault."""

from __future__ import annotations

import asyncio

from sqlalchemy import select

from quarterdeck.config.home import Home
from quarterdeck.contract.clock import iso
from quarterdeck.contract.models.audit import AuditFault, AuditVerdict
from quarterdeck.engine.audit.checkpoints import read
from quarterdeck.engine.audit.service import entry_hash
from quarterdeck.engine.audit.tables import audit_entries, audit_head
from quarterdeck.engine.store.store import Store

_PAGE = 1_000
_MOST_FAULTS = 100


async def verify(store: Store, home: Home) -> AuditVerdict:
    """Reads in pages, so that a long log does not hold the engine's memory."""
    faults: list[AuditFault] = []
    checkpoints = await asyncio.to_thread(lambda: list(read(home)))
    wanted = {point.id: point for point in checkpoints if point.genuine}
    faults += [
        AuditFault(id=point.id, kind="checkpoint", sentence="A checkpoint carries a signature that is not ours.")
        for point in checkpoints
        if not point.genuine
    ]
    expected, previous, count = 1, "", 0
    async with store.read() as connection:
        # Read first: what is appended meanwhile is beyond it, and is no gap.
        head = (await connection.execute(select(audit_head.c.last_id, audit_head.c.last_hash))).one_or_none()
        while True:
            page = select(audit_entries).where(audit_entries.c.id >= expected).order_by(audit_entries.c.id).limit(_PAGE)
            rows = (await connection.execute(page)).all()
            for row in rows:
                values = dict(row._mapping)
                if row.id != expected:
                    faults.append(_fault(expected, "missing", f"Entries {expected} to {row.id - 1} are gone."))
                elif row.previous_hash != previous:
                    faults.append(_fault(row.id, "reordered", f"Entry {row.id} does not follow the one before it."))
                if entry_hash(values, row.previous_hash) != row.hash:
                    faults.append(_fault(row.id, "edited", f"Entry {row.id} was changed after it was written."))
                point = wanted.pop(row.id, None)
                if point is not None and point.hash != row.hash:
                    faults.append(
                        _fault(row.id, "edited", f"Entry {row.id} is not what the checkpoint of {iso(point.at)} saw.")
                    )
                elif head is not None and row.id == head.last_id and row.hash != head.last_hash:
                    faults.append(_fault(row.id, "edited", f"Entry {row.id} is not the one that was written last."))
                expected, previous = row.id + 1, row.hash
                count += 1
            if len(rows) < _PAGE:
                break
            await asyncio.sleep(0)
    cut = max([0 if head is None else head.last_id, *wanted])
    if cut >= expected:
        faults.append(_fault(expected, "cut", f"Entries {expected} to {cut} existed and are gone from the end."))
    return AuditVerdict(entries=count, checkpoints=len(checkpoints), intact=not faults, faults=faults[:_MOST_FAULTS])


def _fault(number: int, kind: str, sentence: str) -> AuditFault:
    return AuditFault.model_validate({"id": number, "kind": kind, "sentence": sentence})

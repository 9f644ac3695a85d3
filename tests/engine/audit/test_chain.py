"""The audit log: written with the act, and whoever tampers with it is found."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from quarterdeck.contract.clock import DAY, now_ms, to_datetime
from quarterdeck.contract.enums import Resource, Role
from quarterdeck.contract.models.audit import AuditQuery, AuditVerdict
from quarterdeck.contract.principal import Principal
from quarterdeck.contract.problems import Code
from quarterdeck.engine.audit import checkpoints, service
from quarterdeck.engine.audit.service import entry_hash
from quarterdeck.engine.audit.tables import audit_entries, audit_head
from quarterdeck.engine.audit.ticks import Marker
from quarterdeck.engine.audit.verify import verify
from quarterdeck.engine.items.claims import claim_next
from tests.support.desk import ACME, ANA, BEN, ROOT, Desk, refused
from tests.support.hostile import TEXTS


async def write(desk: Desk, count: int = 6, **values: Any) -> None:
    for number in range(count):
        async with desk.engine.store.write() as transaction:
            await service.append(
                transaction, desk.engine.store, ROOT, "test.acted", details={"n": number, "text": "x"}, **values
            )


async def verdict(desk: Desk) -> AuditVerdict:
    return await verify(desk.engine.store, desk.engine.home)


async def faults(desk: Desk) -> list[tuple[int, str]]:
    found = await verdict(desk)
    assert found.intact is (not found.faults)
    return [(fault.id, fault.kind) for fault in found.faults]


async def change(desk: Desk, statement: Any) -> None:
    """What somebody with access to the database does behind everybody's back."""
    async with desk.engine.store.write() as transaction:
        await transaction.connection.execute(statement)


async def rows(desk: Desk) -> list[dict[str, Any]]:
    async with desk.engine.store.read() as connection:
        found = await connection.execute(select(audit_entries).order_by(audit_entries.c.id))
        return [dict(row._mapping) for row in found]


async def test_an_untouched_log_is_intact(desk: Desk) -> None:
    assert await verdict(desk) == AuditVerdict(entries=0, checkpoints=0, intact=True, faults=[])
    await write(desk)
    await Marker(desk.engine).tick()
    assert await verdict(desk) == AuditVerdict(entries=6, checkpoints=1, intact=True, faults=[])


@pytest.mark.parametrize(
    "values",
    [
        {"actor": "somebody else"},
        {"at": 5},
        {"role": "viewer"},
        {"action": "test.slept"},
        {"reason": "a better one"},
        {"tenant_id": "globex"},
        {"resource": "returns"},
        {"target": "9"},
        {"details": {"n": 2, "text": "y"}},
    ],
)
async def test_an_edited_entry_is_found_whatever_was_edited(desk: Desk, values: dict[str, Any]) -> None:
    await write(desk)
    await change(desk, update(audit_entries).where(audit_entries.c.id == 3).values(**values))
    assert await faults(desk) == [(3, "edited")]


async def test_an_entry_rewritten_with_a_hash_that_fits_breaks_the_chain(desk: Desk) -> None:
    await write(desk)
    third, last = (await rows(desk))[2], (await rows(desk))[5]
    for entry in (third, last):
        entry["actor"] = "somebody else"
        entry["hash"] = entry_hash(entry, entry["previous_hash"])
        await change(desk, update(audit_entries).where(audit_entries.c.id == entry["id"]).values(**entry))
    assert await faults(desk) == [(4, "reordered"), (6, "edited")]


@pytest.mark.parametrize("gone", [[1], [3], [2, 3, 4], [1, 2, 5]])
async def test_a_removed_entry_is_found(desk: Desk, gone: list[int]) -> None:
    await write(desk)
    await change(desk, delete(audit_entries).where(audit_entries.c.id.in_(gone)))
    found = await verdict(desk)
    assert {fault.kind for fault in found.faults} == {"missing"}
    assert (found.faults[0].id, found.entries) == (gone[0], 6 - len(gone))


async def test_removed_and_renumbered_is_found(desk: Desk) -> None:
    await write(desk)
    await change(desk, delete(audit_entries).where(audit_entries.c.id == 3))
    for number in (4, 5, 6):
        await change(desk, update(audit_entries).where(audit_entries.c.id == number).values(id=number - 1))
    kinds = {kind for _, kind in await faults(desk)}
    assert {"reordered", "edited", "cut"} <= kinds


async def test_entries_that_changed_places_are_found(desk: Desk) -> None:
    await write(desk)
    for now, then in ((2, 100), (3, 2), (100, 3)):
        await change(desk, update(audit_entries).where(audit_entries.c.id == now).values(id=then))
    found = await faults(desk)
    assert {(2, "reordered"), (2, "edited"), (3, "reordered"), (3, "edited")} <= set(found)


async def test_a_cut_tail_is_found_by_the_head_and_by_checkpoints(desk: Desk) -> None:
    await write(desk)
    await Marker(desk.engine).tick()
    await change(desk, delete(audit_entries).where(audit_entries.c.id > 4))
    assert await faults(desk) == [(5, "cut")]
    fourth = (await rows(desk))[3]
    await change(desk, update(audit_head).values(last_id=4, last_hash=fourth["hash"]))
    assert await faults(desk) == [(5, "cut")]
    assert "Entries 5 to 6 existed and are gone" in (await verdict(desk)).faults[0].sentence
    await write(desk, 2)  # the gap is filled with other entries
    (fault,) = (await verdict(desk)).faults
    assert (fault.id, fault.kind) == (6, "edited")
    assert "is not what the checkpoint of" in fault.sentence


async def test_a_whole_log_written_anew_is_found_by_checkpoints(desk: Desk) -> None:
    await write(desk)
    await Marker(desk.engine).tick()
    await change(desk, delete(audit_entries))
    await change(desk, delete(audit_head))
    assert await faults(desk) == [(1, "cut")]
    await write(desk, 7)
    assert await faults(desk) == [(6, "edited")]


@pytest.mark.parametrize("forgery", ["id", "hash", "at", "signature", "text", "key"])
async def test_a_forged_checkpoint_is_found(desk: Desk, forgery: str) -> None:
    await write(desk)
    await Marker(desk.engine).tick()
    home = desk.engine.home
    line = json.loads(home.checkpoints.read_text())
    if forgery == "text":
        home.checkpoints.write_text("not a checkpoint\n")
    elif forgery == "key":
        home.key.write_bytes(b"another key")
    else:
        line[forgery] = 4 if forgery in ("id", "at") else "0" * 64
        home.checkpoints.write_text(json.dumps(line) + "\n")
    found = await faults(desk)
    assert [kind for _, kind in found] == ["checkpoint"]


async def test_checkpoints_are_written_when_there_is_something_new(desk: Desk) -> None:
    marker = Marker(desk.engine)
    await marker.tick()
    assert not desk.engine.home.checkpoints.exists()
    for count, lines in ((1, 1), (0, 1), (3, 2)):
        await write(desk, count)
        await marker.tick()
        assert len(desk.engine.home.checkpoints.read_text().splitlines()) == lines
    assert [point.id for point in checkpoints.read(desk.engine.home)] == [1, 4]
    assert all(point.genuine for point in checkpoints.read(desk.engine.home))
    for path in (desk.engine.home.checkpoints, desk.engine.home.key):
        assert path.stat().st_mode & 0o077 == 0


async def test_a_checkpoint_that_a_power_cut_tore_is_no_forgery(desk: Desk) -> None:
    marker = Marker(desk.engine)
    await write(desk, 2)
    await marker.tick()
    await write(desk, 2)
    await marker.tick()
    path = desk.engine.home.checkpoints
    whole = path.read_text()
    path.write_text(whole[:-30])
    assert (await verdict(desk)).intact
    await write(desk, 1)
    await marker.tick()
    found = await verdict(desk)
    assert (found.intact, found.checkpoints) == (True, 2)


async def test_a_disk_without_room_leaves_no_half_checkpoint(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    marker = Marker(desk.engine)
    await write(desk, 1)
    await marker.tick()
    kept = desk.engine.home.checkpoints.read_text()
    await write(desk, 1)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoints.os, "fsync", full)
    await marker.tick()
    assert desk.engine.home.checkpoints.read_text() == kept
    monkeypatch.undo()
    await marker.tick()
    assert len(desk.engine.home.checkpoints.read_text().splitlines()) == 2


async def test_two_writers_do_not_fork_the_chain(desk: Desk) -> None:
    await asyncio.gather(*(write(desk, 5) for _ in range(8)))
    found = await verdict(desk)
    assert (found.intact, found.entries) == (True, 40)


async def test_verifying_while_others_write_finds_no_fault(desk: Desk) -> None:
    await write(desk, 3)
    writing = asyncio.gather(*(write(desk, 10) for _ in range(3)))
    seen = []
    while not writing.done():
        seen.append(await verdict(desk))
    await writing
    assert all(found.intact for found in seen), [found.faults for found in seen if not found.intact]
    assert (await verdict(desk)).entries == 33


async def test_what_is_rolled_back_leaves_no_entry(desk: Desk) -> None:
    await write(desk, 1)

    async def changes_its_mind() -> None:
        async with desk.engine.store.write() as transaction:
            await service.append(transaction, desk.engine.store, ROOT, "test.never")
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await changes_its_mind()
    await write(desk, 1)
    assert [entry["action"] for entry in await rows(desk)] == ["test.acted", "test.acted"]
    assert (await verdict(desk)).intact


async def test_every_act_is_told(desk: Desk) -> None:
    (item,) = await desk.new()
    ana = desk.by(ANA)
    claimed = await claim_next(desk.engine, ANA, desk.resource, "")
    await ana.undo(item, claimed.event_id)
    await ana.act(item, "set-priority", priority="urgent", reason="the mayor called")
    await ana.act(item, "comment", body="not for the log")
    with refused(Code.UNCHANGED):
        await ana.act(item, "set-priority", priority="urgent")
    told = [(entry["actor"], entry["action"], entry["target"], entry["tenant_id"]) for entry in await rows(desk)]
    assert told == [
        ("root", "items.create", str(item), "acme"),
        ("ana", "items.claim", str(item), "acme"),
        ("ana", "items.undo", str(item), "acme"),
        ("ana", "items.set-priority", str(item), "acme"),
        ("ana", "items.comment", str(item), "acme"),
    ]
    third, fourth = (await rows(desk))[3:]
    assert third["reason"] == "the mayor called"
    assert third["details"]["params"] == {"priority": "urgent"}
    assert third["details"]["event"] == (await desk.events(item))[-2].id
    assert "not for the log" not in json.dumps(fourth)


async def test_the_log_is_listed_newest_first_and_by_what_one_looks_for(desk: Desk) -> None:
    items = await desk.new(3)
    for number, item in enumerate(items):
        await desk.by((ANA, BEN)[number % 2]).act(item, "resolve")

    async def found(who: Principal = ROOT, **query: Any) -> list[int]:
        page = await service.list_entries(desk.engine.store, who, AuditQuery(**query))
        return [entry.id for entry in page.items]

    assert await found() == [4, 3, 2, 1]
    assert await found(actor="ana") == [4, 2]
    assert await found(action="items.resolve", target=str(items[1])) == [3]
    assert await found(since=to_datetime(now_ms() + DAY)) == []
    assert len(await found(since=to_datetime(now_ms() - DAY))) == 4
    first = await service.list_entries(desk.engine.store, ROOT, AuditQuery(limit=3))
    assert await found(limit=3, cursor=first.next) == [1]
    with refused(Code.CURSOR_INVALID):
        await found(cursor="nonsense")


async def test_somebody_of_some_tenants_sees_the_entries_of_those(desk: Desk) -> None:
    (mine,), (foreign,) = await desk.new(1), await desk.new(1, tenant_id="globex")
    for item in (mine, foreign):
        await desk.act(item, "resolve")
    page = await service.list_entries(desk.engine.store, ACME, AuditQuery())
    assert {entry.tenant_id for entry in page.items} == {"acme"}
    nobody = replace(ACME, tenants=frozenset())
    assert (await service.list_entries(desk.engine.store, nobody, AuditQuery())).items == []


async def test_hostile_words_are_hashed_as_they_are(desk: Desk) -> None:
    for text in TEXTS:
        async with desk.engine.store.write() as transaction:
            await service.append(
                transaction,
                desk.engine.store,
                Principal(text[:1_000] or "x", Role.OPERATOR),
                "test.acted",
                tenant_id=text,
                resource=Resource.RETURNS,
                target=text,
                reason=text,
                details={text: [text, None, 1.5, {"deep": text}]},
            )
    found = await verdict(desk)
    assert (found.intact, found.entries) == (True, len(TEXTS))
    page = await service.list_entries(desk.engine.store, ROOT, AuditQuery(limit=500))
    assert [entry.reason for entry in page.items] == list(TEXTS[::-1])

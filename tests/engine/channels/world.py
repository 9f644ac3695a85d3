"""An engine with channels, and short words for what happens to notifications."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import select, update

from quarterdeck.config.settings import EngineSettings
from quarterdeck.contract.clock import now_ms
from quarterdeck.contract.models.channels import Channel, NewChannel, Verified
from quarterdeck.engine.channels import managing, ticks, verifying
from quarterdeck.engine.channels.service import KIND, Notice, NotificationStatus, notify, status_of
from quarterdeck.engine.core import Engine
from quarterdeck.engine.queues.service import NOTIFICATIONS
from quarterdeck.engine.runs import service
from quarterdeck.engine.runs.attempts import Attempt
from quarterdeck.engine.runs.tables import run_attempts, runs
from tests.support.desk import ROOT

assert ticks  # says who carries out notifications

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ENV = "QUARTERDECK_CHANNEL_TEST"


def at_home(engine: Engine) -> Engine:
    """It may call receivers on this machine."""
    engine.settings = replace(engine.settings, engine=EngineSettings(allowed_addresses=["127.0.0.1/32"]))
    return engine


async def make(engine: Engine, name: str = "ops", who: Any = ROOT, **values: Any) -> Channel:
    return await managing.create_channel(engine, who, NewChannel(name=name, **values))


async def verify(engine: Engine, channel: Channel) -> Verified:
    return await verifying.verify_channel(engine, ROOT, channel.id)


def notice(**values: Any) -> Notice:
    alert = {"labels": {"queue": "mail"}, "annotations": {"summary": "it grows"}, "starts_at": 1_700_000_000_000}
    alert |= {"ends_at": None, "value": 12.5, "threshold": 10, "fingerprint": "f1"}
    usual = {"key": "group/1", "tenant_id": "acme", "kind": "trigger", "severity": "critical", "title": "Dead letters"}
    return Notice(**{**usual, "alerts": (alert,), **values})


async def send(engine: Engine, *names: str, **values: Any) -> list[int]:
    async with engine.store.write() as transaction:
        return await notify(engine, transaction, names or ("ops",), notice(**values))


async def work_off(engine: Engine) -> int:
    """Carry out what is due, each as the dispatcher does; returns how many that were."""
    done = 0
    while True:
        async with engine.store.write() as transaction:
            claimed = await service.claim(engine, transaction, NOTIFICATIONS, "engine-desk", 1, seconds=30)
        if not claimed:
            return done
        (run,) = claimed
        assert run.kind == KIND
        async with engine.store.read() as connection:
            from quarterdeck.engine.queues.service import settings_of

            settings = await settings_of(connection, NOTIFICATIONS)
        outcome = await Attempt(run, settings, lambda line: None, 0.0).carry_out(engine)
        if outcome is not None:
            async with engine.store.write() as transaction:
                await service.finish(engine, transaction, [outcome])
        done += 1


async def due(engine: Engine) -> None:
    """The time has come for whatever waits for it."""
    async with engine.store.write() as transaction:
        later = runs.c.status.in_(["scheduled", "failed"])
        await transaction.connection.execute(
            update(runs).where(runs.c.queue == NOTIFICATIONS, later).values(run_at=now_ms() - 1, status="waiting")
        )


async def status(engine: Engine, number: int) -> NotificationStatus:
    async with engine.store.read() as connection:
        return (await status_of(connection, [number]))[number]


async def run_of(engine: Engine, number: int) -> Any:
    said = await status(engine, number)
    async with engine.store.read() as connection:
        return (await connection.execute(select(runs).where(runs.c.id == said.run_id))).one()


async def attempts_of(engine: Engine, run_id: int) -> list[Any]:
    query = select(run_attempts).where(run_attempts.c.run_id == run_id).order_by(run_attempts.c.number)
    async with engine.store.read() as connection:
        return list(await connection.execute(query))


async def everything(engine: Engine) -> str:
    """Every row of every table, as text."""
    from quarterdeck.engine.store.metadata import metadata

    found = []
    async with engine.store.read() as connection:
        for table in metadata.sorted_tables:
            found += [f"{table.name}: {tuple(row)!r}" for row in await connection.execute(select(table))]
    return "\n".join(found)

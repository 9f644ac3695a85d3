"""Runs that somebody asks for through the API."""

from __future__ import annotations

import json
from collections import Counter

from quarterdeck.contract.clock import SECOND, to_ms
from quarterdeck.contract.enums import HandlerKind, MachineResource
from quarterdeck.contract.models.runs import EnqueuedRuns, NewRun, NewRuns
from quarterdeck.contract.principal import Principal
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.engine.audit import service as audit
from quarterdeck.engine.core import Engine
from quarterdeck.engine.queues.service import settings_of
from quarterdeck.engine.runs.enqueuing import New, enqueue

LARGEST_PAYLOAD = 4 * 1024 * 1024  # characters of JSON


async def enqueue_runs(engine: Engine, principal: Principal, asked: NewRuns) -> EnqueuedRuns:
    """All of them or none. Raises Problem: NOT_FOUND, FORBIDDEN, INVALID_INPUT."""
    new = [_new(principal, number, each) for number, each in enumerate(asked.runs)]
    async with engine.store.write() as transaction:
        for queue in sorted({each.queue for each in new}):
            settings = await settings_of(transaction.connection, queue)
            if settings.handler is HandlerKind.ENGINE:
                raise Problem(Code.FORBIDDEN, f"{queue} is the engine's own queue; choose another for your runs.")
        made = await enqueue(engine, transaction, new)
        existing = set(made.existing)
        created = {run_id: each for run_id, each in zip(made.ids, new, strict=True) if run_id not in existing}
        if created:
            tenants = {each.tenant_id for each in created.values()}
            await audit.append(
                transaction,
                engine.store,
                principal,
                "runs.enqueue",
                tenant_id=tenants.pop() if len(tenants) == 1 else None,
                resource=MachineResource.RUNS,
                target=str(min(created)) if len(created) == 1 else None,
                details={
                    "count": len(created),
                    "first": min(created),
                    "last": max(created),
                    "queues": dict(sorted(Counter(each.queue for each in created.values()).items())),
                },
            )
    return EnqueuedRuns(ids=made.ids, created=len(created), existing=made.existing)


def _new(principal: Principal, number: int, asked: NewRun) -> New:
    if not principal.sees(asked.tenant_id):
        raise Problem(Code.FORBIDDEN, f"You may not make runs of the tenant {asked.tenant_id}.")
    if len(json.dumps(asked.payload, separators=(",", ":"))) > LARGEST_PAYLOAD:
        sentence = f"is larger than {LARGEST_PAYLOAD // 1024 // 1024} MiB; keep it elsewhere and enqueue where it is."
        raise Problem(
            Code.INVALID_INPUT, f"runs.{number}.payload {sentence}", errors=((f"/runs/{number}/payload", sentence),)
        )
    return New(
        asked.queue,
        asked.kind,
        asked.tenant_id,
        asked.payload,
        None if asked.run_at is None else to_ms(asked.run_at),
        None if asked.priority is None else asked.priority.rank,
        asked.max_attempts,
        None if asked.timeout_seconds is None else round(asked.timeout_seconds * SECOND),
        asked.unique_key,
    )

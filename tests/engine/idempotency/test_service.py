"""The same request again gets the answer of the first time, on both stores."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from quarterdeck.contract.clock import HOUR, now_ms
from quarterdeck.contract.enums import Role
from quarterdeck.contract.principal import Principal
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.engine.core import Engine
from quarterdeck.engine.idempotency import service
from quarterdeck.engine.idempotency.tables import idempotency_keys as keys
from quarterdeck.engine.store.store import Store
from tests.engine.http.fakes import engine as fake_engine

ANA = Principal("ana", Role.OPERATOR)
BEN = Principal("ben", Role.OPERATOR)


@pytest.fixture
def engine(store: Store) -> Engine:
    return fake_engine(store)


class Handler:
    """Counts how often it acted."""

    def __init__(self, answer: tuple[int, bytes] | Exception = (201, b'{"id":1}')) -> None:
        self.calls = 0
        self.answer = answer

    async def __call__(self) -> tuple[int, bytes]:
        self.calls += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


async def ask(
    engine: Engine, handler: Any, *, who: Principal = ANA, operation: str = "bulk.draft", body: bytes = b"{}"
) -> tuple[int, bytes]:
    fingerprint = service.fingerprint("/drafts", body)
    return await service.once(engine, who, operation, "k", fingerprint, handler, instance="/drafts")


async def test_the_same_request_acts_once(engine: Engine) -> None:
    handler = Handler()
    first = await ask(engine, handler, body=b'{"a": 1, "b": 2}')
    assert await ask(engine, handler, body=b'{"b":2,"a":1}') == first == (201, b'{"id":1}')
    assert handler.calls == 1


async def test_a_key_belongs_to_one_actor_and_one_operation(engine: Engine) -> None:
    handler = Handler()
    await ask(engine, handler)
    await ask(engine, handler, who=BEN)
    await ask(engine, handler, operation="bulk.undo")
    assert handler.calls == 3


async def test_another_body_under_the_same_key_is_refused(engine: Engine) -> None:
    await ask(engine, Handler())
    with pytest.raises(Problem) as refused:
        await ask(engine, Handler(), body=b'{"ids": [1]}')
    assert refused.value.code is Code.IDEMPOTENCY_KEY_REUSED


async def test_while_the_first_is_running_the_second_is_told_so(engine: Engine) -> None:
    began, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> tuple[int, bytes]:
        began.set()
        await go_on.wait()
        return 201, b"{}"

    first = asyncio.create_task(ask(engine, slow))
    await asyncio.wait_for(began.wait(), 5)
    with pytest.raises(Problem) as refused:
        await ask(engine, Handler())
    assert refused.value.code is Code.IDEMPOTENCY_IN_FLIGHT
    go_on.set()
    assert await first == await ask(engine, Handler()) == (201, b"{}")


async def test_what_the_rules_refuse_is_an_answer(engine: Engine) -> None:
    handler = Handler(Problem(Code.WRONG_STATE, "Operation 1 is completed."))
    status, content = await ask(engine, handler)
    assert status == 409
    assert b"wrong_state" in content
    assert await ask(engine, handler) == (status, content)
    assert handler.calls == 1


@pytest.mark.parametrize(
    "failure",
    [
        Problem(Code.STORE_BUSY, "Busy.", retry_after=1),
        Problem(Code.TOO_MANY_OPERATIONS, "Three are running.", retry_after=5),
        ValueError("a mistake of ours"),
    ],
)
async def test_what_can_pass_is_tried_again(engine: Engine, failure: Exception) -> None:
    with pytest.raises(type(failure)):
        await ask(engine, Handler(failure))
    again = Handler()
    assert await ask(engine, again) == (201, b'{"id":1}')
    assert again.calls == 1


async def test_after_a_day_a_key_is_new(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    await ask(engine, Handler())
    await age(engine, 23 * HOUR)
    await service.purge(engine)
    handler = Handler()
    await ask(engine, handler)
    assert handler.calls == 0
    await age(engine, 2 * HOUR)
    await ask(engine, handler, body=b'{"other": 1}')
    assert handler.calls == 1
    await age(engine, 25 * HOUR)
    await service.purge(engine)
    async with engine.store.read() as connection:
        assert not (await connection.execute(keys.select())).all()


async def age(engine: Engine, milliseconds: int) -> None:
    async with engine.store.write() as transaction:
        await transaction.connection.execute(keys.update().values(created_at=keys.c.created_at - milliseconds))


async def test_a_request_that_died_with_its_engine_can_come_again(engine: Engine) -> None:
    async with engine.store.write() as transaction:
        await transaction.connection.execute(
            keys.insert().values(
                actor="ana",
                operation="bulk.draft",
                key="k",
                fingerprint=service.fingerprint("/drafts", b"{}"),
                holder="an engine that was killed",
                held_until=now_ms() + (HOUR if engine.store.dialect.name == "sqlite" else -1),
                created_at=now_ms(),
            )
        )
    handler = Handler()
    await ask(engine, handler)
    assert handler.calls == 1


@pytest.mark.parametrize(
    ("header", "key"),
    [('"8e03978e-40d5"', "8e03978e-40d5"), ("bare", "bare"), (' "a\\"b" ', 'a"b'), ('"', '"')],
)
def test_keys_may_be_quoted_or_bare(header: str, key: str) -> None:
    assert service.read_key(header) == key


@pytest.mark.parametrize("header", [None, "", '""', "  "])
def test_a_missing_key_is_asked_for(header: str | None) -> None:
    with pytest.raises(Problem) as refused:
        service.read_key(header)
    assert refused.value.code is Code.IDEMPOTENCY_KEY_MISSING


@pytest.mark.parametrize("header", ["x" * 256, "schlüssel"])
def test_a_key_nobody_should_send_is_refused(header: str) -> None:
    with pytest.raises(Problem) as refused:
        service.read_key(header)
    assert refused.value.code is Code.BAD_REQUEST

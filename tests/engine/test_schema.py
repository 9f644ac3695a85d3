"""Everything that is said of the API is true: requests made from its description, good ones and bad ones."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
import urllib3
from hypothesis import HealthCheck, settings
from requests.adapters import HTTPAdapter
from schemathesis.config import SchemathesisConfig
from schemathesis.schemas import BaseSchema

from quarterdeck.config.home import Home
from quarterdeck.contract.enums import Resource
from quarterdeck.contract.operations import bulk, items, queues, system
from quarterdeck.engine.http import openapi

# Many more requests, of its own each time; otherwise the same ones in every run.
SEARCHES = os.environ.get("HYPOTHESIS_PROFILE") == "search"
# U+0000 is refused, which a description cannot say.
CONFIG = SchemathesisConfig.from_dict(
    {
        "generation": {"allow-x00": False, "deterministic": not SEARCHES},
        "base-url": "http://engine",
        "output": {"sanitization": {"enabled": False}},
    }
)
# What is tried of each operation is worked out when it is tested, not when the tests are collected.
EVERYTHING = schemathesis.pytest.from_fixture("description").exclude(operation_id=system.STOP.name)
OF_PEOPLE, OF_MACHINES, OF_ATTENTION = ["items", "bulk"], ["runs", "dead_letters", "queues"], ["alerts", "sla"]

ITEMS = 40  # in each queue
QUEUES = ("refunds", "hooks", "nowhere")

Case = schemathesis.Case[Any]
CHECKS = [
    schemathesis.checks.not_a_server_error,
    schemathesis.checks.status_code_conformance,
    schemathesis.checks.content_type_conformance,
    schemathesis.checks.response_headers_conformance,
    schemathesis.checks.response_schema_conformance,
    schemathesis.checks.negative_data_rejection,
    schemathesis.checks.missing_required_header,
    schemathesis.checks.unsupported_method,
]


def _something_that_is_there(context: Any, path_parameters: dict[str, Any] | None) -> dict[str, Any] | None:
    """Ids among those that `session` has made, so that it is not all 404."""
    if path_parameters is None:
        return None
    for name in ("id", "event_id"):
        if isinstance(path_parameters.get(name), int) and 0 < path_parameters[name] < 2**63:
            folded = path_parameters[name] % ITEMS + 1
            if name == "id" and path_parameters.get("resource") in list(Resource):
                folded += list(Resource).index(path_parameters["resource"]) * ITEMS
            elif "resource" not in path_parameters:
                folded = folded % 7 + 1
            path_parameters[name] = folded
    if isinstance(path_parameters.get("queue"), str):
        path_parameters["queue"] = QUEUES[len(path_parameters["queue"]) % len(QUEUES)]
    return path_parameters


def _without_waiting(context: Any, body: Any) -> Any:
    """A lease may wait a minute for something to come."""
    if isinstance(body, dict) and isinstance(body.get("wait_seconds"), int):
        body["wait_seconds"] = min(body["wait_seconds"], 0)
    return body


@pytest.fixture(scope="module")
def description() -> BaseSchema:
    schema = schemathesis.openapi.from_dict(openapi.describe(), config=CONFIG)
    schema.hook("map_path_parameters")(_something_that_is_there)
    schema.hook("map_body")(_without_waiting)
    return schema


class _UnixConnection(urllib3.connection.HTTPConnection):
    """HTTP over the engine's own socket."""

    path: str

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(60)
        self.sock.connect(self.path)


class _UnixAdapter(HTTPAdapter):
    def __init__(self, path: Path) -> None:
        connection = type("Connection", (_UnixConnection,), {"path": str(path)})
        pool = type("Pool", (urllib3.HTTPConnectionPool,), {"ConnectionCls": connection})
        self._pool = pool("engine", maxsize=1, block=True)
        super().__init__()

    def get_connection_with_tls_context(self, *_: Any, **__: Any) -> Any:
        return self._pool

    def close(self) -> None:
        self._pool.close()
        super().close()


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[requests.Session]:
    """To a running engine with something in each queue."""
    import asyncio

    from quarterdeck.client.finding import socket_of
    from quarterdeck.client.local import connect
    from tests.support.engines import end_engine

    home = Home(tmp_path_factory.mktemp("schema") / "home")

    async def fill() -> None:
        async with await connect(home) as client:
            await client.call(queues.PUT, queue="refunds", body={"handler": "worker"})
            await client.call(queues.PUT, queue="hooks", body={"handler": "http", "target": "https://example.org/"})
            for resource in Resource:
                new = [{"tenant_id": "acme", "title": f"item {number}"} for number in range(ITEMS)]
                ids = (await client.call(items.CREATE, resource=resource, body={"items": new}))["ids"]
                template = {"name": resource, "resource": resource, "action": "release"}
                await client.call(bulk.SAVE_TEMPLATE, body=template)
                for _ in range(2):  # one that is done, one that is a draft
                    body = {"ids": ids[:10], "params": {"priority": "high"}}
                    draft = await client.call(bulk.DRAFT, resource=resource, action="set-priority", body=body)
                done = draft["operation"]["id"]
                await client.call(bulk.CONFIRM, id=done)
                assert [each async for each in client.watch(done)][-1]["type"] == "operation_completed"

    asyncio.run(fill())
    with requests.Session() as opened:
        opened.trust_env = False
        opened.mount("http://engine", _UnixAdapter(socket_of(home)))
        yield opened
        assert opened.get("http://engine/readyz").json()["status"] == "ok"
    end_engine(home)


pytestmark = pytest.mark.timeout(4_000 if SEARCHES else 400)
# Besides what is worked out from the description: each limit, each kind of wrong value, each example.
as_often = settings(
    max_examples=400 if SEARCHES else 20,
    derandomize=not SEARCHES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
)


@EVERYTHING.include(tag=OF_PEOPLE).parametrize()
@as_often
def test_what_is_said_of_the_work_of_people_is_true(case: Case, session: requests.Session) -> None:
    case.call_and_validate(session=session, checks=CHECKS)


@EVERYTHING.include(tag=OF_MACHINES).parametrize()
@as_often
def test_what_is_said_of_the_work_of_machines_is_true(case: Case, session: requests.Session) -> None:
    case.call_and_validate(session=session, checks=CHECKS)


@EVERYTHING.include(tag=OF_ATTENTION).parametrize()
@as_often
def test_what_is_said_of_alerts_and_service_levels_is_true(case: Case, session: requests.Session) -> None:
    case.call_and_validate(session=session, checks=CHECKS)


@EVERYTHING.exclude(tag=[*OF_PEOPLE, *OF_MACHINES, *OF_ATTENTION]).parametrize()
@as_often
def test_what_is_said_of_all_the_rest_is_true(case: Case, session: requests.Session) -> None:
    case.call_and_validate(session=session, checks=CHECKS)

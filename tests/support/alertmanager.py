"""A real Alertmanager, where one is installed."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

# Debian's name comes first: another program may be called alertmanager.
PROGRAM = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
AMTOOL = shutil.which("amtool")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as held:
        return int(held.getsockname()[1])


@asynccontextmanager
async def alertmanager(folder: Path, config: dict[str, Any]) -> AsyncIterator[str]:
    """Its address; everything it keeps is in `folder`."""
    assert PROGRAM is not None
    folder.mkdir()
    written = folder / "alertmanager.yml"
    written.write_text(json.dumps(config))  # which is YAML as well
    url = f"http://127.0.0.1:{free_port()}"
    options = [
        f"--config.file={written}",
        f"--storage.path={folder / 'data'}",
        f"--web.listen-address={url.removeprefix('http://')}",
        "--cluster.listen-address=",
        "--log.level=warn",
    ]
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(PROGRAM, *options, stdout=log, stderr=log)
    try:
        async with asyncio.timeout(15), httpx.AsyncClient() as http:
            while not await _is_ready(http, url):
                assert process.returncode is None, (folder / "log").read_text()
                await asyncio.sleep(0.05)
        yield url
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _is_ready(http: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await http.get(f"{url}/-/ready")).is_success
    except httpx.TransportError:
        return False

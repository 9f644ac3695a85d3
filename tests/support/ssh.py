"""A real SSH connection: a server that gives a pseudo-terminal, and a person at the other end who can lose it."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import re
import shlex
import struct
import termios
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import asyncssh

from tests.support.keys import encode
from tests.support.screen import Screen
from tests.support.terminal import PATIENCE, NotSeen, _own_the_terminal


class _Welcome(asyncssh.SSHServer):
    def begin_auth(self, username: str) -> bool:
        return False  # the way in is not what is tested


async def _terminal_for(process: asyncssh.SSHServerProcess[bytes]) -> None:
    """What sshd does: the command on a pseudo-terminal of its own, hung up when the connection ends."""
    master, slave = pty.openpty()
    columns, lines, _, _ = process.term_size
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    child = await asyncio.create_subprocess_exec(
        *shlex.split(process.command or ""),
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env={**os.environ, "TERM": process.term_type or "xterm"},
        start_new_session=True,
        preexec_fn=_own_the_terminal,
    )
    os.close(slave)
    loop = asyncio.get_running_loop()

    def out() -> None:
        try:
            data = os.read(master, 65_536)
        except OSError:
            data = b""
        if data:
            process.stdout.write(data)
        else:
            loop.remove_reader(master)
            process.exit(0)

    loop.add_reader(master, out)
    try:
        with suppress(asyncssh.Error, ConnectionError):
            while data := await process.stdin.read(4_096):
                os.write(master, data)
    finally:
        loop.remove_reader(master)
        os.close(master)
        try:
            await asyncio.wait_for(child.wait(), 10)
        except TimeoutError:
            child.kill()
            await child.wait()
            raise


class Connection:
    """A person on the other side of the line."""

    def __init__(self, link: asyncssh.SSHClientConnection, process: asyncssh.SSHClientProcess[bytes]) -> None:
        self._link, self._process = link, process
        self.screen = Screen()

    def press(self, *keys: str) -> None:
        for key in keys:
            self._process.stdin.write(encode(key))

    async def wait_for(self, pattern: str, *, seconds: float = PATIENCE) -> None:
        """Raises NotSeen with the screen when the deadline passes."""
        deadline = time.monotonic() + seconds
        while not re.search(pattern, self.screen.text):
            left = deadline - time.monotonic()
            try:
                data = await asyncio.wait_for(self._process.stdout.read(65_536), max(left, 0.01))
            except TimeoutError:
                data = b""
            if not data:
                raise NotSeen(f"Did not see /{pattern}/. The screen:\n{self.screen.text}")
            answer = self.screen.feed(data)
            if answer:
                self._process.stdin.write(answer)

    def lose(self) -> None:
        """The line goes dead: no goodbye, nothing is closed in order."""
        self._link.abort()


class Host:
    """A machine that one can reach over SSH."""

    def __init__(self) -> None:
        self._port = 0
        self._at_work: set[asyncio.Task[None]] = set()
        self._links: list[asyncssh.SSHClientConnection] = []

    async def run(self, command: str) -> Connection:
        """Run a command there, on a terminal of 80×24."""
        link = await asyncssh.connect("127.0.0.1", self._port, known_hosts=None, username="operator", config=None)
        self._links.append(link)
        process = await link.create_process(command, term_type="xterm-256color", term_size=(80, 24), encoding=None)
        return Connection(link, process)

    async def serve(self, process: asyncssh.SSHServerProcess[bytes]) -> None:
        task = asyncio.ensure_future(_terminal_for(process))
        self._at_work.add(task)
        await asyncio.wait([task])

    async def open(self) -> asyncssh.SSHAcceptor:
        server = await asyncssh.listen(
            "127.0.0.1",
            0,
            server_factory=_Welcome,
            server_host_keys=[asyncssh.generate_private_key("ssh-ed25519")],
            process_factory=self.serve,
            encoding=None,
            line_editor=False,
            config=None,
        )
        self._port = server.get_port()
        return server

    async def close(self) -> None:
        """Raises TimeoutError if a program did not end when its terminal went away."""
        for link in self._links:
            link.close()
            await link.wait_closed()
        await asyncio.gather(*self._at_work)


@asynccontextmanager
async def ssh_host() -> AsyncIterator[Host]:
    """An SSH server of this process on a free port of this machine."""
    host = Host()
    server = await host.open()
    try:
        yield host
    finally:
        try:
            await host.close()
        finally:
            server.close()
            await server.wait_closed()

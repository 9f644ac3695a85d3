"""A receiver of deliveries that costs next to nothing: takes every POST, keeps it, answers 200.

    python -m benchmarks.sink

Prints its port. A line on standard input: `count` prints how many came since the last `clear`, `verify SECRET`
prints how many of those have a signature that the `standardwebhooks` package accepts, `clear` forgets them.
"""

from __future__ import annotations

import asyncio
import sys

from standardwebhooks import Webhook, WebhookVerificationError

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-type: application/json\r\n\r\n{}"
received: list[tuple[bytes, bytes]] = []


class Receiver(asyncio.Protocol):
    """One connection, requests one after the other."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._waiting = b""

    def data_received(self, data: bytes) -> None:
        self._waiting += data
        while True:
            head, found, rest = self._waiting.partition(b"\r\n\r\n")
            if not found:
                return
            at = head.lower().index(b"content-length:") + len(b"content-length:")
            length = int(head[at:].split(b"\r\n", 1)[0])
            if len(rest) < length:
                return
            received.append((head, rest[:length]))
            self._waiting = rest[length:]
            self._transport.write(ANSWER)


def verified(secret: str) -> int:
    webhook = Webhook(secret)
    good = 0
    for head, body in received:
        lines = (line.split(b":", 1) for line in head.split(b"\r\n")[1:])
        headers = {name.decode().lower(): value.strip().decode() for name, value in lines}
        try:
            webhook.verify(body, headers, json_parse=False)
        except WebhookVerificationError:
            continue
        good += 1
    return good


async def main() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Receiver, "127.0.0.1", 0, backlog=1_000)
    print(server.sockets[0].getsockname()[1], flush=True)
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := (await reader.readline()).decode().split():
        if line[0] == "clear":
            received.clear()
            print(0, flush=True)
        else:
            print(len(received) if line[0] == "count" else verified(line[1]), flush=True)


if __name__ == "__main__":
    asyncio.run(main())

"""One of several who claim at once: a small process that says `ready`, waits for a line, works, and tells.

    python -m benchmarks.claimer SOCKET NAME claim|healthz COUNT

Speaks plain HTTP over the socket, so that what is measured is the engine. Prints {"ids": [...], "seconds": …}.
"""

from __future__ import annotations

import http.client
import json
import socket
import sys
import time


class Connection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("engine", timeout=60)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(60)
        self.sock.connect(self.path)


def ask(connection: Connection, method: str, path: str, name: str, body: bytes | None = None) -> tuple[int, bytes]:
    act_as = json.dumps({"actor": name, "role": "operator", "tenants": None})
    headers = {"Quarterdeck-Act-As": act_as, "Content-Type": "application/json"}
    connection.request(method, path, body=body, headers=headers)
    answer = connection.getresponse()
    return answer.status, answer.read()


def claim(connection: Connection, name: str) -> list[int]:
    """Everything that claim-next gives until there is nothing left."""
    ids = []
    while True:
        status, answer = ask(connection, "POST", "/api/v1/admin/support_tasks/claim-next", name, b'{"filter": ""}')
        found = json.loads(answer)
        if status == 404 and found["code"] == "nothing_to_claim":
            return ids
        if status != 200:
            raise SystemExit(f"{status}: {answer.decode()}")
        ids.append(found["item"]["id"])


def main() -> None:
    path, name, what, count = sys.argv[1:]
    connection = Connection(path)
    ask(connection, "GET", "/healthz", name)
    print("ready", flush=True)
    sys.stdin.readline()
    began = time.perf_counter()
    ids: list[int] = []
    if what == "claim":
        ids = claim(connection, name)
    else:
        for _ in range(int(count)):
            ask(connection, "GET", "/healthz", name)
    print(json.dumps({"name": name, "ids": ids, "seconds": time.perf_counter() - began}), flush=True)


if __name__ == "__main__":
    main()

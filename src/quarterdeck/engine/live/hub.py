"""Fan-out of changes to those who look. Publishing never waits for anybody.

Each subscriber has one slot for each thing that can change, so what it has not read yet is merged, not
queued: a slow one sees fewer, larger messages. One that falls behind on too many things at once is told
`resync` and looks again at everything.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Hashable
from typing import Any

from quarterdeck.contract.live import FIGURES_INTERVAL_SECONDS, MOST_IDS_NAMED, PROGRESS_INTERVAL_SECONDS, Message
from quarterdeck.contract.principal import Principal

MOST_WAITING = 256

JsonObject = dict[str, Any]


class Subscription:
    """Messages for one subscriber, in the order in which their subjects first changed. Ends when the hub closes."""

    def __init__(self, hub: Hub, principal: Principal) -> None:
        self._hub = hub
        self._principal = principal
        self._waiting: dict[Hashable, JsonObject] = {}
        self._news = asyncio.Event()
        self.closed = False

    def offer(self, message: JsonObject, tenants: frozenset[str] | None, owner: str | None = None) -> None:
        mine = self._principal.tenants
        if mine is not None and tenants is not None and mine.isdisjoint(tenants):
            return
        if mine is not None and owner is not None and owner != self._principal.actor:
            return
        if (
            mine is not None
            and message["type"] == Message.RESOURCE_CHANGED
            and (tenants is None or not tenants <= mine)
        ):
            message = {**message, "ids": None}  # some of them are none of their business
        subject = _subject(message)
        known = self._waiting.get(subject)
        if known is not None:
            self._waiting[subject] = _merge(known, message)
        elif Message.RESYNC in self._waiting:
            return  # whoever looks at everything again sees this too
        elif len(self._waiting) >= MOST_WAITING:
            self._waiting = {Message.RESYNC: {"type": Message.RESYNC}}
        else:
            self._waiting[subject] = message
        self._news.set()

    @property
    def has_waiting(self) -> bool:
        return bool(self._waiting)

    def close(self) -> None:
        self.closed = True
        self._hub.forget(self)
        self._news.set()

    def __aiter__(self) -> AsyncIterator[JsonObject]:
        return self

    async def __anext__(self) -> JsonObject:
        while not self._waiting:
            if self.closed:
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()
        return self._waiting.pop(next(iter(self._waiting)))


class Watch:
    """The newest state of one bulk operation, at most ten times a second; the last one is its completion."""

    def __init__(self, hub: Hub, operation_id: int) -> None:
        self._hub = hub
        self.operation_id = operation_id
        self._newest: JsonObject | None = None
        self._news = asyncio.Event()
        self._said_at = 0.0
        self._completed = False
        self.closed = False

    def offer(self, operation: JsonObject, completed: bool) -> None:
        if self._completed:
            return
        self._completed = completed
        kind = Message.OPERATION_COMPLETED if completed else Message.PROGRESS_UPDATE
        self._newest = {"type": kind, "operation": operation}
        self._news.set()

    def begin(self, operation: JsonObject, completed: bool) -> None:
        """The state to start from, unless a newer one has come already."""
        if self._newest is None:
            self.offer(operation, completed)

    def close(self) -> None:
        self.closed = True
        self._hub.forget_watch(self)
        self._news.set()

    def __aiter__(self) -> AsyncIterator[JsonObject]:
        return self

    async def __anext__(self) -> JsonObject:
        loop = asyncio.get_running_loop()
        while self._newest is None:
            if self.closed or self._completed:
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()
        pause = self._said_at + PROGRESS_INTERVAL_SECONDS - loop.time()
        if pause > 0 and not self._completed and not self.closed:
            await asyncio.sleep(pause)
        self._said_at = loop.time()
        message, self._newest = self._newest, None
        return message


class Hub:
    """Call it from the event loop, after the commit."""

    def __init__(self) -> None:
        self._subscriptions: set[Subscription] = set()
        self._watches: defaultdict[int, set[Watch]] = defaultdict(set)
        # When figures of a kind were last said, and the timer of those that wait to be said again.
        self._said_at: dict[Message, float] = {}
        self._timers: dict[Message, asyncio.TimerHandle] = {}
        self.closed = False

    def publish(self, message: JsonObject, tenants: frozenset[str] | None, *, owner: str | None = None) -> None:
        """`tenants` are those whom the message concerns; None for all.

        What has an `owner` is told to them and to whoever sees every tenant.
        """
        for subscription in tuple(self._subscriptions):
            subscription.offer(message, tenants, owner)

    def publish_figures(self, kind: Message) -> None:
        """Say that figures of this kind have moved: at once, and then at most once a second, the last move included."""
        if kind in self._timers or self.closed:
            return
        loop = asyncio.get_running_loop()
        pause = self._said_at.get(kind, float("-inf")) + FIGURES_INTERVAL_SECONDS - loop.time()
        if pause > 0:
            self._timers[kind] = loop.call_later(pause, self._say_figures, kind)
        else:
            self._say_figures(kind)

    def _say_figures(self, kind: Message) -> None:
        self._timers.pop(kind, None)
        self._said_at[kind] = asyncio.get_running_loop().time()
        self.publish({"type": kind}, None)

    def publish_progress(self, operation: JsonObject, completed: bool) -> None:
        for watch in tuple(self._watches.get(operation["id"], ())):
            watch.offer(operation, completed)

    def subscribe(self, principal: Principal) -> Subscription:
        subscription = Subscription(self, principal)
        self._subscriptions.add(subscription)
        if self.closed:
            subscription.close()
        return subscription

    def watch(self, operation_id: int) -> Watch:
        watch = Watch(self, operation_id)
        self._watches[operation_id].add(watch)
        if self.closed:
            watch.close()
        return watch

    def is_watched(self, operation_id: int) -> bool:
        return operation_id in self._watches

    @property
    def subscribers(self) -> int:
        return len(self._subscriptions) + sum(len(watches) for watches in self._watches.values())

    def forget(self, subscription: Subscription) -> None:
        self._subscriptions.discard(subscription)

    def forget_watch(self, watch: Watch) -> None:
        watches = self._watches.get(watch.operation_id)
        if watches is not None:
            watches.discard(watch)
            if not watches:
                del self._watches[watch.operation_id]

    def close(self) -> None:
        """End every subscription."""
        self.closed = True
        while self._timers:
            self._timers.popitem()[1].cancel()
        for subscription in tuple(self._subscriptions):
            subscription.close()
        for watches in tuple(self._watches.values()):
            for watch in tuple(watches):
                watch.close()


def _subject(message: JsonObject) -> Hashable:
    """Two messages of the same subject can be said as one."""
    kind: str = message["type"]
    if kind == Message.RESOURCE_CHANGED:
        return kind, message["resource"], message["change"]
    if kind == Message.OPERATION_CHANGED:
        return kind, message["operation"]["id"]
    return kind


def _merge(known: JsonObject, newer: JsonObject) -> JsonObject:
    if newer["type"] != Message.RESOURCE_CHANGED:
        return newer
    if known["ids"] is None or newer["ids"] is None:
        return {**newer, "ids": None}
    ids = list(dict.fromkeys([*known["ids"], *newer["ids"]]))
    return {**newer, "ids": ids if len(ids) <= MOST_IDS_NAMED else None}

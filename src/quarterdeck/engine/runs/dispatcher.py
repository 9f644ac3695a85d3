"""Carries out runs in the engine: takes them, has them done, ends them, in as few transactions as there can be."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from quarterdeck.contract.clock import SECOND, now_ms
from quarterdeck.contract.enums import ErrorClass, HandlerKind
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.engine.core import Engine
from quarterdeck.engine.runs import beating, enqueuing, finishing, leases, logs, survey
from quarterdeck.engine.runs.arrivals import Ear
from quarterdeck.engine.runs.attempts import Attempt, Why
from quarterdeck.engine.runs.executors import EXECUTORS, STARTERS
from quarterdeck.engine.runs.handlers import HANDLERS
from quarterdeck.engine.runs.leases import Taken
from quarterdeck.engine.runs.outcomes import Claimed, Failed, Outcome
from quarterdeck.engine.runs.relaying import Relay
from quarterdeck.engine.series.recording import Moves, record
from quarterdeck.engine.store.store import Transaction

log = logging.getLogger(__name__)

# At most so many runs are taken at once, so that nobody else waits long for the writer.
TAKEN_AT_ONCE = 500
# Whoever enqueues says so, in other engines on the same store too; these looks are for what was not heard.
LOOK_SECONDS = {True: 1.0, False: 5.0}
# Payloads of what is at work here, together; a queue that has nothing at work may take one nevertheless.
MOST_CHARACTERS = 64 * 1024 * 1024
RETRY_SECONDS = 2.0  # after the store has refused
GRACE_SECONDS = 3.0  # for what is at work when the engine stops
_LINES_SECONDS = 0.2  # log lines are gathered for so long
_STORE = (Code.STORE_FULL, Code.STORE_BUSY, Code.STORE_BROKEN)


@dataclass(slots=True)
class _Done:
    """What one transaction did."""

    lost: list[int] = field(default_factory=list)
    staged: bool = False
    due: int | None = None
    taken: dict[str, Taken] = field(default_factory=dict)
    crowded_out: set[str] = field(default_factory=set)


class Dispatcher:
    """One loop that takes and ends, one task a run."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.name = f"{finishing.ENGINE_WORKER}{engine.instance[:8]}"
        self.at_work: dict[tuple[int, int], Attempt] = {}
        self._look_every = LOOK_SECONDS[engine.store.dialect.skips_locked]
        self._ear = Ear()
        self._ended: list[tuple[Claimed, Outcome]] = []
        self._lines: list[logs.Line] = []
        self._lines_timer: asyncio.TimerHandle | None = None
        self._look_at: set[str] = set()
        self._backlog: set[str] = set()  # queues that had more than there was room for
        self._busy: Counter[str] = Counter()  # how many of a queue are at work here
        self._characters = 0  # of the payloads at work here
        self._crowded_out: set[str] = set()  # queues that had no room for theirs
        self._again: dict[str, int] = {}  # queues whose rate allows no other before (ms)
        self._outside: set[str] = set()  # queues that are none of ours
        self._due: int | None = None
        self._next_look = 0.0
        self._loop: asyncio.Task[None] | None = None
        self._beating: asyncio.Task[None] | None = None
        self.relay = Relay(engine)
        self._stopping = False
        self._nobody = asyncio.Event()  # is at work

    async def start(self) -> None:
        engine = self._engine
        engine.wake_worker = self.look_everywhere
        # Behind the lock file of a local store, what an engine held belongs to a dead one.
        await self.rescue(all_of_engines=not engine.store.dialect.skips_locked)
        engine.clock.every(5, "leases that lapsed", self.rescue)
        self._loop = asyncio.create_task(self._run(), name="dispatcher")
        if engine.store.dialect.skips_locked:
            self.relay.start()
        self._beating = asyncio.create_task(beating.keep_alive(engine, self), name="heartbeats")

    async def stop(self) -> None:
        """Starts nothing new; what is at work gets a moment, then it is given back."""
        self._stopping = True
        self._ear.news.set()
        await self._wait_for_work(GRACE_SECONDS)
        for attempt in list(self.at_work.values()):
            attempt.stop(Why.SHUTDOWN)
        await self._wait_for_work(None)
        self._ear.news.set()
        for task in (self._loop, self._beating):
            if task is not None:
                if task is self._beating:
                    task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
        await self.relay.stop()

    async def _wait_for_work(self, seconds: float | None) -> None:
        self._nobody.clear()
        if self.at_work:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._nobody.wait(), seconds)

    async def rescue(self, all_of_engines: bool = False) -> None:
        while True:
            async with self._engine.store.write() as transaction:
                found = await finishing.rescue(self._engine, transaction, all_of_engines=all_of_engines)
            if found:
                log.warning("%d runs were lost with whoever had them", len(found))
            if len(found) < finishing.RESCUED_AT_ONCE:
                return

    def look_everywhere(self) -> None:
        """Something may have changed that concerns runs: a queue's settings, a pause, a wish to cancel."""
        self._next_look = 0.0
        self._ear.news.set()

    # ----- the loop

    async def _run(self) -> None:
        with self._engine.arrivals.listen() as self._ear:
            while not self._is_over():
                try:
                    await self._once()
                except Problem as problem:
                    log.warning("cannot take or end runs: %s", problem.detail)
                    await self._after_refusal(problem)
                except Exception:
                    # Whatever it is, work that waits must not wait for ever.
                    log.exception("cannot take or end runs")
                    await self._after_refusal(None)

    def _is_over(self) -> bool:
        return self._stopping and not (self.at_work or self._ended or self._lines)

    async def _once(self) -> None:
        loop = asyncio.get_running_loop()
        if loop.time() >= self._next_look and not self._stopping:
            # Set before the look: who asks for another one meanwhile may speak of what it did not see.
            self._next_look = loop.time() + self._look_every
            async with self._engine.store.read() as connection:
                seen = await survey.look(connection, self._engine.store.dialect)
            self._outside.clear()
            self._look_at |= seen.queues
            self._due = seen.due
        self._hear()
        if self._ended or self._look_at or (self._due is not None and self._due <= now_ms()) or self._lines_are_due():
            await self._turn()
            await asyncio.sleep(0)
            return
        await self._until_news()

    def _hear(self) -> None:
        ear = self._ear
        ear.news.clear()
        self._look_at |= ear.queues
        ear.queues.clear()
        if ear.soon is not None:
            self._due = ear.soon if self._due is None else min(self._due, ear.soon)
            ear.soon = None
        for queue in [queue for queue, at in self._again.items() if at <= now_ms()]:
            del self._again[queue]
            self._look_at.add(queue)
        if self._stopping:
            self._look_at.clear()
            self._due = None
        self._look_at -= self._outside
        self._look_at -= self._again.keys()

    async def _until_news(self) -> None:
        if self._is_over():  # said between the look above and here
            return
        moments = [at for at in (self._due, *self._again.values()) if at is not None]
        wait = min([self._next_look - asyncio.get_running_loop().time(), *((at - now_ms()) / SECOND for at in moments)])
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ear.news.wait(), None if self._stopping else max(0.0, wait))

    async def _after_refusal(self, problem: Problem | None) -> None:
        """What the store does not take down is kept here, and told to whoever asks for it meanwhile."""
        for run, outcome in self._ended:
            if run.kind in HANDLERS and isinstance(outcome, Failed):
                HANDLERS[run.kind].stalled(self._engine, run.operation_id, Problem(Code(outcome.code), outcome.message))
        if self._stopping and not self.at_work:
            self._ended.clear()  # their leases lapse
            self._lines.clear()
        await asyncio.sleep(RETRY_SECONDS)
        self._next_look = 0.0

    # ----- one transaction

    async def _turn(self) -> None:
        ended, self._ended = self._ended, []
        lines, self._lines = self._lines, []
        looks, self._look_at = self._look_at, set()
        staging = self._due is not None and self._due <= now_ms()

        async def work(transaction: Transaction) -> _Done:
            moves, done = Moves(), _Done()
            if lines:
                await logs.keep(transaction, lines)
            if ended:
                done.lost = await finishing.end(self._engine, transaction, moves, [outcome for _, outcome in ended])
            queues = set(looks)
            if staging:
                queues |= await enqueuing.stage(self._engine, transaction, moves)
                done.staged, done.due = True, await survey.next_due(transaction.connection, self._engine.store.dialect)
            characters = self._characters
            for queue in sorted(queues - self._outside):
                room = max(MOST_CHARACTERS - characters, 0 if self._busy[queue] else 1)
                if room == 0:
                    done.crowded_out.add(queue)
                    continue
                taken = done.taken[queue] = await self._take(transaction, moves, queue, room)
                characters += sum(len(run.body or "") for run in taken.runs)
            await record(transaction, self._engine.store.dialect, moves)
            return done

        try:
            done = await self._engine.store.write_at_once(work)
        except BaseException as error:
            self._lines[:0] = lines
            self._look_at |= looks
            if (isinstance(error, Problem) and error.code in _STORE) or not isinstance(error, Exception) or not ended:
                self._ended[:0] = ended
                raise
            log.exception("runs could not be ended together")
            await self._one_by_one(ended)
            return
        self._after(ended, lines, done)

    async def _take(self, transaction: Transaction, moves: Moves, queue: str, characters: int) -> Taken:
        return await leases.take(
            self._engine,
            transaction,
            moves,
            queue,
            self.name,
            TAKEN_AT_ONCE,
            seconds=leases.LEASE_SECONDS,
            handlers={HandlerKind.ENGINE, *EXECUTORS, *STARTERS},
            characters=min(characters, leases.MOST_CHARACTERS),
        )

    def _after(self, ended: Sequence[tuple[Claimed, Outcome]], lines: Sequence[logs.Line], done: _Done) -> None:
        for run, outcome in ended:
            if run.kind in HANDLERS and isinstance(outcome, Failed):
                HANDLERS[run.kind].stalled(self._engine, run.operation_id, None)
        for number in done.lost:
            log.warning("run %s went on elsewhere before it was done here", number)
        if lines:
            self._engine.run_watches.touch({line.run_id for line in lines}, written=True)
        if done.staged:
            self._due = done.due
        self._crowded_out |= done.crowded_out
        for queue, taken in done.taken.items():
            self._backlog.discard(queue)
            if taken.more or taken.runs or self._busy[queue]:
                # Whether it is empty or has no room shows when one of its runs ends.
                self._backlog.add(queue)
                if len(taken.runs) >= TAKEN_AT_ONCE:
                    self._look_at.add(queue)
            if taken.again_at is not None:
                self._again[queue] = taken.again_at
            if taken.settings is not None and taken.settings.handler not in (HandlerKind.ENGINE, *EXECUTORS, *STARTERS):
                self._outside.add(queue)
            for run in taken.runs:
                assert taken.settings is not None
                self._begin(Attempt(run, taken.settings, self._write_line, asyncio.get_running_loop().time()))

    async def _one_by_one(self, ended: Sequence[tuple[Claimed, Outcome]]) -> None:
        """One of them cannot be written down; the others are not to suffer for it."""
        for run, outcome in ended:
            said = "How the attempt ended could not be written down; the engine's log says more."
            instead = Failed(*run.held, ErrorClass.UNKNOWN, str(Code.INTERNAL), said)
            for attempted in (outcome, instead):
                try:
                    async with self._engine.store.write() as transaction:
                        await finishing.finish(self._engine, transaction, [attempted])
                    break
                except Problem as problem:
                    if problem.code in _STORE:
                        self._ended.append((run, outcome))
                        break
                    log.exception("run %s cannot be ended", run.id)
                except Exception:
                    log.exception("run %s cannot be ended", run.id)

    # ----- runs at work

    def _begin(self, attempt: Attempt) -> None:
        self.at_work[attempt.run.id, attempt.run.attempt] = attempt
        self._busy[attempt.run.queue] += 1
        self._characters += len(attempt.run.body or "")
        if (start := STARTERS.get(attempt.settings.handler)) is not None:
            try:
                start(self._engine, attempt, partial(self._over, attempt))
            except Exception as error:  # noqa: BLE001 - such as no room for another process
                self._over(attempt, attempt.outcome_of(error))
        else:
            attempt.task = asyncio.create_task(self._carry_out(attempt))

    async def _carry_out(self, attempt: Attempt) -> None:
        outcome = None
        try:
            outcome = await attempt.carry_out(self._engine)
        finally:
            self._over(attempt, outcome)

    def _over(self, attempt: Attempt, outcome: Outcome | None) -> None:
        run = attempt.run
        self.at_work.pop((run.id, run.attempt), None)
        self._busy[run.queue] -= 1
        self._characters -= len(run.body or "")
        self._look_at |= self._crowded_out
        self._crowded_out.clear()
        if run.queue in self._backlog:
            self._look_at.add(run.queue)
        if outcome is not None:
            self._ended.append((run, outcome))
        if not self.at_work:
            self._nobody.set()
        self._ear.news.set()

    def _write_line(self, line: logs.Line) -> None:
        self._lines.append(line)
        if self._lines_timer is None:
            self._lines_timer = asyncio.get_running_loop().call_later(_LINES_SECONDS, self._ear.news.set)

    def _lines_are_due(self) -> bool:
        timer = self._lines_timer
        if not self._lines or (timer is not None and timer.when() > asyncio.get_running_loop().time()):
            return bool(self._lines) and len(self._lines) >= logs.MOST_LINES
        self._lines_timer = None
        return True

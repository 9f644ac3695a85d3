"""The commands that work on every screen: go to, palette, theme, help, operations, back, retry the last failures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from quarterdeck.contract.enums import AnyResource, MachineResource, Resource, Watched
from quarterdeck.contract.operations import bulk, items
from quarterdeck.contract.problems import Code, Problem
from quarterdeck.tui.failures import FAILURES, sentence
from quarterdeck.tui.screens.base import Handler
from quarterdeck.tui.screens.items.screen import QueueScreen

if TYPE_CHECKING:
    from quarterdeck.tui.app import Console
    from quarterdeck.tui.destinations import Destination
    from quarterdeck.tui.screens.home.doors import Place
    from quarterdeck.tui.screens.machines.screen import MachineList


class Everywhere:
    """Dialogs are imported when they are opened: none is needed for the first screen."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def handlers(self) -> Mapping[str, Handler]:
        return {
            "go-to": self.go_to,
            "palette": self.palette,
            "home": lambda: self.home(),
            "operations": lambda: self._console.show_operations(),
            "queues": self.queues,
            "runs": lambda: self.machines(MachineResource.RUNS),
            "dead-letters": lambda: self.machines(MachineResource.DEAD_LETTERS),
            "workers": self.workers,
            "sla": self.sla,
            "alerts": self.alerts,
            "usage": self.usage,
            "theme": self.theme,
            "help": self.help,
            "back": self.back,
            "retry-last": self.retry_last,
            "undo": self.undo,
        }

    # Going places

    def go_to(self) -> None:
        from quarterdeck.tui.destinations import offers
        from quarterdeck.tui.screens.picker import Option, Picker

        options = [Option(value, value, hint) for value, hint in offers()]
        self._console.push_screen(
            Picker("Go to", options, free=True, placeholder="returns status:requested, 42, operation 7"), self._typed
        )

    def _typed(self, text: str | None) -> None:
        if text:
            self.go(text)

    def go(self, text: str) -> None:
        """Where a written destination leads, or why it leads nowhere."""
        from quarterdeck.tui.destinations import NowhereError, find

        try:
            self.travel(find(text))
        except NowhereError as error:
            self._console.notice(str(error), "error")

    def travel(self, to: Destination) -> None:
        from quarterdeck.tui.destinations import (
            Alerts,
            Command,
            ItemPlace,
            MachineQueues,
            Machines,
            Operations,
            Queue,
            SetUp,
        )

        console = self._console
        if isinstance(to, Queue):
            console.show_queue(to.resource, to.filter)
        elif isinstance(to, Operations):
            console.run_worker(self._find_operation(to.id), group="go-to", exclusive=True)
        elif isinstance(to, MachineQueues):
            self.queues(to.name)
        elif isinstance(to, Machines):
            if to.id is None:
                self.machines(to.resource, to.filter)
            else:
                self.visit(to.resource, to.id)
        elif isinstance(to, Alerts):
            self.alerts(to.filter, to.id)
        elif isinstance(to, SetUp):
            self.set_up(to.what)
        elif isinstance(to, ItemPlace):
            console.run_worker(self._find_item(to.id), group="go-to", exclusive=True)
        elif isinstance(to, Command):
            {**self.handlers(), "quit": console.leave}[to.name]()

    async def _find_item(self, number: int) -> None:
        """The queue it is in is not known: this one is asked first."""
        console = self._console
        if console.session.client is None:
            console.notice(f"Going to an item has to wait: {console.session.lost}", "warning")
            return
        here = console.session.state.resource
        for resource in [here, *(other for other in Resource if other != here)]:
            try:
                await console.session.client.call(items.SHOW, resource=resource, id=number)
            except Problem as error:
                if error.code is Code.NOT_FOUND:
                    continue
                console.notice(sentence(error), "error")
                return
            except FAILURES as error:
                console.notice(sentence(error), "error")
                return
            self.visit(resource, number)
            return
        console.notice(f"There is no item {number}.", "warning")

    async def _find_operation(self, number: int | None) -> None:
        console = self._console
        if number is not None and console.session.client is not None:
            try:
                await console.session.client.call(bulk.SHOW, id=number)
            except FAILURES as error:
                missing = isinstance(error, Problem) and error.code is Code.NOT_FOUND
                console.notice(f"There is no operation {number}." if missing else sentence(error), "warning")
                return
        console.show_operations(number)

    def queues(self, name: str | None = None) -> None:
        """Queues of machine work, with the cursor on one of them."""
        from quarterdeck.tui.screens.queues.screen import QueuesScreen

        session = self._console.session
        screen = self._console.bring(QueuesScreen, lambda: QueuesScreen(session, name))
        if name is not None and screen.is_mounted:
            screen.go_to_name(name)

    def machines(self, resource: MachineResource, filter_: str | None = None) -> None:
        """The list of runs or of dead letters, with another filter if so wanted."""
        kind, console = _list_of(resource), self._console

        def made() -> MachineList:
            if filter_ is not None:
                console.session.state.view(resource).filter = filter_
            return kind(console.session)

        screen = console.bring(kind, made)
        if filter_ is not None and filter_ != screen.view.filter:
            screen.narrow(filter_)

    def visit(self, resource: AnyResource, number: int) -> None:
        """One thing of a story, laid over where we are; back leads here again."""
        console = self._console
        if isinstance(resource, MachineResource):
            console.lay(_list_of(resource)(console.session, visit=number))
        else:
            console.lay(QueueScreen(console.session, resource, number))

    def of_queue(self, resource: MachineResource, queue: str) -> None:
        """The runs or dead letters of a queue, laid over where we are; back leads here again."""
        self._console.lay(_list_of(resource)(self._console.session, only=f"queue:{queue}"))

    def home(self, at: Place | None = None) -> None:
        from quarterdeck.tui.screens.home.screen import HomeScreen

        self._console.bring(HomeScreen, lambda: HomeScreen(self._console.session, at))

    def workers(self) -> None:
        from quarterdeck.tui.screens.workers.screen import WorkersScreen

        self._console.bring(WorkersScreen, lambda: WorkersScreen(self._console.session))

    def sla(self) -> None:
        from quarterdeck.tui.screens.sla.screen import SlaScreen

        self._console.bring(SlaScreen, lambda: SlaScreen(self._console.session))

    def alerts(self, filter_: str | None = None, number: int | None = None) -> None:
        """Alerts, with another filter if so wanted, or one of them."""
        from quarterdeck.tui.screens.alerts.screen import AlertsScreen

        console = self._console
        if number is not None:
            console.lay(AlertsScreen(console.session, visit=number))
            return

        def made() -> AlertsScreen:
            if filter_ is not None:
                console.session.state.view(Watched.ALERTS).filter = filter_
            return AlertsScreen(console.session)

        warned = filter_ is None and console.alarm is not None and console.alarm.count > 0
        if warned:
            filter_ = ""  # the banner's key leads to what the banner says, whatever was looked for or at before
        here = console.front
        screen = console.bring(AlertsScreen, made)
        if filter_ is not None and filter_ != screen.view.filter:
            screen.narrow(filter_)
        elif screen is here or (warned and screen.stands):
            screen.from_the_top()

    def usage(self) -> None:
        from quarterdeck.tui.screens.usage.screen import UsageScreen

        self._console.bring(UsageScreen, lambda: UsageScreen(self._console.session))

    def set_up(self, what: str) -> None:
        """Rules, channels, silences or policies."""
        from quarterdeck.tui.screens.setup.kinds import screen_of

        kind = screen_of(what)
        self._console.bring(kind, lambda: kind(self._console.session))

    # Dialogs

    def palette(self) -> None:
        from quarterdeck.tui.destinations import SET_UP
        from quarterdeck.tui.screens.picker import Option, Picker

        screen = self._console.front
        bound = [each for each in screen.bound() if each.name != "palette"]
        options = [
            Option(each.name, each.command.label, each.command.summary, each.key, screen.why_not(each) or "")
            for each in sorted(bound, key=lambda each: (each.action is None, each.command.label))
        ]
        options += [Option(f":{what}", what.capitalize(), hint, f":{what}") for what, hint in SET_UP.items()]

        def chosen(name: str | None) -> None:
            if name and name.startswith(":"):
                self.go(name[1:])
                return
            found = next((each for each in bound if each.name == name), None)
            if found is not None:
                screen.call_next(screen.do, found)

        self._console.push_screen(Picker("What can be done here", options), chosen)

    def theme(self) -> None:
        from quarterdeck.tui.screens.picker import Option, Picker
        from quarterdeck.tui.theming import available

        console = self._console
        options = [Option(name, name, str(path)) for name, path in available(console.session.home.themes).items()]

        def chosen(name: str | None) -> None:
            if name:
                console.wardrobe.wear(name)

        console.push_screen(Picker("Theme", options, chosen=console.look.name, typed=False), chosen)

    def help(self) -> None:
        from quarterdeck.tui.screens.help import HelpScreen

        screen = self._console.front
        self._console.push_screen(HelpScreen(str(screen.place), screen.bound(), screen.why_not))

    def back(self) -> None:
        self._console.back()

    def undo(self) -> None:
        from quarterdeck.tui.screens.undoing import undo

        undo(self._console.front)

    def retry_last(self) -> None:
        finished = self._console.session.finished
        if finished is None or not finished["failed"]:
            self._console.notice("Nothing to retry: no operation of this session has ended with failures.", "warning")
            return
        self._console.run_worker(self._retry(int(finished["id"])), group="acting")

    async def _retry(self, number: int) -> None:
        from quarterdeck.tui.screens.bulk.flow import retry_failed

        try:
            await retry_failed(self._console, number, "F")
        except FAILURES as error:
            self._console.notice(sentence(error), "error")


def _list_of(resource: MachineResource) -> type[MachineList]:
    if resource is MachineResource.RUNS:
        from quarterdeck.tui.screens.runs.screen import RunsScreen

        return RunsScreen
    from quarterdeck.tui.screens.dead_letters.screen import DeadLettersScreen

    return DeadLettersScreen

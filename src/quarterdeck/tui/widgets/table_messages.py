"""What a table says to its screen. Handlers are called `on_window_table_…`."""

from __future__ import annotations

from textual.message import Message

from quarterdeck.tui.widgets.rows import Row


class CursorRested(Message, namespace="window_table"):
    """The cursor has stayed on a row for a moment, or its row has changed. None: the list is empty."""

    def __init__(self, row: Row | None) -> None:
        super().__init__()
        self.row = row


class Opened(Message, namespace="window_table"):
    """Enter, or a double click, on a row."""

    def __init__(self, row: Row) -> None:
        super().__init__()
        self.row = row


class MarksChanged(Message, namespace="window_table"):
    """What is marked, or how much of it is hidden, is different."""


class CountKnown(Message, namespace="window_table"):
    """How many rows the list has."""

    def __init__(self, total: int) -> None:
        super().__init__()
        self.total = total


class FetchFailed(Message, namespace="window_table"):
    """Rows cannot be had; one sentence why."""

    def __init__(self, sentence: str) -> None:
        super().__init__()
        self.sentence = sentence


class Refused(Message, namespace="window_table"):
    """A key did nothing; one sentence why."""

    def __init__(self, sentence: str) -> None:
        super().__init__()
        self.sentence = sentence


class NewsChanged(Message, namespace="window_table"):
    """`news` says something else."""


class NewRows(Message, namespace="window_table"):
    """How many rows wait to be brought in."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.count = count

"""What goes wrong before an engine has answered. What an engine answers is a `contract.problems.Problem`."""

from __future__ import annotations


class Unreachable(Exception):
    """No engine answers. The text is one sentence: what happened and what to do."""


class VersionMismatch(Unreachable):
    """An engine answers that this client cannot talk to."""

"""Stable codes of what can go wrong, with their HTTP status and title (RFC 9457)."""

from __future__ import annotations

from enum import StrEnum


class Code(StrEnum):
    """A program decides on the code; a person reads the sentence in `detail`."""

    BAD_REQUEST = "bad_request"
    INVALID_INPUT = "invalid_input"
    FILTER_INVALID = "filter_invalid"
    CURSOR_INVALID = "cursor_invalid"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    FORBIDDEN = "forbidden"
    WRONG_STATE = "wrong_state"
    CHANGED_SINCE = "changed_since"
    ALREADY_ASSIGNED = "already_assigned"
    NOT_YOURS = "not_yours"
    NOTHING_TO_CLAIM = "nothing_to_claim"
    NOT_UNDOABLE = "not_undoable"
    NOTHING_ELIGIBLE = "nothing_eligible"
    NOTHING_TO_RETRY = "nothing_to_retry"
    NO_QUEUE = "no_queue"
    ENGINES_OWN = "engines_own"
    COUNT_MISMATCH = "count_mismatch"
    UNCHANGED = "unchanged"
    SELECTION_EXPIRED = "selection_expired"
    IDEMPOTENCY_KEY_MISSING = "idempotency_key_missing"
    IDEMPOTENCY_KEY_REUSED = "idempotency_key_reused"
    IDEMPOTENCY_IN_FLIGHT = "idempotency_in_flight"
    TOO_MANY_OPERATIONS = "too_many_operations"
    TOO_LARGE = "too_large"
    LEASE_LOST = "lease_lost"
    ADDRESS_REFUSED = "address_refused"
    STORE_FULL = "store_full"
    STORE_BUSY = "store_busy"
    STORE_BROKEN = "store_broken"
    STOPPING = "stopping"
    INTERNAL = "internal"


# code -> (HTTP status, title)
PROBLEMS: dict[Code, tuple[int, str]] = {
    Code.BAD_REQUEST: (400, "The request could not be read"),
    Code.INVALID_INPUT: (422, "Some input is not valid"),
    Code.FILTER_INVALID: (422, "The filter is not valid"),
    Code.CURSOR_INVALID: (422, "The cursor is not valid"),
    Code.NOT_FOUND: (404, "Not found"),
    Code.METHOD_NOT_ALLOWED: (405, "Not possible here"),
    Code.FORBIDDEN: (403, "Your role does not allow this"),
    Code.WRONG_STATE: (409, "Not possible in this state"),
    Code.CHANGED_SINCE: (409, "Changed in the meantime"),
    Code.ALREADY_ASSIGNED: (409, "Somebody else has it"),
    Code.NOT_YOURS: (409, "Not assigned to you"),
    Code.NOTHING_TO_CLAIM: (404, "Nothing to claim"),
    Code.NOT_UNDOABLE: (409, "Cannot be undone"),
    Code.NOTHING_ELIGIBLE: (409, "Nothing to act on"),
    Code.NOTHING_TO_RETRY: (409, "Nothing to retry"),
    Code.NO_QUEUE: (409, "The queue no longer exists"),
    Code.ENGINES_OWN: (409, "The engine's own work"),
    Code.COUNT_MISMATCH: (409, "The count does not match"),
    Code.UNCHANGED: (409, "Nothing would change"),
    Code.SELECTION_EXPIRED: (410, "The selection has expired"),
    Code.IDEMPOTENCY_KEY_MISSING: (400, "Idempotency-Key is missing"),
    Code.IDEMPOTENCY_KEY_REUSED: (422, "Idempotency-Key was used for something else"),
    Code.IDEMPOTENCY_IN_FLIGHT: (409, "The first request with this Idempotency-Key is still running"),
    Code.TOO_MANY_OPERATIONS: (429, "Too many bulk operations at once"),
    Code.TOO_LARGE: (413, "Too large"),
    Code.LEASE_LOST: (409, "The lease has passed to another worker"),
    Code.ADDRESS_REFUSED: (422, "The address is not allowed"),
    Code.STORE_FULL: (507, "The disk is full"),
    Code.STORE_BUSY: (503, "The store is busy"),
    Code.STORE_BROKEN: (500, "The store cannot be read"),
    Code.STOPPING: (503, "The engine is stopping"),
    Code.INTERNAL: (500, "The engine made a mistake"),
}

# A second try of the same item can help.
RETRYABLE = frozenset({Code.CHANGED_SINCE, Code.STORE_FULL, Code.STORE_BUSY, Code.STOPPING, Code.LEASE_LOST})


class Problem(Exception):
    """Raised anywhere in the engine or client; leaves the API as a problem document.

    `detail` is one sentence: what happened, to what, and what to do. `errors` are (JSON pointer,
    sentence) pairs for bad input. `extra` goes into the document as further members.
    """

    def __init__(
        self,
        code: Code,
        detail: str,
        *,
        errors: tuple[tuple[str, str], ...] = (),
        retry_after: int | None = None,
        extra: dict[str, object] | None = None,
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.errors = errors
        self.retry_after = retry_after
        self.extra = extra or {}

    @property
    def status(self) -> int:
        return PROBLEMS[self.code][0]

    @property
    def title(self) -> str:
        return PROBLEMS[self.code][1]

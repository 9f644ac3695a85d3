"""From rows to what the API says."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from quarterdeck.contract.clock import to_datetime
from quarterdeck.contract.enums import DeadLetterStatus, ErrorClass
from quarterdeck.contract.models.dead_letters import DeadLetter


def dead_letter(row: Row[Any]) -> DeadLetter:
    return DeadLetter(
        id=row.id,
        tenant_id=row.tenant_id,
        queue=row.queue,
        event_type=row.event_type,
        status=DeadLetterStatus(row.status),
        error_class=ErrorClass(row.error_class),
        error_code=row.error_code,
        error_message=row.error_message,
        group=row.group_id,
        attempts=row.attempts,
        retries=row.retries,
        run_id=row.run_id,
        retry_run_id=row.retry_run_id,
        exception_id=row.exception_id,
        source_id=row.source_id,
        created_at=to_datetime(row.created_at),
        died_at=to_datetime(row.created_at if row.died_at is None else row.died_at),
        updated_at=to_datetime(row.updated_at),
        expires_at=to_datetime(row.expires_at),
        version=row.version,
    )

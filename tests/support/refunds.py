"""A python handler for journeys: it fails as long as the payload names a file that exists, and tells what it does."""

from __future__ import annotations

import os
from typing import Any


class Unavailable(Exception):
    error_class = "rate_limit"
    code = "503"


async def send(job: Any) -> dict[str, Any]:
    """Says what the payload says; refuses while the provider is `down`."""
    job.log(f"refund {job.payload.get('order')}, attempt {job.attempt}")
    job.log(str(job.payload.get("says", "nothing to say")), "warning")
    if os.path.exists(job.payload["down"]):
        raise Unavailable(job.payload.get("error", f"Service unavailable for order {job.payload.get('order')}"))
    job.log("sent")
    return {"sent": job.payload.get("order")}

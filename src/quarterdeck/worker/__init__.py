"""Workers outside the engine: lease runs of a queue, work on them, say how it went.

from quarterdeck.worker import Worker, run

worker = Worker("refunds")

@worker.handles("refund.send")
async def send(job):
    job.log(f"refunding {job.payload['order']}")
    return {"refunded": True}

run(worker)
"""

from quarterdeck.worker.job import Failed, Job
from quarterdeck.worker.running import run
from quarterdeck.worker.worker import Worker

__all__ = ["Failed", "Job", "Worker", "run"]

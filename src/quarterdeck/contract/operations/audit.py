"""The audit log."""

from quarterdeck.contract.enums import Role
from quarterdeck.contract.operations.base import API, Operation
from quarterdeck.contract.problems import Code
from quarterdeck.contract.reference import ModelRef

LIST = Operation(
    "audit.list",
    "GET",
    f"{API}/audit",
    "Who did what, newest first.",
    ModelRef("audit:AuditPage"),
    query=ModelRef("audit:AuditQuery"),
    role=Role.ADMIN,
    problems=(Code.CURSOR_INVALID,),
)
VERIFY = Operation(
    "audit.verify",
    "POST",
    f"{API}/audit/verify",
    "Recompute the hash chain and hold it against the signed checkpoints.",
    ModelRef("audit:AuditVerdict"),
    role=Role.SUPER_ADMIN,
)

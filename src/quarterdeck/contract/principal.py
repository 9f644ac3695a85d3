"""Who is calling. Every service takes one, and every query is scoped by it."""

from __future__ import annotations

import json
from dataclasses import dataclass

from quarterdeck.contract.enums import Role

# A super_admin may act as somebody narrower: {"actor": …, "role": …, "tenants": [..]|null} as JSON.
ACT_AS_HEADER = "Quarterdeck-Act-As"


@dataclass(frozen=True, slots=True)
class Principal:
    """`tenants` None means every tenant."""

    actor: str
    role: Role
    tenants: frozenset[str] | None = None

    def sees(self, tenant_id: str | None) -> bool:
        return self.tenants is None or tenant_id in self.tenants

    def sees_shared(self, tenant_id: str | None) -> bool:
        """As `sees`, where no tenant means that it is for all of them."""
        return tenant_id is None or self.sees(tenant_id)

    def header(self) -> str:
        """The value for `ACT_AS_HEADER`, plain ASCII."""
        tenants = None if self.tenants is None else sorted(self.tenants)
        return json.dumps({"actor": self.actor, "role": self.role, "tenants": tenants})

    @classmethod
    def from_header(cls, text: str) -> Principal:
        """Raises ValueError with a sentence."""
        try:
            value = json.loads(text)
            tenants = value.get("tenants")
            actor = value["actor"]
            if not isinstance(actor, str) or not 0 < len(actor) <= 1_000:
                raise ValueError("actor")
            named = isinstance(tenants, list) and all(isinstance(tenant, str) for tenant in tenants)
            if tenants is not None and not named:
                raise ValueError("tenants")
            return cls(actor, Role(value["role"]), None if tenants is None else frozenset(tenants))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(
                f'{ACT_AS_HEADER} must be JSON like {{"actor": "ana", "role": "operator", "tenants": ["acme"]}}.'
            ) from error


# In whose name the engine does what time and rules bring about.
SYSTEM = Principal("quarterdeck", Role.SUPER_ADMIN)

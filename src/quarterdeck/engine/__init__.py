"""What the system does: one package a capability."""

from quarterdeck.engine.lean import leave_out

leave_out()

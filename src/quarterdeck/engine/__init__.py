"""What the system does: one package a capability."""

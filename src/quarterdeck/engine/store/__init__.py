"""Connection, metadata, migrations; what differs between SQLite and PostgreSQL is in `dialect`."""

"""What tests share: homes, engines, a PostgreSQL server, a terminal, hostile text."""

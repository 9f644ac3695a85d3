"""Requests and responses, as pydantic models. Load them through `ModelRef` where start-up time counts."""

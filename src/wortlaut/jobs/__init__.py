"""Durable jobs: a queue in PostgreSQL, and workers that transcribe in child processes."""

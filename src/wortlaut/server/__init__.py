"""The service: its own API for jobs, and every API that programs around transcription already call."""

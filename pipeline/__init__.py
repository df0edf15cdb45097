"""The image pipeline: engine, worker process, and the protocol between worker and bot."""

"""Benchmarks of the engine, without the bot."""

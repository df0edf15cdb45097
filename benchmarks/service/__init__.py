"""Benchmarks of the bot with its worker and its database."""

"""Engines of others as backends: each draws, and a worker of ours finishes its pictures."""

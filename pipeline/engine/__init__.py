"""The GPU side: one step of every running job a tick."""

"""The device: its precision, its accelerators, its state files, and background work."""

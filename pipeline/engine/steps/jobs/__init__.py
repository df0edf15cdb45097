"""State of attempts while the engine works on them, and the checks of their requests."""

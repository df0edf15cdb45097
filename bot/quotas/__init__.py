"""Who gets how much, as pure rules."""

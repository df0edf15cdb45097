"""Messages to people, made by pure functions from facts."""

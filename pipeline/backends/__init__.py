"""How a bot reaches engines. No torch here."""

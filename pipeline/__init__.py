"""Everything that draws, and the words by which a bot asks for it."""

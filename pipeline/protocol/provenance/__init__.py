"""Words and facts about where a picture comes from, which worker and bot share."""

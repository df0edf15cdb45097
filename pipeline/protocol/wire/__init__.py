"""Messages between the bot, its workers and their warm starter, and their bytes."""

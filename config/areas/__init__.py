"""Areas of the settings that fill a file, and what all areas have in common."""

"""Protocol: all types that bot and workers share. It imports neither torch nor discord.py, and does no I/O."""

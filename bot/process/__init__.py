"""What the process owes to its computer: logs, folders, signs of life, the first connection."""

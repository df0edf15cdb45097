"""The Discord side: conversation, queue and quotas. It holds all persistent data and never loads torch."""

"""The Discord side: conversation, queue, quotas. It owns the truth and never loads torch."""

"""What members do together: the showcase."""

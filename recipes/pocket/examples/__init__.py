"""Training examples: scenes with captions and negative prompts."""

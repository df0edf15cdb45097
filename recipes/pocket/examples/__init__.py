"""Training examples: scenes with their captions and negative prompts."""

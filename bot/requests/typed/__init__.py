"""Reading of text that members type: options in prompts, pasted commands, addresses, emoji, German words."""

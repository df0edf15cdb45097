"""Parts of typed text: options, addresses, emoji, German words, and words that a model knows."""

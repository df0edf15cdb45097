"""Parts of the text that members type: options, addresses, emoji, German words, words that a model knows."""

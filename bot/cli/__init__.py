"""The commands of `easel` beside the bot itself."""

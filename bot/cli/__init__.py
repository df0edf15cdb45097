"""The commands of `easel`, except the bot itself."""

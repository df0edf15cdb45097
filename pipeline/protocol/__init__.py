"""The only words that bot and workers share. No torch, no Discord, no input or output."""

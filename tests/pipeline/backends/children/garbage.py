"""Answers a job with what is no frame."""

from speech import Speech

bot = Speech()
bot.begin()
bot.hear_submit()
bot.stream.sendall(b"Traceback (most recent call last):\n")
bot.hear()

"""Comes from another release."""

from speech import Speech

bot = Speech()
bot.begin(protocol_version=999)
bot.hear()

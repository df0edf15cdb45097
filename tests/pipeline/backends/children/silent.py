"""Gets ready, and then says nothing of itself."""

from speech import Speech

bot = Speech()
bot.begin()
while True:
    bot.hear()

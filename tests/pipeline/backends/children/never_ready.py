"""Beats but never gets ready; `loading` on its command line says that it loads, for so many beats."""

import time

from speech import Speech, beat

bot = Speech()
bot.hear()
for _ in range(int(bot.rest[0])):
    bot.say(beat("loading"))
    time.sleep(0.05)
while True:
    bot.say(beat())
    time.sleep(0.05)

"""Says that its engine does not move; the end of the first of two jobs lies behind that word."""

import signal

from speech import Speech, beat, finished

bot = Speech()
bot.begin()
first, _ = bot.hear_submit(), bot.hear_submit()
bot.say(beat("running", 3.0), finished(first), beat("running", 500.0))
signal.pause()

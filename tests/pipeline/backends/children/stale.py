"""Speaks of jobs that nobody gave it, and of an attempt before this one."""

import msgspec
from speech import Speech, cancelled, finished, progress

bot = Speech()
bot.begin()
submit = bot.hear_submit()
earlier = msgspec.structs.replace(submit, attempt=submit.attempt - 1)
bot.say(cancelled(99, 1), progress(earlier), finished(earlier), finished(submit))
bot.hear()

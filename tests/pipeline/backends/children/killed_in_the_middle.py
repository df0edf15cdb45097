"""Takes two jobs, finishes the first, and is killed as the OOM killer does it; the words are on the wire."""

import os
import signal

from speech import Speech, finished, progress

bot = Speech()
bot.begin()
first, second = bot.hear_submit(), bot.hear_submit()
# Larger than one read of the other side.
bot.say(progress(first), progress(second), finished(first, bytes(2_000_000)))
os.kill(os.getpid(), signal.SIGKILL)

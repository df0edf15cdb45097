"""Cannot work while the file named on its command line is there; without it, cannot even say so."""

import sys
from pathlib import Path

from speech import Speech

from pipeline.protocol.wire.messages import Unusable

bot = Speech()
bot.hear()
if Path(bot.rest[0]).exists():
    bot.say(Unusable(sentence="There is no CUDA device."))
    bot.hear()
sys.exit(9)

"""Reads nothing after `Configure`, and beats; counts its beats as bytes."""

import itertools
import os
import time

from speech import Speech

from pipeline.protocol.wire.messages import Heartbeat

bot = Speech()
bot.begin(device_name=str(os.getpid()))
for number in itertools.count(1):
    bot.say(Heartbeat(phase="idle", since_progress_s=0, rss_bytes=number))
    time.sleep(0.05)

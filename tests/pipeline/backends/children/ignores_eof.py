"""Stays when the bot goes, and when it is asked to go."""

import os
import signal

from speech import Speech

signal.signal(signal.SIGTERM, signal.SIG_IGN)
bot = Speech()
bot.begin(device_name=str(os.getpid()))
while True:
    signal.pause()

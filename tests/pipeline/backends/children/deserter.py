"""Closes its end on the first job and stays, whatever it is told."""

import os
import signal

from speech import Speech

signal.signal(signal.SIGTERM, signal.SIG_IGN)
bot = Speech()
bot.begin(device_name=str(os.getpid()))
bot.hear_submit()
bot.stream.close()
while True:
    signal.pause()

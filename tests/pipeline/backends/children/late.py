"""Is ready once a file `ready` is in the folder on its command line, in each of its lives; else as `good.py`.

A job of the prompt `load` says that its model is loaded, until there is a file `loaded`.
"""

import sys
import time
from pathlib import Path

import msgspec
from speech import Speech, beat, finished, progress

from pipeline.protocol.wire.messages import Submit

bot = Speech()
folder = Path(bot.rest[0])


def wait_for(name: str) -> None:
    while not (folder / name).exists():
        try:
            bot.say(beat("loading"))
        except BrokenPipeError:
            sys.exit(0)
        time.sleep(0.01)


configure = bot.hear()
wait_for("ready")
bot.welcome()
while True:
    match bot.hear():
        case Submit() as submit if submit.request.prompt == "fall":
            (folder / "ready").unlink()
            sys.exit(3)
        case Submit() as submit:
            if submit.request.prompt == "load":
                bot.say(msgspec.structs.replace(progress(submit), phase="loading", step=0))
                wait_for("loaded")
            bot.say(progress(submit), finished(submit))
        case _:
            sys.exit(1)

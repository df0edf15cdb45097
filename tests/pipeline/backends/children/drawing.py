"""A worker that writes down what it draws: `easel-drew` in its folder gets a line for each attempt.

The prompt `until NAME` is finished when the file NAME is in that folder; `fall` ends the process; `wait` waits for its
`Cancel`; `fake` gives a file that is no picture. Any other prompt is finished at once.
"""

import os
import sys
import threading
import time
import zlib
from pathlib import Path

from speech import Speech, beat, cancelled, finished, progress

from pipeline.protocol.wire.finishing import FinishedPictures, FinishPictures
from pipeline.protocol.wire.messages import Cancel, Check, Checked, FindPart, FoundPart, Submit
from pipeline.protocol.wire.outputs import ImageFile


def png(content: bytes) -> bytes:
    """A gray picture of 64 x 64 pixels, with a chunk that nobody else knows."""
    header = (64).to_bytes(4, "big") * 2 + bytes((8, 0, 0, 0, 0))
    chunks = (b"IHDR" + header, b"teSt" + content, b"IDAT" + zlib.compress(bytes(64 * 65)), b"IEND")
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (len(chunk) - 4).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big") for chunk in chunks
    )


bot = Speech()
folder, capacity, models = Path(bot.rest[0]), int(bot.rest[1]), tuple(bot.rest[2].split(","))
bot.begin(capacity=capacity, models=models, device_name=str(os.getpid()))
bot.say(beat())


def finish(submit: Submit, name: str) -> None:
    while not (folder / name).exists():
        time.sleep(0.01)
    bot.say(finished(submit, png(str(submit.job_id).encode())))


while True:
    match bot.hear():
        case Submit() as submit:
            with (folder / "easel-drew").open("a") as drew:
                drew.write(f"{submit.job_id} {submit.attempt}\n")
            bot.say(progress(submit))
            word, _, name = submit.request.prompt.partition(" ")
            if word == "until":
                threading.Thread(target=finish, args=(submit, name), daemon=True).start()
            elif word == "fall":
                sys.exit(3)
            elif word == "fake":
                bot.say(finished(submit, b"no picture"))
            elif word != "wait":
                bot.say(finished(submit, png(b"".join(submit.pictures.values()))))
        case Cancel() as cancel:
            bot.say(cancelled(cancel.job_id, cancel.attempt))
        case FindPart() as asked:
            bot.say(FoundPart(question=asked.question, mask=asked.words.encode(), is_seen=True))
        case Check() as asked:
            bot.say(Checked(question=asked.question, detail=str(len(asked.pictures))))
        case FinishPictures() as asked:
            data = png(asked.pictures[0])
            file = ImageFile(index=0, data=data, media_type="image/png", width=64, height=64, seed=7)
            bot.say(FinishedPictures(question=asked.question, outputs=(file,), preview=b"none"))
        case _:
            sys.exit(1)

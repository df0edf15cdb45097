"""Does what is asked; a job of the prompt `wait` waits for its `Cancel`, `fall` ends the process.

One of the prompt `suggestive` or `sexual` gives such a picture. One of the prompt `flagged`, or `a flagged child`, is
finished without a picture. One of the prompt `linger` waits at its first attempt and is done at the next. One of the
prompt `finishing` is past its last step: its `Cancel` comes too late to stop it. A question about the words `wait`
gets no answer, and one about `fall` ends the process. The same holds for pictures of these bytes; other bytes are the
name of their rating, but `odd`, which cannot be rated. Pictures that another engine drew become files as they are;
those of the prompt `crash` end the process.
"""

import os
import sys

import msgspec
from speech import Speech, beat, cancelled, finished, progress

from pipeline.protocol.wire.finishing import FinishedPictures, FinishPictures
from pipeline.protocol.wire.messages import Cancel, Check, Checked, FindPart, FoundPart, Submit
from pipeline.protocol.wire.outputs import ImageFile, Rating

bot = Speech()
ours = [name for name in os.environ if name.upper().startswith("EASEL_")]
bot.begin(device_name=",".join(ours) or str(os.getpid()))
bot.say(beat())
finishing: dict[int, Submit] = {}
while True:
    match bot.hear():
        case Submit() as submit if submit.request.prompt == "wait" or (
            submit.request.prompt == "linger" and submit.attempt == 1
        ):
            bot.say(progress(submit))
        case Submit() as submit if submit.request.prompt == "finishing":
            finishing[submit.job_id] = submit
            bot.say(progress(submit))
        case Submit() as submit if submit.request.prompt == "fall":
            sys.exit(3)
        case Submit() as submit if submit.request.prompt == "flagged":
            bot.say(msgspec.structs.replace(finished(submit), outputs=()))
        case Submit() as submit if submit.request.prompt in ("suggestive", "sexual"):
            (drawn,) = finished(submit).outputs
            veiled = msgspec.structs.replace(drawn, rating=Rating(submit.request.prompt))
            bot.say(msgspec.structs.replace(finished(submit), outputs=(veiled,)))
        case Submit() as submit if submit.request.prompt == "flagged in part":
            bot.say(msgspec.structs.replace(finished(submit), hidden=(Rating.SEXUAL,), scores=(0.934,)))
        case Submit() as submit if submit.request.prompt == "a flagged child":
            bot.say(msgspec.structs.replace(finished(submit), outputs=(), hidden=(Rating.SEXUAL,), scores=(0.934,)))
        case Submit() as submit:
            bot.say(progress(submit), finished(submit))
        case Cancel() as cancel if cancel.job_id in finishing:
            bot.say(finished(finishing.pop(cancel.job_id)))
        case Cancel() as cancel:
            bot.say(cancelled(cancel.job_id, cancel.attempt))
        case FindPart(words="wait"):
            pass
        case FindPart(words="fall"):
            sys.exit(3)
        case FindPart() as asked:
            bot.say(FoundPart(question=asked.question, mask=asked.words.encode(), is_seen=True))
        case Check(pictures=(b"wait",)):
            pass
        case Check(pictures=(b"fall",)):
            sys.exit(3)
        case Check(pictures=(b"odd",)) as asked:
            bot.say(Checked(question=asked.question, detail="It is odd."))
        case Check() as asked:
            known = {picture.value.encode(): picture for picture in Rating}
            ratings = (known[picture] for picture in asked.pictures)
            bot.say(Checked(question=asked.question, ratings=tuple(ratings)))
        case FinishPictures() as asked if asked.request.prompt == "crash":
            sys.exit(3)
        case FinishPictures(is_preview=True) as asked:
            bot.say(FinishedPictures(question=asked.question, preview=b"preview"))
        case FinishPictures() as asked:
            files = [
                ImageFile(index=index, data=data, media_type="image/png", width=64, height=64, seed=7 + index)
                for index, data in enumerate(asked.pictures)
            ]
            bot.say(FinishedPictures(question=asked.question, outputs=tuple(files)))
        case _:
            sys.exit(1)

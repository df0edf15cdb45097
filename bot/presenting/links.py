"""Links to messages."""

from bot.presenting.texts import text
from bot.store.rows.jobs import Job
from bot.store.rows.origin import Lineage


def job_link(job: Job) -> str:
    """The job's number, linked to its message if it has one."""
    return _link(text("job-number", job_id=job.job_id), job, job.message_id)


def parent_link(job: Job, lineage: Lineage) -> str:
    """The parent's number, linked to its message. That is in the same channel, since its button was pressed there."""
    if lineage.parent_image_index is None:
        words = text("job-number", job_id=lineage.parent_job_id)
    else:
        words = text("job-number-image", job_id=lineage.parent_job_id, number=lineage.parent_image_index + 1)
    return _link(words, job, lineage.parent_message_id)


def _link(words: str, job: Job, message_id: int | None) -> str:
    if message_id is None:
        return words
    place = f"{job.origin.shown_guild_id or '@me'}/{job.channel_id}"
    return f"[{words}](https://discord.com/channels/{place}/{message_id})"

"""Which job a message of ours is about, and what it shows of it.

A number alone is not believed: after a restore, or where another bot has our token, a message of the same number may
be about something else. So messages and files carry the timeline of their job (`bot.store.sqlite.timelines`): the
container of a message as its id, a file in its name. Messages of before that have none, as their jobs have none.
"""

from collections.abc import Iterator
from typing import Any

import discord

from bot.presenting.custom_ids import Action, custom_id, is_about
from bot.presenting.job_message import is_image_of
from bot.store.rows import Job


def is_of(message: discord.Message, job: Job) -> bool:
    """Whether a message is the one of a job: its buttons say so, in the job's timeline."""
    parts = [part for component in message.components for part in _parts_of(component)]
    ids = [part.custom_id for part in parts if isinstance(getattr(part, "custom_id", None), str)]
    return is_about(ids, job.job_id) and is_in_timeline(message, job)


def is_in_timeline(message: discord.Message, job: Job) -> bool:
    """Whether a message was made where this job was asked for."""
    return not job.timeline or any(getattr(part, "id", None) == job.timeline for part in message.components)


def images_shown(message: discord.Message, job: Job) -> int:
    """How many finished images of a job a message shows."""
    return sum(is_image_of(job, attachment.filename) for attachment in message.attachments)


def is_over(message: discord.Message, job: Job) -> bool:
    """Whether a message says that its job ended without pictures: it offers to try again."""
    retry = custom_id(Action.RETRY, job.job_id)
    parts = (part for component in message.components for part in _parts_of(component))
    return is_in_timeline(message, job) and any(getattr(part, "custom_id", None) == retry for part in parts)


def _parts_of(component: Any) -> Iterator[Any]:
    """A component and those in it: containers and rows hold others."""
    yield component
    for child in getattr(component, "children", ()):
        yield from _parts_of(child)

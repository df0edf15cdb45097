"""Recognize the job of one of our messages, and the content that the message shows.

A job id alone is not enough. After a restore, or if another bot has our token, a message with the same id may be about
another job. So each message and file carries its job's timeline (`bot.store.sqlite.timelines`): a message as the id of
its container, a file in its name.
"""

from collections.abc import Iterator
from typing import Any

import discord

from bot.presenting.custom_ids import Action, custom_id, is_about
from bot.presenting.jobs.output_files import is_output_of
from bot.store.rows.jobs import Job


def is_of(message: discord.Message, job: Job) -> bool:
    """Whether a message is a job's message: its buttons name the job, and its timeline is the job's."""
    parts = [part for component in message.components for part in _parts_of(component)]
    ids = [part.custom_id for part in parts if isinstance(getattr(part, "custom_id", None), str)]
    return is_about(ids, job.job_id) and is_in_timeline(message, job)


def is_in_timeline(message: discord.Message, job: Job) -> bool:
    """Whether a message belongs to the job's timeline."""
    return any(getattr(part, "id", None) == job.timeline for part in message.components)


def outputs_shown(message: discord.Message, job: Job) -> int:
    """How many finished outputs of a job a message shows."""
    return sum(is_output_of(job, attachment.filename) for attachment in message.attachments)


def is_over(message: discord.Message, job: Job) -> bool:
    """Whether a message says that its job ended without pictures: it has a retry button."""
    retry = custom_id(Action.RETRY, job.job_id)
    parts = (part for component in message.components for part in _parts_of(component))
    return is_in_timeline(message, job) and any(getattr(part, "custom_id", None) == retry for part in parts)


def _parts_of(component: Any) -> Iterator[Any]:
    """A component and its descendants: containers and rows hold others."""
    yield component
    for child in getattr(component, "children", ()):
        yield from _parts_of(child)

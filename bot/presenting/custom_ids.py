"""The ids of buttons: what to do and the row it is about. Nothing in them is trusted."""

from collections.abc import Iterable
from typing import Final

REROLL_TEMPLATE: Final = r"easel:reroll:(?P<job_id>[0-9]{1,18})"
CANCEL_TEMPLATE: Final = r"easel:cancel:(?P<job_id>[0-9]{1,18})"
CANCEL_MINE_TEMPLATE: Final = r"easel:cancel-mine:(?P<job_id>[0-9]{1,18})"


def reroll(job_id: int) -> str:
    """The id of a job's reroll button."""
    return f"easel:reroll:{job_id}"


def cancel(job_id: int) -> str:
    """The id of a job's cancel button."""
    return f"easel:cancel:{job_id}"


def is_about(custom_ids: Iterable[str], job_id: int) -> bool:
    """Whether any of these ids, from a message of ours, is about this job."""
    return any(found.startswith("easel:") and found.endswith(f":{job_id}") for found in custom_ids)


def cancel_mine(job_id: int) -> str:
    """The id of a cancel button in the private list of a member's jobs."""
    return f"easel:cancel-mine:{job_id}"

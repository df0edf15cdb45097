"""The ids of buttons: what to do and the row it is about. Nothing in them is trusted."""

from typing import Final

REROLL_TEMPLATE: Final = r"easel:reroll:(?P<job_id>[0-9]{1,18})"
CANCEL_TEMPLATE: Final = r"easel:cancel:(?P<job_id>[0-9]{1,18})"


def reroll(job_id: int) -> str:
    """The id of a job's reroll button."""
    return f"easel:reroll:{job_id}"


def cancel(job_id: int) -> str:
    """The id of a job's cancel button."""
    return f"easel:cancel:{job_id}"

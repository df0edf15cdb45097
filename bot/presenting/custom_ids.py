"""Custom ids of buttons and forms: the action, a row's id and an image index. Easel trusts none of these values."""

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import Final

import msgspec

from bot.errors import Refused

TEMPLATE: Final = r"easel:(?P<action>[a-z-]{1,20}):(?P<job_id>[0-9]{1,18})(?::(?P<index>[0-9]))?"
_PATTERN: Final = re.compile(TEMPLATE)
EXAMPLE_TEMPLATE: Final = r"easel-example:(?P<number>[0-9]{1,2})"
"""Pattern of the buttons in `/help`, which belong to no job."""
PRIVACY_TEMPLATE: Final = r"easel-privacy:(?P<act>words|everything|sure-words|sure-everything|keep)"
"""Pattern of the buttons of `/privacy delete`."""
CASE_TEMPLATE: Final = r"easel-case:(?P<act>[a-z0-9-]{1,20}):(?P<case_id>[0-9]{1,18})"
"""Pattern of the buttons by which moderators decide a case."""
HIT_TEMPLATE: Final = r"easel-hit:(?P<act>change|appeal):(?P<hit_id>[0-9]{1,18})"
"""Pattern of the buttons below a refusal, and of the form that changes its words."""
_HIT: Final = re.compile(HIT_TEMPLATE)
_EXCEPT: Final = re.compile(r"easel-except:(?P<case_id>[0-9]{1,18})")
_BLOCK: Final = re.compile(r"easel-block:(?P<case_id>[0-9]{1,18})")
_REPORT: Final = re.compile(r"easel-report:(?P<job_id>[0-9]{1,18})")
_REFERENCE: Final = re.compile(r"easel-reference:(?P<key>[0-9a-f]{16})")


class Action(StrEnum):
    """The action of a button. Old messages keep these words for ever, so none may change its meaning."""

    REROLL = "reroll"
    RETRY = "retry"
    UPSCALE = "upscale"
    VARY_SUBTLE = "vary-subtle"
    VARY_STRONG = "vary-strong"
    REMIX = "remix"
    REGION = "region"
    ZOOM_OUT = "zoom-out"
    PAN = "pan"
    PAN_LEFT = "pan-left"
    PAN_RIGHT = "pan-right"
    PAN_UP = "pan-up"
    PAN_DOWN = "pan-down"
    MAKING_OF = "making-of"
    MORPH = "morph"
    CANCEL = "cancel"
    CANCEL_MINE = "cancel-mine"
    COLLECT = "collect"
    DELETE = "delete"
    STAR = "star"
    COPY = "copy"
    DETAILS = "details"
    APPEAL = "appeal"
    START = "start"
    DISMISS = "dismiss"
    LARGER = "larger"
    SMALLER = "smaller"
    INVERT = "invert"


class PrivacyAct(StrEnum):
    """A button of `/privacy delete`: what to delete, the second press for it, or nothing."""

    WORDS = "words"
    EVERYTHING = "everything"
    SURE_WORDS = "sure-words"
    SURE_EVERYTHING = "sure-everything"
    KEEP = "keep"


ABOUT_EXPANSIONS: Final = frozenset({Action.START, Action.DISMISS, Action.LARGER, Action.SMALLER, Action.INVERT})
"""Actions whose id is that of an expansion. All other actions carry a job's id."""


ABOUT_ANY_JOB: Final = frozenset(
    {
        Action.RETRY,
        Action.CANCEL,
        Action.CANCEL_MINE,
        Action.COLLECT,
        Action.DELETE,
        Action.STAR,
        Action.COPY,
        Action.DETAILS,
        Action.APPEAL,
    }
)
"""Actions of jobs of every kind. A kind adds its own (`bot.jobs.kinds`)."""

MADE_FROM_ONE: Final = frozenset(
    {
        *(Action.UPSCALE, Action.VARY_SUBTLE, Action.VARY_STRONG, Action.REGION, Action.ZOOM_OUT),
        *(Action.MAKING_OF, Action.MORPH),
        *(Action.PAN, Action.PAN_LEFT, Action.PAN_RIGHT, Action.PAN_UP, Action.PAN_DOWN),
    }
)
"""Actions that make something from one picture."""


class CaseAct(StrEnum):
    """What a moderator does about a case. Old cards keep these words for ever, so none may change its meaning."""

    KEEP = "keep"
    SPOILER = "spoiler"
    REMOVE = "remove"
    WARN = "warn"
    PAUSE_HOUR = "pause-1h"
    PAUSE_DAY = "pause-1d"
    ALLOW_ONCE = "allow-once"
    EXCEPT = "except"
    UPHOLD = "uphold"
    SHOW = "show"
    REFUSE = "refuse"
    BLOCK_PICTURE = "block-picture"
    BLOCK = "block"


class Press(msgspec.Struct, frozen=True, kw_only=True):
    """The values in the id of a pressed button. For `ABOUT_EXPANSIONS`, `job_id` is an expansion's id."""

    action: Action
    job_id: int
    index: int | None


def read_press(found: str) -> Press:
    """The values in a custom id.

    Raises:
        Refused: the id is not ours, or this Easel does not know its action.
    """
    match = _PATTERN.fullmatch(found)
    if match is None or match["action"] not in list(Action):
        raise Refused("refused-unknown-job")
    index = match["index"]
    return Press(
        action=Action(match["action"]), job_id=int(match["job_id"]), index=None if index is None else int(index)
    )


def custom_id(action: Action, job_id: int, index: int | None = None) -> str:
    """The id of a button about a job, or about one of its images."""
    return f"easel:{action}:{job_id}" if index is None else f"easel:{action}:{job_id}:{index}"


def example_id(number: int) -> str:
    """The id of the button that runs an example of `/help`."""
    return f"easel-example:{number}"


def privacy_id(act: PrivacyAct) -> str:
    """The id of a button of `/privacy delete`. It belongs to no row."""
    return f"easel-privacy:{act}"


def reference_id(key: str) -> str:
    """The id of the form for a picked picture. It belongs to no row."""
    return f"easel-reference:{key}"


def case_button_id(act: CaseAct, case_id: int) -> str:
    """The id of a moderator's button."""
    return f"easel-case:{act}:{case_id}"


def read_act(found: str) -> CaseAct:
    """What a moderator's button does.

    Raises:
        Refused: this Easel does not know it.
    """
    if found not in list(CaseAct):
        raise Refused("refused-case-gone")
    return CaseAct(found)


def hit_button_id(act: str, hit_id: int) -> str:
    """The id of a button below a refusal, or of its form: `change`, or `appeal`."""
    return f"easel-hit:{act}:{hit_id}"


def read_hit(found: str) -> int | None:
    """The refusal whose words a form changes; None if it is no such form."""
    match = _HIT.fullmatch(found)
    return None if match is None else int(match["hit_id"])


def except_id(case_id: int) -> str:
    """The id of the form in which a moderator names an exception."""
    return f"easel-except:{case_id}"


def read_except(found: str) -> int | None:
    """The case of a form that names an exception; None if it is no such form."""
    match = _EXCEPT.fullmatch(found)
    return None if match is None else int(match["case_id"])


def block_id(case_id: int) -> str:
    """The id of the form in which a moderator blocks the member whom a case is about."""
    return f"easel-block:{case_id}"


def read_block(found: str) -> int | None:
    """The case of a form that blocks a member; None if it is no such form."""
    match = _BLOCK.fullmatch(found)
    return None if match is None else int(match["case_id"])


def report_id(job_id: int) -> str:
    """The id of the form that reports a job's result."""
    return f"easel-report:{job_id}"


def read_report(found: str) -> int | None:
    """The job that a form reports; None if it is no such form."""
    match = _REPORT.fullmatch(found)
    return None if match is None else int(match["job_id"])


def read_reference(found: str) -> str | None:
    """The key of a picked picture in a custom id; None if it is no such id."""
    match = _REFERENCE.fullmatch(found)
    return None if match is None else match["key"]


def is_about(custom_ids: Iterable[str], job_id: int) -> bool:
    """Whether any of these custom ids belongs to this job."""
    matches = (_PATTERN.fullmatch(found) for found in custom_ids)
    return any(
        match is not None and int(match["job_id"]) == job_id and match["action"] not in ABOUT_EXPANSIONS
        for match in matches
    )

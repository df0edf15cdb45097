"""Work and answers of the processes that look at models' files for `easel models`.

`python -m pipeline.examining` looks through the files of the catalogue. `python -m pipeline.surveying` looks at a model
that has no entry yet.

The command line writes a `Configure` to its standard input, as msgspec's JSON. The process answers with a line of JSON.
"""

from typing import TypeAlias

import msgspec

from pipeline.protocol.capabilities import Capability
from pipeline.protocol.catalogue.networks import Family, HubSource


class Examined(msgspec.Struct, frozen=True, kw_only=True):
    """What the files of the catalogue's entries show.

    Attributes:
        missing: why an entry cannot be offered, by its key.
        remarks: sentences for the owner, by key.
        configurations: repositories with the configurations of checkpoints whose entries name none, by key.
    """

    missing: dict[str, str] = {}
    remarks: dict[str, str] = {}
    configurations: dict[str, HubSource] = {}


class Surveyed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """What a model's files say about its entry.

    Attributes:
        family: the family that draws it.
        steps: usual number of steps.
        cfg: usual guidance scale.
        side: side in pixels that it was trained for.
        edits: True for an instruct model of Stable Diffusion.
        lacks: guidance and negative prompt, as far as it lacks them.
    """

    family: Family
    steps: int
    cfg: float
    side: int
    edits: bool = False
    lacks: tuple[Capability, ...] = ()


class NotSurveyed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The files hold no model that Easel draws with; the sentence says why."""

    sentence: str


SurveyingAnswer: TypeAlias = Surveyed | NotSurveyed
"""Every answer of `python -m pipeline.surveying`."""

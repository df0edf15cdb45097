"""What is signed about a picture: how it came to be, and never a prompt or a person, since it cannot be taken back."""

import json
from datetime import datetime
from typing import Final

from pipeline.protocol.inputs import Input, InputRole
from pipeline.protocol.program import easel_version
from pipeline.protocol.provenance.source_types import CHANGED, GENERATED, source_type_of
from pipeline.protocol.requests import Request
from provenance.messages import Ingredient

_NAME: Final = "Easel"
_SEEN: Final = CHANGED | {InputRole.REFERENCE, InputRole.CONTROL}
"""Roles of pictures that are ingredients. A mask shows nothing of the result."""


def manifest_of(request: Request, title: str, now: datetime, *, has_parent: bool) -> str:
    """The definition of a manifest in c2pa's JSON.

    Args:
        request: the request that the picture fulfills.
        title: name of the file.
        now: the present time.
        has_parent: whether the picture that was changed is an ingredient; c2pa knows no change without it.
    """
    return _manifest(title, "c2pa.edited" if has_parent else "c2pa.created", source_type_of(request), now)


def trial_manifest(now: datetime) -> str:
    """The definition of a manifest for a picture that nobody sees."""
    return _manifest("trial.png", "c2pa.created", GENERATED, now)


def _manifest(title: str, kind: str, source_type: str, now: datetime) -> str:
    program = {"name": _NAME, "version": easel_version()}
    action = {
        "action": kind,
        "digitalSourceType": source_type,
        "when": now.isoformat(timespec="seconds"),
        "softwareAgent": program,
    }
    return json.dumps(
        {
            "title": title,
            "claim_generator_info": [program],
            "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [action]}}],
        }
    )


def ingredient_inputs(request: Request) -> tuple[Input, ...]:
    """The inputs of a request that are ingredients of its outputs, each file once."""
    seen = {each.sha256: each for each in reversed(request.inputs) if each.role in _SEEN}
    return tuple(each for each in request.inputs if seen.get(each.sha256) is each)


def ingredients_of(request: Request, files: dict[str, tuple[bytes, str]]) -> tuple[Ingredient, ...]:
    """The pictures that went into the outputs of a request. At most one is the parent: the one that was changed.

    Args:
        request: the request.
        files: file and media type of each of `ingredient_inputs`, by the hash of the input.
    """
    inputs = ingredient_inputs(request)
    parent = next((each for each in inputs if each.role in CHANGED), None)
    return tuple(
        Ingredient(
            data=files[each.sha256][0],
            media_type=files[each.sha256][1],
            relationship="parentOf" if each is parent else "inputTo",
            title=f"picture {number}",
        )
        for number, each in enumerate(inputs, 1)
    )

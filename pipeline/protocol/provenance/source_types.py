"""Digital source types: what a picture's metadata says about how the picture came to be.

The words are those of IPTC: https://cv.iptc.org/newscodes/digitalsourcetype/
"""

from typing import Final

from pipeline.protocol.inputs import InputRole
from pipeline.protocol.requests import Request

_IPTC: Final = "http://cv.iptc.org/newscodes/digitalsourcetype/"
GENERATED: Final = f"{_IPTC}trainedAlgorithmicMedia"
"""A model made the picture from words."""
COMPOSITE: Final = f"{_IPTC}compositeWithTrainedAlgorithmicMedia"
"""A model changed a picture that was there before."""
CHANGED: Final = frozenset({InputRole.INIT_IMAGE, InputRole.EDIT, InputRole.SOURCE})
"""Roles of pictures that a job changes. A reference, a map or a mask does not become a part of the result."""


def source_type_of(request: Request) -> str:
    """The source type of a request's outputs."""
    return COMPOSITE if any(each.role in CHANGED for each in request.inputs) else GENERATED

"""What a field of a request says of itself, beside its type."""

import msgspec


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds, file key and privacy of a request's field, declared beside its type.

    Decoding would enforce the bounds of a `msgspec.Meta`, and stored rows must decode whatever today's bounds are. So
    `pipeline.engine.steps.jobs.validation` checks these bounds, and refuses a request with a sentence.

    Attributes:
        lowest: least number, or least length of a text or list; None sets no bound.
        highest: greatest number, or greatest length of a text or list; None sets no bound.
        file_key: name in A1111's parameters of a file; empty for a field that files do not have. A field with a default
            is written only if its value differs from it.
        is_private: True for a member's own words and pictures, which are erased when the member is forgotten. Each text
            says whether it is private, or the field does that it is a part of; None is for other fields.
    """

    lowest: float | None = None
    highest: float | None = None
    file_key: str = ""
    is_private: bool | None = None

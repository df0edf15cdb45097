"""A line of the report of `easel doctor`."""

import msgspec


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the report. `is_fine` is None if a check was impossible."""

    subject: str
    is_fine: bool | None
    sentence: str

    def __str__(self) -> str:
        mark = {True: "ok  ", False: "BAD ", None: "?   "}[self.is_fine]
        return f"{mark} {self.subject:<10} {self.sentence}"

"""Custom ids of what stands below a sheet."""

from enum import StrEnum
from typing import Final

BUTTON_TEMPLATE: Final = r"easel-sheet:(?P<act>cancel|delete):(?P<sheet>[0-9]{1,15})"
MENU_TEMPLATE: Final = r"easel-cell:(?P<act>take|take-more):(?P<sheet>[0-9]{1,15})"


class SheetAct(StrEnum):
    """What it does. Old sheets keep these words for ever, so none may change its meaning."""

    CANCEL = "cancel"
    DELETE = "delete"
    TAKE = "take"
    TAKE_MORE = "take-more"
    """The second menu, since one has at most 25 choices."""


def sheet_id(act: SheetAct, number: int) -> str:
    """The id of a button or menu of a sheet."""
    kind = "sheet" if act in (SheetAct.CANCEL, SheetAct.DELETE) else "cell"
    return f"easel-{kind}:{act}:{number}"

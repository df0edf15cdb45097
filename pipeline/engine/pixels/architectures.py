"""Architectures of networks that spandrel recognizes by their weights."""

import importlib
import importlib.util
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from spandrel import ModelLoader

_EXTRA: Final = "spandrel_extra_arches"
"""The package of the extra `faces-non-commercial`. It says MIT, and some of the architectures in it say otherwise."""
NON_COMMERCIAL: Final = MappingProxyType({"CodeFormer": "S-Lab License 1.0, non-commercial", "MAT": "non-commercial"})
"""Terms of architectures by spandrel's name, whatever the owner's entry says."""


@cache
def network_loader() -> "ModelLoader":
    """The loader of networks on the CPU, with the architectures of the extra where an owner has installed it."""
    # Imported here, because spandrel imports all its architectures, and most models need none.
    from spandrel import ModelLoader  # noqa: PLC0415

    if importlib.util.find_spec(_EXTRA) is not None:
        extra: Any = importlib.import_module(_EXTRA)
        extra.install(ignore_duplicates=True)
    return ModelLoader(device="cpu")

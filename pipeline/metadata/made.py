"""Generation parameters of all tools in one common form, that of A1111's `parameters`."""

import re
from collections.abc import Iterable, Mapping
from itertools import islice
from types import MappingProxyType
from typing import Any, Final

import msgspec

_MOST_CHARACTERS_OF_A_VALUE: Final = 200
_MOST_VALUES: Final = 1_000
_MOST_DEEP: Final = 10
"""Greatest depth of nested lists that is read."""

PROMPT: Final = ("prompt", "positiveprompt", "fullprompt", "c", "basecaption")
NEGATIVE: Final = ("negativeprompt", "uc", "fullnegativeprompt")
SETTINGS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "Steps": ("steps", "numinferencesteps"),
        "Sampler": ("sampler", "samplername", "comfyuisampler"),
        "Schedule type": ("scheduler", "scheduletype", "noiseschedule", "comfyuischeduler"),
        "CFG scale": ("cfgscale", "guidancescale", "cfg", "scale"),
        "Guidance": ("guidance",),
        "Seed": ("seed", "noiseseed"),
        "Size": ("size", "resolution"),
        "Model": (
            *("model", "modelname", "basemodel", "usestablediffusionmodel", "stablediffusionmodel"),
            *("modelweights", "ckptname", "unetname"),
        ),
        "Denoising strength": ("denoise", "denoisingstrength", "promptstrength"),
    }
)
"""Other tools' names of each setting, by A1111's name; in lower case, and only with letters and digits."""


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """Generation parameters in a picture's file.

    Attributes:
        prompt: the prompt; may be empty when only settings are known.
        negative: the negative prompt.
        settings: settings by A1111's names.
        tool: tool that wrote the file; empty when unknown.
    """

    prompt: str
    negative: str = ""
    settings: Mapping[str, str] = MappingProxyType({})
    tool: str = ""

    def as_text(self) -> str:
        """Parameters in A1111's format, with the tool as the version."""
        facts = dict(self.settings) | ({"Version": self.tool} if self.tool else {})
        lines = [
            self.prompt,
            f"Negative prompt: {self.negative}" if self.negative else "",
            ", ".join(f"{name}: {value}" for name, value in facts.items()),
        ]
        return "\n".join(line for line in lines if line)


def made_of(values: Mapping[str, Any], tool: str = "") -> Made | None:
    """Read parameters from a flat table with any tool's names; None when it has no prompt and less than two settings.

    Args:
        values: texts, numbers, or tables that contain a name.
        tool: tool that wrote the table.
    """
    some = islice(values.items(), _MOST_VALUES)
    known = {re.sub(r"[^a-z0-9]", "", key.lower()): value for key, value in some}
    settings = {
        name: told for name, names in SETTINGS.items() if (told := _first((known.get(one) for one in names), _setting))
    }
    width, height = (_setting(known.get(side)) for side in ("width", "height"))
    if width and height:
        settings["Size"] = f"{width}x{height}"
    elif "Size" in settings and len(sides := re.findall(r"\d{1,6}", settings["Size"])) == 2:  # noqa: PLR2004 - width and height
        settings["Size"] = "x".join(sides)
    settings = {name: settings[name] for name in SETTINGS if name in settings}
    prompt, negative = (_first((known.get(one) for one in names), _words) for names in (PROMPT, NEGATIVE))
    if not prompt and len(settings) < 2:  # noqa: PLR2004 - one alone may have another meaning
        return None
    return Made(prompt=prompt, negative=negative, settings=settings, tool=tool)


def _first(values: Iterable[Any], told: Any) -> str:
    return next((text for value in values if (text := told(value))), "")


def _words(value: object, deep: int = _MOST_DEEP) -> str:
    """Prompt from a text, a list of texts, or nested lists."""
    if not deep:
        return ""
    if isinstance(value, list):
        parts: list[Any] = value
        return "\n".join(text for part in parts if (text := _words(part, deep - 1)))
    if isinstance(value, dict):
        weighed: dict[str, Any] = value
        return _words(weighed.get("prompt"), deep - 1)
    return value.strip() if isinstance(value, str) else ""


def _setting(value: object) -> str:
    """Setting as one line; of a table, the name in it."""
    if isinstance(value, dict):
        named: dict[str, Any] = value
        value = next((named[key] for key in ("name", "model_name", "key") if key in named), None)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    if isinstance(value, float):
        value = f"{value:g}"
    # Python refuses to write integers with very many digits.
    text = value if isinstance(value, str) else format(value, "d") if abs(value) < 10**40 else ""
    return " ".join(text.replace(",", " ").split())[:_MOST_CHARACTERS_OF_A_VALUE]

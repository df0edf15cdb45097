"""A made-up option: as few lines as CONTRIBUTING says, and it is wherever members meet an option.

The lines are added to a copy of Easel, which a process of its own reads.
"""

from typing import Any

import pytest

from tests.patched_copy import patched_copy, told_by

LINES = (
    (
        "pipeline/protocol/requests.py",
        '    guidance_rescale: Annotated[float, Fact(lowest=0.0, highest=1.0, file_key="Guidance rescale")] = 0.0\n',
        '    sharpness: Annotated[float, Fact(lowest=0.0, highest=2.0, file_key="Sharpness")] = 0.0\n',
    ),
    ("bot/store/rows/preferences.py", "    model_key: str | None = None\n", "    sharpness: float | None = None\n"),
    (
        "bot/requests/options/table.py",
        '        needs=Capability.GUIDANCE,\n        habits=("cfg_scale", "guidance_scale"),\n    ),\n',
        (
            "    number(\n"
            '        "sharpness",\n'
            '        "sharpness",\n'
            '        decimal(_lowest("sharpness"), lambda *_: _highest("sharpness")),\n'
            "        lambda _: 0.0,\n"
            '        translations=("schärfe",),\n'
            "    ),\n"
        ),
    ),
    (
        "bot/presenting/texts/en.ftl",
        "option-model = Which model draws\n",
        (
            "option-sharpness = How crisp edges are\n"
            "name-sharpness = sharpness\n"
            "summary-sharpness = sharpness { $sharpness }\n"
            "preference-sharpness = sharpness\n"
        ),
    ),
    ("bot/presenting/texts/en.ftl", "        [cfg] the CFG\n", "        [sharpness] the sharpness\n"),
    (
        "bot/presenting/texts/de.ftl",
        "option-model = Welches Modell zeichnet\n",
        (
            "option-sharpness = Wie scharf Kanten sind\n"
            "name-sharpness = schärfe\n"
            "summary-sharpness = Schärfe { $sharpness }\n"
            "preference-sharpness = Schärfe\n"
        ),
    ),
    ("bot/presenting/texts/de.ftl", "        [cfg] das CFG\n", "        [sharpness] die Schärfe\n"),
)
"""A file, the line behind which others are added, and those that are."""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What each place makes of `sharpness`."""
    needed = ("example_jobs.py", "option_places.py")
    copy = patched_copy(tmp_path_factory.mktemp("easel"), LINES, tests=needed)
    found: dict[str, Any] = told_by(copy, "tests.option_places", "sharpness", "1.5", "9")
    return found


@pytest.mark.parametrize("command", ["imagine", "settings", "admin channel"])
def test_every_command_has_it_in_every_language(found: dict[str, Any], command: str) -> None:
    option = found[command]
    assert (option["min_value"], option["max_value"], option["required"]) == (0.0, 2.0, False)
    assert option["name_localizations"] == {"de": "schärfe"}
    ends = {
        "imagine": ("How crisp edges are", "Wie scharf Kanten sind"),
        "settings": (" sharpness", " sharpness"),
        "admin channel": (" the sharpness", " die Schärfe"),
    }
    described = (option["description"], option["description_localizations"]["de"])
    assert all(words.endswith(end) for words, end in zip(described, ends[command], strict=True)), described


def test_it_is_typed_kept_and_told(found: dict[str, Any]) -> None:
    for place in ("typed", "as a default", "remixed", "its command, pasted", "the file, pasted"):
        assert found[place] == 1.5, place
    assert found["whose default"]
    assert found["remixed default"]
    assert found["in a row of before"] == 0.0
    assert found["typed too much"] == ["2"]
    assert found["default in words"] == "sharpness 1\\.5"
    for place in ("below the picture", "in the details"):
        assert "sharpness 1.5" in found[place], place
    assert "sharpness: 1.5" in found["in the details"]
    assert ", Sharpness: 1.5, " in found["in the file"]


def test_the_command_line_and_the_engine_have_it(found: dict[str, Any]) -> None:
    assert found["on the command line"] == ["How crisp edges are"]
    assert found["beyond its bounds"] == "The sharpness is 9.0, outside 0.0 to 2.0."

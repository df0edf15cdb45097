"""Every prompt that Easel suggests draws the right picture from each of four seeds."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from bot.presenting.help_message import EXAMPLES
from bot.requests.given import GivenRequest
from bot.requests.resolving import resolve
from config.areas.pipeline import PipelineSettings
from config.catalogue import load_catalogue
from config.settings import LimitSettings
from playground.launcher import WELCOME
from recipes.pocket.drawing import measure
from recipes.pocket.judging import questions
from recipes.pocket.judging.classifiers import Classifier
from tests.recipes.pocket.easel_pictures import pictures_of

ROOT = Path(__file__).parents[3]
JUDGES = Path(__file__).parent / "judges"
SEEDS = (1, 2, 3, 4)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Expected content of a picture; number and color are measured on plain paper."""

    thing: str
    place: str = ""
    number: int = 0
    color: str = ""


PENGUIN = Wanted(thing="penguin", place="snow")
HEARTS = Wanted(thing="heart", number=4, color="red")
UMBRELLA = Wanted(thing="umbrella", number=1, color="purple")
OFFERED: Mapping[str, Wanted] = {
    "a red apple": Wanted(thing="apple", number=1, color="red"),
    "a green cactus in the desert": Wanted(thing="cactus", place="desert"),
    "a penguin in the snow": PENGUIN,
    "four red hearts": HEARTS,
    "two yellow stars on a blue background": Wanted(thing="star", number=2, color="yellow"),
    "two pink balloons on a blue background": Wanted(thing="balloon", number=2, color="pink"),
    "a purple umbrella on a yellow background": UMBRELLA,
    "a house in the mountains at sunset": Wanted(thing="house", place="mountains"),
    "a (purple:1.4) umbrella on a [yellow] background": UMBRELLA,
    "a [blue:red:0.5] heart": Wanted(thing="heart", number=1, color="red"),
    "four red hearts --seed 7 --steps 24": HEARTS,
    "a penguin in the snow --no fog --steps 30 --cfg 6": PENGUIN,
}


def offered() -> set[str]:
    """All prompts in the documents, the playground, the help and the vocabulary of the model."""
    vocabulary = json.loads((ROOT / "models/pocket/vocabulary.json").read_text(encoding="utf-8"))
    readme = re.findall(r"write `([^`]+)`", (ROOT / "README.md").read_text(encoding="utf-8"))
    guide = re.findall(r"^- `([^`]+)`$", WELCOME, re.MULTILINE)
    assert readme
    assert guide
    return {*EXAMPLES, *vocabulary["examples"], *readme, *guide}


def test_every_offered_prompt_is_looked_at() -> None:
    assert offered() == set(OFFERED)


@pytest.fixture(scope="module")
def pictures() -> dict[str, list[Image.Image]]:
    """Pictures of each prompt from each seed, drawn by Easel and not enlarged."""
    catalogue = load_catalogue(PipelineSettings().catalogue, "pocket")
    given = [GivenRequest(prompt=prompt, seed=SEEDS[0], num_images=len(SEEDS)) for prompt in OFFERED]
    requests = [resolve(each, catalogue=catalogue, limits=LimitSettings()).request for each in given]
    for request in requests:
        assert [request.single(index).seed for index in range(request.num_images)] == [*SEEDS]
    return dict(zip(OFFERED, pictures_of(requests), strict=True))


@pytest.mark.slow
def test_the_pictures_look_right_from_four_seeds(pictures: dict[str, list[Image.Image]]) -> None:
    of_thing = questions.labeler_of(Classifier.load("thing anywhere", JUDGES / "thing-anywhere.safetensors"))
    of_place = questions.labeler_of(Classifier.load("place", JUDGES / "place.safetensors"))

    def faults(picture: Image.Image, wanted: Wanted) -> list[object]:
        """The labels that differ from the expected ones."""
        middle = picture.crop((0, 0, picture.width // 2, picture.height // 2)) if wanted.number == 4 else picture
        seen = {
            wanted.thing: of_thing(middle.resize((64, 64)) if wanted.number == 4 else middle),
            wanted.place: of_place(picture) if wanted.place else "",
            wanted.number: measure.count(picture) if wanted.number else 0,
            wanted.color: measure.color(picture) if wanted.color else "",
        }
        return [label for expected, label in seen.items() if label != expected]

    found = {prompt: [faults(picture, OFFERED[prompt]) for picture in drawn] for prompt, drawn in pictures.items()}
    assert {prompt: each for prompt, each in found.items() if any(each)} == {}
    assert {len(each) for each in found.values()} == {len(SEEDS)}

"""From a prompt to the requests that it stands for, with the owner's lists of words on a real disk."""

import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from structlog.testing import capture_logs

from bot.errors import Refused
from bot.presenting.refusal import sentence_of
from bot.presenting.texts import text
from bot.requests.expanding import resolve_each
from bot.requests.given import GivenRequest
from bot.requests.resolving import Resolved
from bot.requests.typed.wildcards import MAX_BYTES, WildcardFolder
from bot.store.rows.preferences import AskerDefaults, Preferences
from config.catalogue import Catalogue
from config.settings import Settings
from pipeline.protocol.loras import LoraEntry, Style
from pipeline.protocol.wire.outputs import Notice

NO_DEFAULTS = AskerDefaults()


class Asking:
    def __init__(self, settings: Settings, catalogue: Catalogue, folder: Path) -> None:
        self.settings = settings
        self.catalogue = catalogue
        self.folder = folder

    async def __call__(
        self,
        prompt: str,
        *,
        has_lists: bool = True,
        most: int = 8,
        defaults: AskerDefaults = NO_DEFAULTS,
        styles: Sequence[Style] | None = None,
        **options: Any,
    ) -> list[Resolved]:
        given = msgspec.convert({"prompt": prompt, **options}, GivenRequest)
        prompts = {"wildcards": self.folder if has_lists else None, "max_jobs": most}
        settings = self.settings.model_copy(update={"prompts": self.settings.prompts.model_copy(update=prompts)})
        return list(
            await resolve_each(given, settings=settings, catalogue=self.catalogue, defaults=defaults, styles=styles)
        )

    async def refused(self, prompt: str, **options: Any) -> str:
        with pytest.raises(Refused) as refused:
            await self(prompt, **options)
        return sentence_of(refused.value).replace("\\", "")


@pytest.fixture
def asking(settings: Settings, catalogue: Catalogue, tmp_path: Path) -> Asking:
    folder = tmp_path / "lists"
    (folder / "animals").mkdir(parents=True)
    (folder / "color.txt").write_text("\ufeff# colors\nred\n\n  green  \nblue\n", encoding="utf-8")
    (folder / "animals" / "pets.txt").write_text("a __color__ cat\na __color__ dog\n", encoding="utf-8")
    return Asking(settings, catalogue, folder)


async def test_options_are_read_in_each_prompt_by_itself(asking: Asking) -> None:
    each = await asking("a {cat, dog} --ar {1:1, 16:9} --seed {3|4} --no {rain|snow, fog} --cfg 6", most=16)
    requests = [resolved.request for resolved in each]
    assert len(requests) == 16
    assert {request.prompt for request in requests} == {"a cat", "a dog"}
    assert {(request.width, request.height) for request in requests} == {(64, 64), (112, 64)}
    assert {request.seed for request in requests} == {3, 4}
    assert {request.negative_prompt for request in requests} == {"rain", "snow, fog"}
    assert {request.guidance_scale for request in requests} == {6.0}


async def test_jobs_have_seeds_of_their_own_unless_one_is_given(asking: Asking) -> None:
    assert len({resolved.request.seed for resolved in await asking("{a|b|c|d}")}) > 1
    assert {resolved.request.seed for resolved in await asking("{a|b|c|d}", seed=9)} == {9}


async def test_a_seed_chooses_the_words_and_the_words_can_be_pasted(asking: Asking) -> None:
    for seed in range(20):
        (first,) = await asking("__animals/pets__ --no __color__ light", seed=seed)
        (again,) = await asking(f"__animals/pets__ --seed {seed}", negative_prompt="__color__ light")
        (pasted,) = await asking(first.request.prompt, seed=seed, negative_prompt=first.request.negative_prompt)
        assert first.request == again.request == pasted.request
        assert "__" not in first.request.prompt + first.request.negative_prompt
    chosen = {(await asking("__animals/pets__", seed=seed))[0].request.prompt for seed in range(60)}
    assert chosen == {f"a {color} {pet}" for color in ("red", "green", "blue") for pet in ("cat", "dog")}


async def test_a_style_is_added_to_every_job(asking: Asking) -> None:
    style = LoraEntry(name="fur", title="Fur", trigger_words=("furry {coat}",), scale=0.8)
    given = GivenRequest(prompt="a {cat|dog} <lora:{ink|oil}:1> --seed 3", style=style)
    each = await resolve_each(given, settings=asking.settings, catalogue=asking.catalogue)
    assert [resolved.request.prompt for resolved in each] == [
        f"a {animal} <lora:{paint}:1>, furry {{coat}} <lora:fur:0.8>"
        for animal in ("cat", "dog")
        for paint in ("ink", "oil")
    ]


async def test_styles_and_defaults_hold_in_each_job(asking: Asking) -> None:
    style = LoraEntry(name="fur", title="Soft Fur")
    usual = AskerDefaults(own=Preferences(num_inference_steps=9))
    each = await asking(
        "/imagine prompt: embedding:gone, a {cat|dog} style: soft fur", styles=[style], defaults=usual, has_lists=False
    )
    assert [one.request.prompt for one in each] == ["a cat <lora:fur:1>", "a dog <lora:fur:1>"]
    assert {one.request.num_inference_steps for one in each} == {9}
    assert all(one.defaults == usual for one in each)


async def test_lists_are_read_beside_the_loop(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    lines, read_in = WildcardFolder.lines, list[bool]()

    def noted(folder: WildcardFolder, name: str) -> tuple[str, ...]:
        read_in.append(threading.current_thread() is threading.main_thread())
        return lines(folder, name)

    monkeypatch.setattr(WildcardFolder, "lines", noted)
    await asking("a __color__ cat")
    assert read_in == [False]


async def test_picks_are_made_and_chances_are_told(asking: Asking) -> None:
    each = await asking("{2$$ and $$red|green|blue} stars")
    assert [one.request.prompt for one in each] == ["red and green stars", "red and blue stars", "green and blue stars"]
    weighed = await asking("a {0.5::red|2::green} star")
    assert [one.request.prompt for one in weighed] == ["a red star", "a green star"]
    assert [[notice.key for notice in one.notices] for one in weighed] == [["notice-chances"]] * 2
    assert "each of them is drawn once" in text("notice-chances")
    assert [one.notices for one in await asking("a {red|green} star", most=2)] == [(), ()]
    told = [one.notices for one in await asking("a {2::red|green} star", most=2)]
    assert told == [(Notice(key="notice-chances"),)] * 2


async def test_templates_that_are_not_read_are_refused_before_they_cost(asking: Asking) -> None:
    assert await asking.refused("a ${x} cat", most=2) == (
        "“${x}” means nothing here. Write out what it stands for, or put a backslash before its brace to keep it as it "
        "is; “{2$$a|b|c}” is two of three."
    )
    assert "“${x=red}” means nothing here" in await asking.refused("${x=red} a ${x} cat")
    assert "“{x$$” means nothing here" in await asking.refused("{x$$a|b} {c|d}")
    (kept,) = await asking(r"a $\{x} cat")
    assert kept.request.prompt == r"a $\{x} cat"


async def test_without_lists_and_with_one_job_these_signs_are_words(asking: Asking) -> None:
    for prompt in ("a star __color__ {a|b}", "a star ${x}", "a star {2::a|b}"):
        (only,) = await asking(prompt, has_lists=False, most=1)
        assert only.request.prompt == prompt
        assert "notice-chances" not in {notice.key for notice in only.notices}


async def test_what_cannot_be_chosen_is_told(asking: Asking, tmp_path: Path) -> None:
    folder = asking.folder
    (tmp_path / "secret.txt").write_text("secret")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "empty.txt").write_text("# nothing\n")
    (folder / "latin.txt").write_bytes(b"caf\xe9\n")
    (folder / "large.txt").write_bytes(b"x\n" * MAX_BYTES)
    (folder / "loop.txt").write_text("__loop__\n")
    os.mkfifo(folder / "pipe.txt")
    (folder / "long.txt").write_text("x" * 2_100)
    assert "more than 8 jobs" in await asking.refused("{a,b,c} {d,e,f}")
    assert "Did you mean __color__?" in await asking.refused("a __colour__ cat")
    (folder / "colors.txt").write_text("red\n")
    assert "Did you mean __colors__, __color__?" in await asking.refused("a __colours__ cat")
    assert "no list of words called “zzz” here. Take it out" in await asking.refused("__zzz__")
    for name in ("link", "pipe"):
        assert f"no list of words called “{name}”" in await asking.refused(f"__{name}__")
    for name, why in (("empty", "has no entry"), ("latin", "cannot be read"), ("large", "is larger than")):
        with capture_logs() as logged:
            assert f"“{name}” cannot be read" in await asking.refused(f"__{name}__")
        (entry,) = logged
        assert f"{name}.txt {why}" in entry.pop("reason")
        assert entry == {"event": "list of words unusable", "action": "refused", "log_level": "warning"}
    assert "without an end" in await asking.refused("__loop__")
    assert "has 2100 characters" in await asking.refused("__long__")

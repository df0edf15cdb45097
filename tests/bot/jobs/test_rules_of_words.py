"""Rules of words at the door: every way to a request is refused, costs nothing, and keeps the words."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bot.errors import Refused
from bot.interactions.refused_words import offending_lists
from bot.presenting.admin import words as sentences
from bot.presenting.refusal import sentence_of
from bot.requests.derived.deriving import as_it_was, remix, reroll, upscale, vary
from bot.requests.enlarging.creative import Enlargement, drawn_in_tiles
from bot.requests.enlarging.upscale import upscale_request, upscaler_of
from bot.requests.expanding import resolve_each
from bot.requests.given import GivenRequest
from bot.requests.options.takes import GivenPicture
from bot.safety.gate import RuleRefused
from bot.safety.hard_rule import HardRule
from bot.safety.pauses import MAX_REFUSALS, STEP
from bot.safety.real_people import REASON
from bot.safety.words.files import read_text
from bot.safety.words.rules import Rule
from bot.store.cases import WARNING_LIFETIME
from bot.store.images import ImageStore
from bot.store.members.servers import Decision
from bot.store.rows.jobs import JobOrder, WantedJob
from bot.store.rows.origin import Asker
from bot.store.rows.preferences import AskerDefaults, Preferences
from config.catalogue import Catalogue
from config.settings import Settings
from pipeline.protocol.loras import LoraEntry
from pipeline.protocol.requests import GenerationRequest, Request
from tests.bot.store.conftest import inputs_of
from tests.example_jobs import example_origin

RULES = """
exceptions = ["Dagger Falls"]
[[rules]]
word = "dagger"
reason = "No weapons."
[[rules]]
word = "castle"
action = "warn"
"""
ASKER = Asker(guild_id=1, channel_id=2, user_id=7)
OpenHouse = Callable[..., Awaitable[Any]]


def order_of(request: Request, number: int = 900, asker: Asker = ASKER) -> JobOrder:
    return JobOrder(origin=example_origin(asker, interaction_id=number), request=request, notices=())


@pytest.fixture
def rules(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "rules.toml").write_text(RULES, encoding="utf-8")
    return {"words": tmp_path / "rules.toml"}


async def ways_to(
    settings: Settings, catalogue: Catalogue, old: GenerationRequest, lists: Path
) -> Mapping[str, Request]:
    """A request with the word for each way that leads to one: typed ones, and those made from an old job."""
    lists.mkdir()
    (lists / "weapons.txt").write_text("d4gger\n", encoding="utf-8")
    settings = settings.model_copy(update={"prompts": settings.prompts.model_copy(update={"wildcards": lists})})
    typed = {
        "form": GivenRequest(prompt="a dagger"),
        "disguised": GivenRequest(prompt="a d\u200ba\u200bgger, --steps 9"),
        "braces": GivenRequest(prompt="a {d a g g e r|dagger}"),
        "wildcard": GivenRequest(prompt="a __weapons__"),
        "command": GivenRequest(prompt="/imagine prompt: a dagger --ar 1:1"),
        "settings": GivenRequest(prompt="a dagger\nSteps: 9, Sampler: Euler, CFG scale: 5, Seed: 1, Size: 64x64"),
        "weights": GivenRequest(prompt="a cat::2 dagger::1"),
        "schedule": GivenRequest(prompt="a [dag:x:0.99]ger"),
        "turns": GivenRequest(prompt="a dag[x|ger]"),
        "attracting negative": GivenRequest(prompt="a cat", negative_prompt="(dagger:-1)"),
        "typed negative": GivenRequest(prompt="a cat --no (dagger:-1)"),
    }
    found: dict[str, Request] = {}
    for way, given in typed.items():
        for number, each in enumerate(await resolve_each(given, settings=settings, catalogue=catalogue)):
            found[f"{way} {number}"] = each.request
    enlarger = upscaler_of(catalogue, None)
    picture = GivenPicture(sha256="0" * 64, sides=(64, 64))
    styles = (LoraEntry(name="knives", title="Knives", trigger_words=("d4gger style",)),)
    defaults = AskerDefaults(own=Preferences(negative_prompt="(dagger:-1)"))
    parts: dict[str, tuple[GivenRequest, AskerDefaults]] = {
        "style": (GivenRequest(prompt="a cat", style=styles[0]), AskerDefaults()),
        "own default": (GivenRequest(prompt="a cat"), defaults),
        "channel's default": (GivenRequest(prompt="a cat"), AskerDefaults(channel=defaults.own)),
        "use as reference": (GivenRequest(prompt="a dagger", image=picture), AskerDefaults()),
    }
    for way, (given, theirs) in parts.items():
        (only,) = await resolve_each(given, settings=settings, catalogue=catalogue, defaults=theirs, styles=styles)
        found[way] = only.request
    (changed,) = await resolve_each(
        GivenRequest(prompt="a dagger"),
        settings=settings,
        catalogue=catalogue,
        defaults=AskerDefaults(own=as_it_was(old)),
    )
    enlargement = Enlargement(
        creative="subtle", scale=4, upscaler=enlarger.key, picture=picture, was_shrunk=False, is_upscaler_named=False
    )
    found["creative upscale"] = drawn_in_tiles(changed, enlargement, catalogue, settings.limits).request
    earlier = WantedJob(request=old, notices=())
    found["remix"] = remix(changed, earlier, is_same_noise=True).request
    return found | {
        "reroll and try again": reroll(old),
        "variation": vary(old, 0, 0.2),
        "second pass": upscale(old, 0, catalogue.models[old.model_key], settings.limits),
        "enlarging": upscale_request(picture, None, enlarger, was_shrunk=False, prompt=old.prompt),
    }


async def test_every_way_is_refused_and_costs_nothing(
    open_house: OpenHouse,
    rules: dict[str, Any],
    settings: Settings,
    catalogue: Catalogue,
    request_: GenerationRequest,
    tmp_path: Path,
) -> None:
    house = await open_house()
    old = msgspec.structs.replace(request_, prompt="a dagger")
    before, _ = await house.services.accepting.accept(order_of(old))
    spent = await house.spent()
    house = await open_house(safety=rules)
    ways = await ways_to(settings, catalogue, old, tmp_path / "lists")
    for user_id, (way, request) in enumerate(ways.items(), 100):
        asker = Asker(guild_id=1, channel_id=2, user_id=user_id)  # nobody is refused so often as to be paused
        with pytest.raises(Refused) as refused:
            await house.services.accepting.accept(order_of(request, 901, asker))
        assert refused.value.key == "refused-word", way
        with pytest.raises(Refused):
            await house.services.accepting.outlook(asker, [request_, request])
    assert await house.spent() == spent
    assert [row[0] for row in await house.database.fetch_all("SELECT job_id FROM jobs")] == [before.job_id]
    assert await house.broken() == []


async def test_a_refusal_names_word_rule_and_reason_and_keeps_the_prompt(
    open_house: OpenHouse, rules: dict[str, Any], request_: GenerationRequest
) -> None:
    house = await open_house(safety=rules)
    prompt = "a d4gger on a table"
    with pytest.raises(Refused) as refused:
        await house.services.accepting.accept(order_of(msgspec.structs.replace(request_, prompt=prompt)))
    assert sentence_of(refused.value, prompt) == (
        "This Easel draws no pictures with “dagger” (rule 1: No weapons). Found: “d4gger”. Nothing was charged.\n"
        "-# Your prompt: a d4gger on a table"
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"prompt": "a tent at Dagger Falls"},
        {"prompt": "a cat", "negative_prompt": "dagger"},
        {"prompt": "a cat", "negative_prompt": "(dagger:-1)", "guidance_scale": 1.0},
        {"prompt": "<lora:dagger:1> a cat"},
    ],
)
async def test_what_is_allowed_is_accepted(
    open_house: OpenHouse, rules: dict[str, Any], request_: GenerationRequest, changes: dict[str, Any]
) -> None:
    house = await open_house(safety=rules)
    job, _ = await house.services.accepting.accept(order_of(msgspec.structs.replace(request_, **changes)))
    assert "notice-word" not in [notice.key for notice in job.notices]


async def test_a_warning_is_told_and_the_job_accepted(
    open_house: OpenHouse, rules: dict[str, Any], request_: GenerationRequest
) -> None:
    house = await open_house(safety=rules)
    request = msgspec.structs.replace(request_, prompt="a c4stle")
    job, _ = await house.services.accepting.accept(order_of(request))
    (told,) = [notice for notice in job.notices if notice.key == "notice-word"]
    assert told.values == {"word": "castle", "rule": 2, "reason": "none"}


async def test_a_server_adds_rules_of_its_own_and_its_exceptions_loosen_only_these(
    open_house: OpenHouse, rules: dict[str, Any], request_: GenerationRequest
) -> None:
    house = await open_house(safety=rules)
    by = Decision(guild_id=ASKER.guild_id, actor_id=9, now=datetime(2026, 5, 1, tzinfo=UTC))
    await house.services.word_rules.add(by, [Rule(word="banana")], ["dagger", "banana bread"])

    async def refusal(prompt: str, asker: Asker = ASKER) -> str:
        request = msgspec.structs.replace(request_, prompt=prompt)
        try:
            await house.services.accepting.outlook(asker, [request])
        except Refused as refused:
            return str(refused.values["whose"])
        return ""

    assert await refusal("a b4nana") == "server"
    assert await refusal("banana bread") == ""
    assert await refusal("a banana", Asker(guild_id=2, channel_id=2, user_id=7)) == ""
    assert await refusal("a dagger") == "owner"
    await house.services.word_rules.remove(by, 1)
    assert await refusal("a b4nana") == ""


async def test_the_hard_rule_is_told_without_a_hint_and_its_audit_row_has_no_words(
    open_house: OpenHouse, request_: GenerationRequest
) -> None:
    house = await open_house()
    house.services.gate._hard_rule = HardRule(read_text("blorbel"), read_text("zindel"), read_text("grelk"))
    order = order_of(msgspec.structs.replace(request_, prompt="a blorbel, zindel"))
    with pytest.raises(Refused) as refused:
        await house.services.accepting.accept(order)
    assert sentence_of(refused.value) == "This cannot be drawn. Nothing was charged."
    with pytest.raises(Refused, match="refused-hard"):
        await house.services.accepting.outlook(ASKER, [order.request])
    assert await house.spent() == 0
    rows = await house.services.servers.audit_log(ASKER.guild_id, 9)
    assert [(row.action, row.actor_id, row.subject, row.detail) for row in rows] == [("hard-rule", 7, "", "minors")] * 2


async def test_sexual_pictures_of_real_people_are_refused_with_an_appeal_unless_the_owner_allows_them(
    open_house: OpenHouse, request_: GenerationRequest, tmp_path: Path
) -> None:
    (tmp_path / "people.txt").write_text("Blorbel Zorp\n", encoding="utf-8")
    house = await open_house(safety={"people": tmp_path / "people.txt"})
    prompts = (
        "a celebrity, nude",
        "n4ked portrait of my ex",
        "Blorbel Zorp in lingerie",
        "berühmte Schauspielerin, nackt",
    )
    for number, prompt in enumerate(prompts):
        order = order_of(
            msgspec.structs.replace(request_, prompt=prompt),
            900 + number,
            Asker(guild_id=1, channel_id=2, user_id=number + 1),
        )
        with pytest.raises(RuleRefused, match="refused-real-people") as refused:
            await house.services.accepting.accept(order)
        assert refused.value.refusal is not None
        assert "draws no sexual pictures of real people. Found: " in sentence_of(refused.value)
    assert await house.spent() == 0
    explained = await house.services.gate.explain(1, "a celebrity, nude")
    assert [(hit.rule.word, hit.rule.reason) for hit in explained["owner"]] == [("celebrity", REASON)]
    for number, prompt in enumerate(
        ("a celebrity on a stage", "a nude in oil", "my ex and a dog", "star, undressed salad")
    ):
        await house.services.accepting.accept(order_of(msgspec.structs.replace(request_, prompt=prompt), 950 + number))
    await house.close()
    house = await open_house(safety={"real_people": False})
    await house.services.accepting.accept(order_of(msgspec.structs.replace(request_, prompt=prompts[0]), 990))


async def test_a_picture_that_was_given_with_what_the_hard_rule_refuses_is_not_kept(
    open_house: OpenHouse, request_: GenerationRequest, tmp_path: Path
) -> None:
    house = await open_house()
    house.services.gate._hard_rule = HardRule(read_text("blorbel"), read_text("zindel"), read_text("grelk"))
    files, accepting = ImageStore(tmp_path / "inputs"), house.services.accepting
    named, given = await files.save(b"named"), await files.save(b"given")
    await house.ask(inputs=(named,))
    request = msgspec.structs.replace(request_, prompt="a blorbel, zindel", inputs=inputs_of(named, given))
    for ask in (accepting.accept(order_of(request)), accepting.outlook(ASKER, [request])):
        await files.save(b"given")
        with pytest.raises(Refused, match="refused-hard"):
            await ask
        assert {path.stem for path in (tmp_path / "inputs").rglob("*.png")} == {named}


async def test_the_owners_program_hears_of_what_the_hard_rule_refuses(
    open_house: OpenHouse, request_: GenerationRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EASEL_SECRET", "nobody reads this")
    program, told = tmp_path / "tell-me", tmp_path / "told"
    program.write_text(f'#!/bin/sh\necho "$@" > {told}; env >> {told}\n', encoding="utf-8")
    program.chmod(0o700)
    house = await open_house(safety={"on_hard_rule": program})
    house.services.gate._hard_rule = HardRule(read_text("blorbel"), read_text("zindel"), read_text("grelk"))
    with pytest.raises(Refused, match="refused-hard"):
        await house.services.accepting.accept(order_of(msgspec.structs.replace(request_, prompt="a blorbel, zindel")))
    await asyncio.gather(*house.services.accepting._judging.programs)
    said = told.read_text(encoding="utf-8")
    assert said.startswith("minors -\n")
    assert "blorbel" not in said
    assert "EASEL_" not in said


async def test_each_warning_makes_a_pause_longer_up_to_an_hour_and_a_pause_is_one(
    open_house: OpenHouse, rules: dict[str, Any], request_: GenerationRequest
) -> None:
    house = await open_house(safety={**rules, "trusted_roles": frozenset({77})})
    accepting, cases = house.services.accepting, house.services.cases
    judging = accepting._judging
    forbidden = msgspec.structs.replace(request_, prompt="a dagger")
    now = datetime.now(UTC).replace(microsecond=0)

    async def pause(at: datetime, asker: Asker = ASKER) -> timedelta:
        for _ in range(MAX_REFUSALS):
            with pytest.raises(Refused, match="refused-word"):
                await judging.judge(asker, forbidden, at)
        until = await house.services.hits.paused_until(asker.guild_id, asker.user_id, at)
        return timedelta() if until is None else until - at

    lengths = [await pause(now + number * timedelta(hours=2)) for number in range(7)]
    assert [length / timedelta(minutes=10) for length in lengths] == [1, 2, 3, 4, 5, 6, 6]
    assert await pause(now + WARNING_LIFETIME + timedelta(days=1)) == timedelta(minutes=10)
    # A rule of the action `warn` counts too, once a job.
    other = Asker(guild_id=1, channel_id=2, user_id=8)
    await accepting.accept(order_of(msgspec.structs.replace(request_, prompt="a c4stle"), 950, other))
    assert await cases.warnings(1, 8, datetime.now(UTC)) == 1
    trusted = Asker(guild_id=1, channel_id=2, user_id=9, role_ids=(77,))
    await accepting.accept(order_of(msgspec.structs.replace(request_, prompt="a c4stle"), 951, trusted))
    assert await pause(now, trusted) == timedelta()
    assert await cases.warnings(1, 9, datetime.now(UTC)) == 0
    assert await house.services.servers.audit_log(1, 9) == []


async def test_a_list_of_words_is_named_that_has_a_rules_word(
    open_house: OpenHouse, rules: dict[str, Any], tmp_path: Path
) -> None:
    lists = tmp_path / "lists"
    lists.mkdir()
    (lists / "weapons.txt").write_text("rope\nd4gger\ndagger\n", encoding="utf-8")
    (lists / "food.txt").write_text("bread\n", encoding="utf-8")
    house = await open_house(safety=rules, prompts={"wildcards": lists})
    found = await offending_lists(
        house.services, ASKER.guild_id, "a __weapons__, __FOOD__ and __nothing__, __weapons__"
    )
    assert [(each.name, each.line, each.whose, each.hit.rule.number) for each in found] == [
        ("weapons", "d4gger", "owner", 1)
    ]
    assert (
        sentences.tested({}, found)
        == "The list “weapons” has the line “d4gger”, in which rule 1 of the owner finds “dagger”."
    )
    house = await open_house(safety=rules)
    assert await offending_lists(house.services, ASKER.guild_id, "a __weapons__") == []


async def test_the_sixth_request_after_five_refusals_waits_and_nobody_is_blocked(
    open_house: OpenHouse, rules: dict[str, Any], request_: GenerationRequest
) -> None:
    house = await open_house(safety={**rules, "trusted_roles": frozenset({77})})
    refused_request = msgspec.structs.replace(request_, prompt="a dagger")
    told: list[bool] = []

    async def refusal(request: GenerationRequest, asker: Asker) -> str:
        try:
            await house.services.accepting.outlook(asker, [request])
        except Refused as refused:
            told.append("You can ask again <t:" in sentence_of(refused))
            return refused.key
        return ""

    assert [await refusal(refused_request, ASKER) for _ in range(5)] == ["refused-word"] * 5
    assert told == [False] * 4 + [True]
    assert await refusal(request_, ASKER) == "refused-paused"
    assert await refusal(request_, msgspec.structs.replace(ASKER, guild_id=6)) == ""
    house = await open_house(safety={**rules, "trusted_roles": frozenset({77})})
    assert await refusal(request_, ASKER) == "refused-paused"
    later = datetime.now(UTC) + STEP
    assert await house.services.accepting._judging.judge(ASKER, request_, later)
    await house.services.hits.pause(5, 5, later + STEP, later)
    (left,) = await house.database.fetch_all("SELECT user_id FROM pauses")
    assert left["user_id"] == 5
    assert await house.database.fetch_all("SELECT * FROM blocks") == []
    trusted = Asker(guild_id=1, channel_id=2, user_id=8, role_ids=(77,))
    told.clear()
    assert [await refusal(refused_request, trusted) for _ in range(6)] == ["refused-word"] * 6
    assert told == [False] * 6
    assert await refusal(request_, trusted) == ""

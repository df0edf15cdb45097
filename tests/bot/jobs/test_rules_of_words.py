"""Rules of words at the door: every way to a request is refused, costs nothing, and keeps the words."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bot.errors import Refused
from bot.presenting.refusal import sentence_of
from bot.requests.derived.deriving import reroll, upscale, vary
from bot.requests.enlarging.upscale import upscale_request, upscaler_of
from bot.requests.expanding import resolve_each
from bot.requests.given import GivenRequest
from bot.requests.options.takes import GivenPicture
from bot.safety.hard_rule import HardRule
from bot.safety.words.files import read_text
from bot.safety.words.rules import Rule
from bot.store.members.servers import Decision
from bot.store.rows.jobs import JobOrder
from bot.store.rows.origin import Asker
from config.catalogue import Catalogue
from config.settings import Settings
from pipeline.protocol.requests import GenerationRequest, Request
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
    house.services.gate._hard_rule = HardRule(read_text("blorbel\n"), read_text("zindel\n"))
    order = order_of(msgspec.structs.replace(request_, prompt="a blorbel, zindel"))
    with pytest.raises(Refused) as refused:
        await house.services.accepting.accept(order)
    assert sentence_of(refused.value) == "This cannot be drawn. Nothing was charged."
    with pytest.raises(Refused, match="refused-hard"):
        await house.services.accepting.outlook(ASKER, [order.request])
    assert await house.spent() == 0
    rows = await house.services.servers.audit_log(ASKER.guild_id, 9)
    assert [(row.action, row.actor_id, row.subject, row.detail) for row in rows] == [("hard-rule", 7, "", "minors")] * 2


async def test_the_sixth_request_after_five_refusals_waits_and_nobody_is_blocked(
    open_house: OpenHouse, rules: dict[str, Any], request_: GenerationRequest
) -> None:
    house = await open_house(safety={**rules, "trusted_roles": frozenset({77})})
    refused_request = msgspec.structs.replace(request_, prompt="a dagger")

    async def refusal(request: GenerationRequest, asker: Asker) -> str:
        try:
            await house.services.accepting.outlook(asker, [request])
        except Refused as refused:
            return refused.key
        return ""

    assert [await refusal(refused_request, ASKER) for _ in range(5)] == ["refused-word"] * 5
    assert await refusal(request_, ASKER) == "refused-paused"
    assert await house.database.fetch_all("SELECT * FROM blocks") == []
    trusted = Asker(guild_id=1, channel_id=2, user_id=8, role_ids=(77,))
    assert [await refusal(refused_request, trusted) for _ in range(6)] == ["refused-word"] * 6
    assert await refusal(request_, trusted) == ""

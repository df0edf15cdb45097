"""The gate: rules of words judge a resolved request before it is accepted."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from bot.errors import Refused
from bot.safety.hard_rule import HardRule
from bot.safety.judging import hits_of
from bot.safety.real_people import RealPeople
from bot.safety.words.matching import Hit, Matcher
from bot.safety.words.rules import Action, RuleSet
from pipeline.protocol.requests import Request
from pipeline.protocol.wire.outputs import Notice

OWNER: Final = "owner"
SERVER: Final = "server"
_MAX_MATCHERS: Final = 64
_NO_REASON: Final = "none"
NO_PAUSE: Final = "none"
"""Value `until` of a refusal that leads to no pause."""
_MAX_PART: Final = 80
"""Most characters of a prompt's part in a sentence."""


class RuleRefused(Refused):
    """A rule of words forbids a request.

    Attributes:
        refusal: the rule and the request; None where nothing may be kept of it.
    """

    def __init__(self, key: str, refusal: "Refusal | None" = None, **values: str | int) -> None:
        super().__init__(key, **values)
        self.refusal = refusal


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule found in a request; `whose` is `OWNER` or `SERVER`."""

    whose: str
    hit: Hit
    request: Request


class HardRefused(RuleRefused):
    """The hard rule forbids a request."""


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """An allowed request: what rules of `warn` and of `review` tell. With one of these, a moderator looks first."""

    warnings: tuple[Notice, ...] = ()
    reviews: tuple[Notice, ...] = ()


class Gate:
    """Judges requests by the owner's rules, then by those of the server where they are asked for.

    Args:
        owners: the owner's rules.
        servers: gives the rules of a server by its id; the same object until they change.
        hard_rule: what is refused before any rule of theirs.
        people: what is refused of real people, as a rule of the owner.
    """

    def __init__(
        self,
        owners: RuleSet,
        servers: Callable[[int], Awaitable[RuleSet]],
        hard_rule: HardRule,
        people: RealPeople,
    ) -> None:
        self._hard_rule = hard_rule
        self._people = people
        self._owners = Matcher(owners)
        self._servers = servers
        self._matchers: OrderedDict[int, Matcher] = OrderedDict()

    async def judge(self, guild_id: int, request: Request, *, is_allowed: bool = False) -> Judgement:
        """Judge a request.

        Where there are no moderators, a rule of the action `review` refuses.

        Args:
            guild_id: the server whose rules apply beside the owner's; 0 for none.
            request: the request.
            is_allowed: whether moderators allow it although a rule of the server forbids it.

        Raises:
            HardRefused: the hard rule forbids it.
            RuleRefused: another rule forbids it.
            Refused: the prompt changes so often that it is not judged.
        """
        if self._hard_rule.forbids(request):
            raise HardRefused("refused-hard", until=NO_PAUSE)
        if named := self._people.hits(request):
            refusal = Refusal(whose=OWNER, hit=named[0], request=request)
            raise RuleRefused("refused-real-people", refusal, part=_values(named[0])["part"], until=NO_PAUSE)
        found = {OWNER: hits_of(self._owners, request)}
        if guild_id and not is_allowed:
            found[SERVER] = hits_of(await self.matcher_of(guild_id), request)
        for whose, hits in found.items():
            for hit in hits:
                if hit.rule.action is Action.REFUSE or (hit.rule.action is Action.REVIEW and not guild_id):
                    refusal = Refusal(whose=whose, hit=hit, request=request)
                    raise RuleRefused("refused-word", refusal, whose=whose, until=NO_PAUSE, **_values(hit))
        told = [hit for hits in found.values() for hit in hits]
        return Judgement(
            warnings=tuple(_notices("notice-word", told, Action.WARN)),
            reviews=tuple(_notices("notice-review", told, Action.REVIEW)),
        )

    async def explain(self, guild_id: int, prompt: str) -> Mapping[str, Sequence[Hit]]:
        """What the rules find in a prompt, with what exceptions allow: by `owner` and `server`.

        Raises:
            Refused: the prompt changes so often that it is not judged.
        """
        found = {whose: matcher.explain(prompt) for whose, matcher in (await self.matchers(guild_id)).items()}
        return {**found, OWNER: (*self._people.explain(prompt), *found[OWNER])}

    async def matchers(self, guild_id: int) -> Mapping[str, Matcher]:
        """The matchers of the owner's rules and of a server's: by `OWNER` and `SERVER`."""
        return {OWNER: self._owners, SERVER: await self.matcher_of(guild_id)}

    async def matcher_of(self, guild_id: int) -> Matcher:
        """The matcher of a server's rules; those of the last servers are kept."""
        rules = await self._servers(guild_id)
        matcher = self._matchers.pop(guild_id, None)
        if matcher is None or matcher.rule_set is not rules:
            matcher = Matcher(rules)
        self._matchers[guild_id] = matcher
        if len(self._matchers) > _MAX_MATCHERS:
            self._matchers.popitem(last=False)
        return matcher


def _notices(key: str, hits: Iterable[Hit], action: Action) -> Iterator[Notice]:
    for hit in hits:
        if hit.rule.action is action:
            values = _values(hit)
            yield Notice(key=key, values={name: values[name] for name in ("word", "rule", "reason")})


def _values(hit: Hit) -> dict[str, str | int]:
    part = hit.part if len(hit.part) <= _MAX_PART else f"{hit.part[:_MAX_PART]}…"
    return {
        "word": hit.rule.word.strip("*"),
        "rule": hit.rule.number,
        "reason": hit.rule.reason.rstrip(".") or _NO_REASON,
        "part": part,
    }

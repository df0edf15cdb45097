"""What admins decide: it holds in their server alone, and every decision is written down."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from bot.quotas.rules import Rule, Subject
from bot.quotas.standing import Obstacle, QueueState
from bot.store.admission import NotAllowed
from bot.store.members.servers import WHOLE_SERVER, ChannelRule, Content
from bot.store.rows.jobs import NewJob
from bot.store.rows.origin import Asker
from bot.store.rows.preferences import Preferences
from config.areas.quotas import Period
from tests.bot.store.conftest import NOW, Store, asker_of, decision, settings_of

Make = Callable[..., NewJob]
OTHER = 6


async def limit_of(store: Store, asker: Asker) -> tuple[int | None, Period]:
    rule = (await store.jobs.facts(asker, settings_of(amount=50), NOW)).rules.member
    return rule.amount, rule.period


async def is_allowed(store: Store, channel: int, parent: int | None = None) -> bool:
    asker = Asker(guild_id=5, channel_id=channel, user_id=1, parent_channel_id=parent)
    return (await store.jobs.facts(asker, settings_of(), NOW)).is_channel_allowed


async def test_the_members_own_rule_comes_before_the_best_role_before_the_server(store: Store) -> None:
    async def set_rule(subject: Subject, subject_id: int, amount: int | None, period: Period = Period.DAY) -> None:
        await store.servers.set_rule(decision(), subject, subject_id, Rule(amount=amount, period=period))

    assert await limit_of(store, asker_of()) == (50, Period.DAY)
    await set_rule(Subject.SERVER, 0, 20)
    assert await limit_of(store, asker_of()) == (20, Period.DAY)
    await set_rule(Subject.ROLE, 71, 10)
    await set_rule(Subject.ROLE, 72, 5, Period.HOUR)
    await set_rule(Subject.ROLE, 73, None)
    assert await limit_of(store, asker_of(roles=(71, 72))) == (5, Period.HOUR)
    assert await limit_of(store, asker_of(roles=(71, 73))) == (None, Period.DAY)
    await set_rule(Subject.USER, 1, 3)
    assert await limit_of(store, asker_of(roles=(71, 73))) == (3, Period.DAY)
    await store.servers.set_rule(decision(), Subject.USER, 1, None)
    assert await limit_of(store, asker_of()) == (20, Period.DAY)
    assert len(await store.servers.rules(5)) == 4


async def test_a_block_holds_until_its_end(store: Store, new_job: Make) -> None:
    await store.servers.block(decision(reason="spam"), 1, NOW + timedelta(hours=1))
    with pytest.raises(NotAllowed) as refused:
        await store.accept(new_job(1))
    standing = refused.value.standing
    assert (standing.obstacle, standing.until, standing.reason) == (
        Obstacle.BLOCKED,
        NOW + timedelta(hours=1),
        "spam",
    )
    await store.accept(new_job(2), now=NOW + timedelta(hours=1))
    await store.servers.block(decision(), 1, None)
    with pytest.raises(NotAllowed):
        await store.accept(new_job(3), now=NOW + timedelta(days=900))
    assert await store.servers.unblock(decision(), 1)
    assert not await store.servers.unblock(decision(), 1)
    await store.accept(new_job(4))


async def test_once_a_channel_is_allowed_the_others_are_not(store: Store) -> None:
    assert await is_allowed(store, 10)
    await store.servers.set_channel(decision(), 11, ChannelRule(is_allowed=False))
    assert (await is_allowed(store, 10), await is_allowed(store, 11)) == (True, False)
    await store.servers.set_channel(decision(), 12, ChannelRule(is_allowed=True))
    assert (await is_allowed(store, 10), await is_allowed(store, 12)) == (False, True)
    assert list(await store.servers.channels(5)) == [11, 12]


async def test_a_thread_has_the_rule_of_its_channel_unless_it_has_its_own(store: Store) -> None:
    await store.servers.set_channel(decision(), 12, ChannelRule(is_allowed=True))
    assert (await is_allowed(store, 99, parent=12), await is_allowed(store, 99, parent=13)) == (True, False)
    await store.servers.set_channel(decision(), 99, ChannelRule(is_allowed=False))
    assert not await is_allowed(store, 99, parent=12)


async def test_defaults_of_a_thread_come_before_those_of_its_channel(store: Store) -> None:
    thread = Asker(guild_id=5, channel_id=99, user_id=1, parent_channel_id=12)

    async def here(asker: Asker) -> Preferences:
        return (await store.servers.defaults(asker))[0]

    assert await here(thread) == Preferences()
    wide = Preferences(size="wide", num_inference_steps=12)
    await store.servers.set_channel(decision(), 12, ChannelRule(defaults=wide))
    assert await here(thread) == wide
    await store.servers.set_channel(decision(), 99, ChannelRule(is_allowed=True))
    assert await here(thread) == wide
    await store.servers.set_channel(decision(), 99, ChannelRule(defaults=Preferences(num_images=1)))
    assert await here(thread) == Preferences(num_images=1)
    await store.servers.set_channel(decision(), 99, ChannelRule())
    assert await here(thread) == wide


async def test_defaults_of_the_server_are_no_channels_and_allow_nothing(store: Store) -> None:
    tall = Preferences(size="tall")
    await store.servers.set_channel(decision(), WHOLE_SERVER, ChannelRule(defaults=tall))
    for channel, parent in ((12, None), (99, 12)):
        asker = Asker(guild_id=5, channel_id=channel, user_id=1, parent_channel_id=parent)
        assert await store.servers.defaults(asker) == (Preferences(), tall)
        assert await is_allowed(store, channel, parent=parent)
    assert await store.servers.defaults(Asker(guild_id=6, channel_id=12, user_id=1)) == (Preferences(), Preferences())


async def test_content_is_that_of_the_nearest_rule(store: Store) -> None:
    thread = Asker(guild_id=5, channel_id=99, user_id=1, parent_channel_id=12)

    async def after(channel_id: int, content: Content | None) -> Content:
        await store.servers.set_channel(decision(), channel_id, ChannelRule(is_allowed=True, content=content))
        return await store.servers.content(thread)

    assert await store.servers.content(thread) is Content.USUAL
    assert await after(12, Content.STRICT) is Content.STRICT
    assert await after(99, None) is Content.STRICT
    assert await after(99, Content.USUAL) is Content.USUAL
    assert await after(99, None) is Content.STRICT
    assert await after(12, None) is Content.USUAL
    assert await after(WHOLE_SERVER, Content.STRICT) is Content.STRICT
    assert await store.servers.content(Asker(guild_id=6, channel_id=99, user_id=1)) is Content.USUAL
    assert (await store.servers.audit_log(5, 2))[0].detail == "allowed strict"


async def test_a_draining_queue_takes_nothing_and_a_paused_one_does(store: Store, new_job: Make) -> None:
    await store.servers.set_queue_state(decision(), QueueState.PAUSED)
    await store.accept(new_job(1))
    await store.servers.set_queue_state(decision(), QueueState.DRAINING)
    with pytest.raises(NotAllowed) as refused:
        await store.accept(new_job(2))
    assert refused.value.standing.obstacle is Obstacle.DRAINING
    claimed = await store.queue.claim_next(running_per_user=0, now=NOW)
    assert claimed is not None


async def test_nothing_of_one_server_is_seen_or_changed_from_another(store: Store) -> None:
    foreign = decision(guild=OTHER, reason="foreign")
    await store.servers.set_rule(decision(), Subject.USER, 1, Rule(amount=3, period=Period.DAY))
    await store.servers.set_channel(decision(), 12, ChannelRule(is_allowed=True))
    before = await store.servers.audit_log(5, 100)
    await store.servers.set_rule(foreign, Subject.USER, 1, None)
    await store.servers.set_rule(foreign, Subject.POOL, 0, Rule(amount=0, period=Period.DAY))
    await store.servers.block(foreign, 1, None)
    await store.servers.set_channel(foreign, 12, ChannelRule())
    await store.servers.set_queue_state(foreign, QueueState.DRAINING)
    await store.ledger.grant(foreign, 1, 9, expires_at=None)
    await store.ledger.reset(foreign, asker_of(guild=OTHER), settings_of())
    facts = await store.jobs.facts(asker_of(channel=12), settings_of(), NOW)
    assert (facts.rules.member.amount, facts.rules.pool, facts.is_blocked) == (3, None, False)
    assert (facts.bonuses, facts.queue_state, facts.is_channel_allowed) == ((), QueueState.OPEN, True)
    assert await store.servers.audit_log(5, 100) == before
    assert not await store.servers.unblock(decision(), 1)
    assert {row.reason for row in await store.servers.audit_log(OTHER, 100)} == {"foreign"}


async def test_every_decision_is_written_down_with_what_it_changed(store: Store) -> None:
    await store.servers.set_rule(decision(), Subject.ROLE, 7, Rule(amount=None, period=Period.WEEK))
    await store.servers.set_rule(decision(), Subject.ROLE, 7, None)
    await store.servers.block(decision(reason="spam"), 1, NOW)
    await store.servers.unblock(decision(), 1)
    await store.servers.unblock(decision(), 2)
    await store.servers.set_channel(decision(), 12, ChannelRule(is_allowed=False, defaults=Preferences(num_images=1)))
    await store.servers.set_queue_state(decision(), QueueState.PAUSED)
    rows = [(row.action, row.subject, row.detail, row.reason) for row in await store.servers.audit_log(5, 100)]
    assert rows == [
        ("queue", "", "paused", None),
        ("channel", "<#12>", 'forbidden {"num_images":1}', None),
        ("unblock", "<@1>", "", None),
        ("block", "<@1>", f"until <t:{int(NOW.timestamp())}:f>", "spam"),
        ("quota-set", "<@&7>", "default", None),
        ("quota-set", "<@&7>", "unlimited/week", None),
    ]

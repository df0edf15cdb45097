"""Writes that are committed together: each stands or falls by itself, and none is answered before it is durable."""

import asyncio
import sqlite3
import threading
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, TypeVar, cast

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.quotas.rules import Rule, Subject
from bot.store.admission import AlreadyAccepted, NotAllowed
from bot.store.queue import Place
from bot.store.rows.jobs import Job, JobStatus, NewJob
from bot.store.sqlite.database import Database
from bot.store.sqlite.groups import MOST
from config.areas.quotas import Period, QuotaSettings
from tests.bot.store.conftest import NOW, Store, decision
from tests.bot.store.plain_books import ROLES
from tests.bot.store.plain_books import new_job as new_click
from tests.bot.store.power_loss.disk import Disk, Fault, Sync, Write
from tests.bot.store.power_loss.living import contents, opened_on

T = TypeVar("T")
Make = Callable[..., NewJob]

PATIENCE_S: Final = 30.0
KEEP_SERVER: Final = "INSERT INTO servers (guild_id) VALUES (?)"


async def together(database: Database, works: Sequence[Coroutine[Any, Any, T]]) -> list[T | BaseException]:
    """What becomes of writes that all come while the database is busy, so that they are one group."""
    is_free = threading.Event()
    busy = asyncio.create_task(database.write(lambda _: is_free.wait(PATIENCE_S)))
    waiting = [asyncio.create_task(work) for work in works]
    await asyncio.sleep(0)
    is_free.set()
    await busy
    return await asyncio.gather(*waiting, return_exceptions=True)


async def traced(database: Database) -> list[str]:
    """Every statement from here on."""
    said: list[str] = []
    await database.read(lambda connection: connection.set_trace_callback(said.append))
    return said


async def servers(database: Database) -> list[int]:
    """Those that were kept, in the order in which they came."""
    return [row["guild_id"] for row in await database.fetch_all("SELECT guild_id FROM servers ORDER BY rowid")]


async def test_what_comes_during_a_commit_is_one_commit(store: Store, new_job: Make) -> None:
    said = await traced(store.database)
    clicks = [store.accept(new_job(number), is_seen=False) for number in range(20)]
    jobs = [job for job in await together(store.database, clicks) if isinstance(job, Job)]
    assert [job.origin.interaction_id for job in jobs] == list(range(20))
    assert [job.job_id for job in jobs] == sorted(job.job_id for job in jobs)
    assert said.count("COMMIT") == 2  # that of the write before them is the other
    assert await store.broken() == []


async def test_a_write_that_nobody_keeps_waiting_is_committed_at_once(database: Database) -> None:
    said = await traced(database)
    for number in range(3):
        await database.change(KEEP_SERVER, (number,))
    assert said.count("COMMIT") == 3


async def test_a_refusal_or_an_error_undoes_itself_and_nothing_else(store: Store, new_job: Make) -> None:
    def fail(connection: sqlite3.Connection) -> None:
        connection.execute(KEEP_SERVER, (1,))
        raise ZeroDivisionError

    def contradict(connection: sqlite3.Connection) -> None:
        connection.execute(KEEP_SERVER, (2,))
        connection.execute(KEEP_SERVER, (2,))

    outcomes = await together(
        store.database,
        [
            store.accept(new_job(1, price=2), is_seen=False, amount=3),
            store.database.write(fail),
            store.accept(new_job(2, price=2), is_seen=False, amount=3),
            store.database.write(contradict),
            store.accept(new_job(1, price=2), is_seen=False, amount=3),
            store.accept(new_job(3), is_seen=False, amount=3),
        ],
    )
    kinds = [type(outcome) for outcome in outcomes]
    assert kinds == [Job, ZeroDivisionError, NotAllowed, sqlite3.IntegrityError, AlreadyAccepted, Job]
    assert await servers(store.database) == []
    assert await store.used(amount=3) == 3
    assert await store.broken() == []


FAULTS: Final[dict[str, Callable[[], Fault]]] = {
    "full": lambda: Fault(kind=Write, at=1, error=apsw.FullError, lasts=True),
    "write": lambda: Fault(kind=Write, at=1, error=apsw.IOError, lasts=False),
    "sync": lambda: Fault(kind=Sync, at=1, error=apsw.IOError, lasts=False),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_where_the_commit_fails_nobody_is_told_success(
    fault: Callable[[], Fault], tmp_path: Path, new_job: Make
) -> None:
    disk = Disk(tmp_path, checkpoint_pages=1_000)
    async with opened_on(disk, tmp_path / "easel.db") as store:
        before = await contents(store.database)
        disk.fault = fault()
        clicks = [store.accept(new_job(number, price=2), is_seen=False, amount=3) for number in range(3)]
        outcomes = await together(store.database, clicks)
        # Also those whom the quota refused: it was taken by a job that does not stand.
        assert [type(outcome) for outcome in outcomes] == [sqlite3.OperationalError] * 3
        assert await contents(store.database) == before
        disk.fault = None
        assert (await store.accept(new_job(1))).job_id == 1
        assert await store.broken() == []


async def test_where_sqlite_ends_the_transaction_itself_nobody_is_told_success(store: Store, new_job: Make) -> None:
    await store.database.change(KEEP_SERVER, (1,))
    before = await contents(store.database)
    outcomes = await together(
        store.database,
        [
            store.accept(new_job(1), is_seen=False),
            store.database.change("INSERT OR ROLLBACK INTO servers (guild_id) VALUES (1)"),
            store.database.change(KEEP_SERVER, (2,)),
        ],
    )
    assert [type(outcome) for outcome in outcomes] == [sqlite3.IntegrityError] * 3
    assert await contents(store.database) == before
    assert await store.accept(new_job(1))


async def test_what_is_no_exception_ends_the_group_and_the_next_one_works(database: Database) -> None:
    class Died(BaseException):
        """As a thread may, in the middle of anything."""

    def die(connection: sqlite3.Connection) -> int:
        connection.execute(KEEP_SERVER, (2,))
        raise Died

    writes = [database.change(KEEP_SERVER, (1,)), database.write(die), database.change(KEEP_SERVER, (3,))]
    assert [type(outcome) for outcome in await together(database, writes)] == [Died] * 3
    await database.change(KEEP_SERVER, (4,))
    assert await servers(database) == [4]


async def test_nobody_is_answered_before_the_commit(store: Store, new_job: Make) -> None:
    groups, is_committing, may_commit = store.database._groups, threading.Event(), threading.Event()

    class Slow:
        """A connection whose commit takes as long as it is told."""

        def __init__(self, inner: sqlite3.Connection) -> None:
            self._inner = inner

        def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
            if sql == "COMMIT":
                is_committing.set()
                may_commit.wait(PATIENCE_S)
            return self._inner.execute(sql, *values)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._inner, name)

    groups._connection = cast("sqlite3.Connection", Slow(groups._connection))
    click = asyncio.create_task(store.accept(new_job(1), is_seen=False))
    await asyncio.to_thread(is_committing.wait, PATIENCE_S)
    later = asyncio.create_task(store.accept(new_job(2), is_seen=False))
    done, _ = await asyncio.wait([click, later], timeout=0.05)
    assert not done
    may_commit.set()
    assert [job.job_id for job in await asyncio.gather(click, later)] == [1, 2]


async def test_who_is_cancelled_takes_nobody_along(database: Database) -> None:
    is_begun, is_free = threading.Event(), threading.Event()

    def keep_slowly(connection: sqlite3.Connection) -> None:
        connection.execute(KEEP_SERVER, (1,))
        is_begun.set()
        is_free.wait(PATIENCE_S)

    under_way = asyncio.create_task(database.write(keep_slowly))
    await asyncio.to_thread(is_begun.wait, PATIENCE_S)
    waiting = [asyncio.create_task(database.change(KEEP_SERVER, (number,))) for number in (2, 3, 4)]
    await asyncio.sleep(0)
    under_way.cancel()
    waiting[1].cancel()
    await asyncio.sleep(0)
    is_free.set()
    outcomes = await asyncio.gather(under_way, *waiting, return_exceptions=True)
    cancelled = asyncio.CancelledError
    assert [type(outcome) for outcome in outcomes] == [cancelled, int, cancelled, int]
    # What was under way cannot be called back; what had not begun never happens.
    assert await servers(database) == [1, 2, 4]


async def test_a_group_is_bounded_and_keeps_the_order(database: Database) -> None:
    said = await traced(database)
    count = 2 * MOST + 1
    await together(database, [database.change(KEEP_SERVER, (number,)) for number in range(count)])
    assert said.count("COMMIT") == 1 + 3
    sizes = [part.count("SAVEPOINT") for part in "\n".join(said).split("COMMIT")]
    assert max(sizes) <= MOST
    assert await servers(database) == list(range(count))


async def test_closing_finishes_what_was_asked_for(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "easel.db")
    writes = [asyncio.create_task(database.change(KEEP_SERVER, (number,))) for number in range(3)]
    await asyncio.sleep(0)
    await asyncio.gather(database.close(), *writes)
    again = await Database.open(tmp_path / "easel.db")
    assert await servers(again) == [0, 1, 2]
    await again.close()


async def test_no_read_sees_half_of_a_write(database: Database) -> None:
    is_begun, is_free = threading.Event(), threading.Event()

    def keep_two(connection: sqlite3.Connection) -> None:
        connection.execute(KEEP_SERVER, (1,))
        is_begun.set()
        is_free.wait(PATIENCE_S)
        connection.execute(KEEP_SERVER, (2,))

    write = asyncio.create_task(database.write(keep_two))
    await asyncio.to_thread(is_begun.wait, PATIENCE_S)
    read = asyncio.create_task(servers(database))
    await asyncio.sleep(0)
    is_free.set()
    await write
    assert await read == [1, 2]


CLICKS: Final = st.lists(
    st.tuples(st.sampled_from(sorted(ROLES)), st.integers(1, 6), st.integers(0, 5)), min_size=1, max_size=8
)
QUOTAS: Final = st.builds(
    QuotaSettings,
    amount=st.sampled_from([0, 7]),
    cooldown_s=st.sampled_from([0, 60]),
    cooldown_burst=st.integers(1, 2),
    queued_per_user=st.sampled_from([0, 2]),
)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new file, to begin with twice: two of them would be in different timelines."""
    path = tmp_path_factory.mktemp("empty") / "easel.db"

    async def make() -> None:
        await (await Database.open(path)).close()

    asyncio.run(make())
    return path


@settings(max_examples=40, deadline=None)
@given(clicks=CLICKS, quotas=QUOTAS, pool=st.sampled_from([None, 5]))
def test_a_group_gives_the_same_books_as_one_by_one(
    empty: Path, clicks: list[tuple[tuple[int, int], int, int]], quotas: QuotaSettings, pool: int | None
) -> None:
    """Clicks of several members, some of them sent twice, and the end of the first job among them."""

    async def lived(folder: str, *, is_together: bool) -> tuple[list[object], object]:
        path = Path(folder) / f"{is_together}.db"
        path.write_bytes(empty.read_bytes())
        store = Store(await Database.open(path))
        if pool is not None:
            await store.servers.set_rule(decision(), Subject.POOL, 0, Rule(amount=pool, period=Period.DAY))

        def works() -> list[Coroutine[Any, Any, object]]:
            asked = [
                store.jobs.accept(new_click(number, member, price=price, images=1, now=NOW), settings=quotas, now=NOW)
                for member, price, number in clicks
            ]
            end = store.jobs.end(1, status=JobStatus.CANCELLED, failure=None, error_id=None, now=NOW)
            return [*asked[:3], end, *asked[3:]]

        async def told(work: Awaitable[object]) -> object:
            (outcome,) = await asyncio.gather(work, return_exceptions=True)
            return outcome

        if is_together:
            outcomes = await together(store.database, works())
        else:
            outcomes = [await told(work) for work in works()]
        books = await contents(store.database)
        assert await store.broken() == []
        await store.database.close()
        return [said_of(outcome) for outcome in outcomes], books

    with TemporaryDirectory() as folder:
        assert asyncio.run(lived(folder, is_together=True)) == asyncio.run(lived(folder, is_together=False))


def said_of(outcome: object) -> object:
    """What a member is told, to compare."""
    match outcome:
        case AlreadyAccepted():
            return outcome.job, outcome.place
        case NotAllowed():
            return outcome.standing
        case (Job(), Place()) | Job() | None:
            return outcome
        case _:
            raise AssertionError(outcome)

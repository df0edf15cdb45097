"""What the server lets a host do: a real server refuses, or no message arrives."""

import asyncio
import ssl

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error

from bot.hosts.roster import RosterFault
from pipeline.link.line import Line, read_line
from pipeline.link.pinning import pinned
from pipeline.link.subjects import bucket_of, inbox_of
from tests.hosts.computers import Server, until
from tests.hosts.conftest import OpenRig


async def connected(line: Line, errors: list[str], inbox: str = "") -> Client:
    """A client with a host's credentials that does what it likes."""

    async def note(error: Exception) -> None:
        errors.append(str(error))

    client = Client()
    await client.connect(
        f"tls://{line.address}",
        nkeys_seed_str=line.seed,
        inbox_prefix=inbox or inbox_of(line.name),
        tls=pinned(line.fingerprint),
        tls_handshake_first=True,
        allow_reconnect=False,
        error_cb=note,
    )
    return client


async def refused(errors: list[str], subject: str) -> None:
    await until(lambda: any(f'"{subject.casefold()}"' in error.casefold() for error in errors))


async def test_a_host_neither_hears_nor_speaks_for_another(open_rig: OpenRig) -> None:
    rig = await open_rig(computers=0)
    lines = [read_line(rig.invite()._arguments[0]) for _ in range(2)]
    (mine, other), errors = lines, list[str]()
    await rig.fleet.start()
    await asyncio.sleep(0)
    heard: list[str] = []

    async def hear(message: Msg) -> None:
        heard.append(message.subject)

    thief, owner = await connected(mine, errors), await connected(other, [])
    try:
        for subject in (f"easel.to.{other.name}", "easel.to.*", f"{inbox_of(other.name)}.>", "easel.from.>", ">"):
            await thief.subscribe(subject, cb=hear)
            await refused(errors, subject)
        await owner.subscribe(f"easel.to.{other.name}", cb=hear)
        await owner.flush()
        bucket, stream = bucket_of(other.name), f"OBJ_{bucket_of(other.name)}"
        for subject in (
            f"easel.to.{other.name}",
            f"easel.to.{mine.name}",
            f"easel.from.{other.name}",
            f"$O.{bucket}.C.x",
            f"$JS.API.STREAM.MSG.GET.{stream}",
            f"$JS.API.STREAM.PURGE.{stream}",
            f"$JS.API.STREAM.DELETE.OBJ_{bucket_of(mine.name)}",
            f"$JS.API.CONSUMER.CREATE.OBJ_{bucket_of(mine.name)}",
            f"$JS.API.DIRECT.GET.OBJ_{bucket_of(mine.name)}",
            "$JS.API.STREAM.NAMES",
            "easel.fleet",
        ):
            await thief.publish(subject, b"x")
            await refused(errors, subject)
        # A host's words may name an address of another host for the answer. The bot answers nobody there.
        await thief.publish(f"easel.from.{mine.name}", b"\x80", reply=f"easel.to.{other.name}")
        await thief.flush()
        await rig.fleet._switchboard.link.send(f"easel.to.{other.name}", b"the bot's own")
        await until(lambda: bool(heard))
        assert heard == [f"easel.to.{other.name}"]
    finally:
        await thief.close()
        await owner.close()


async def test_a_removed_host_is_cut_off_at_once_and_comes_back_no_more(server: Server, open_rig: OpenRig) -> None:
    rig = await open_rig(computers=0)
    computer = rig.invite()
    line = read_line(computer._arguments[0])
    client = await connected(line, [])
    server.roster.remove(line.name)
    server.reload()
    del rig.computers[line.name]
    await until(lambda: client.is_closed)
    with pytest.raises(Error):
        await connected(line, [])
    with pytest.raises(RosterFault, match="no host"):
        server.roster.remove(line.name)


async def test_no_word_is_said_to_a_server_with_another_certificate(open_rig: OpenRig) -> None:
    rig = await open_rig(computers=0)
    line = read_line(rig.invite()._arguments[0])
    with pytest.raises(ssl.SSLCertVerificationError):
        await connected(Line(address=line.address, name=line.name, seed=line.seed, fingerprint="0" * 64), [])

"""`easel hosts` and `easel worker`, as an owner uses them, beside a running fleet and its server."""

import asyncio
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.__main__ import app
from pipeline.link.line import BadLine, read_line
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.wire.messages import Finished
from tests.hosts.computers import Server, until
from tests.hosts.conftest import OpenRig
from tests.shared_worker import warm_starter


def settings_file(folder: Path, server: Server, more: str = "") -> Path:
    file = folder / "easel.toml"
    storage = server.roster.folder.parent
    file.write_text(f'[storage]\ndirectory = "{storage}"\n[hosts]\nserver = "{server.address}"\n{more}')
    return file


async def easel(*arguments: str) -> tuple[int, str]:
    """Run a command beside this loop, as another process would."""
    result = await asyncio.to_thread(CliRunner().invoke, app, [*map(str, arguments)])
    return result.exit_code, result.output


async def test_an_owner_invites_looks_drains_and_removes(
    tmp_path: Path, open_rig: OpenRig, request_: GenerationRequest
) -> None:
    server = Server(tmp_path / "hosts")
    server.start()
    try:
        rig = await open_rig(on=server, computers=0)
        config = str(settings_file(tmp_path, server))
        assert "No host was invited" in (await easel("hosts", "list", "--config", config))[1]
        code, said = await easel("hosts", "invite", "attic", "--config", config)
        assert code == 0, said
        assert "Easel does not run" in said
        line = next(word for word in said.split() if word.startswith("easel1."))
        assert read_line(line).name == "attic"
        rig.join("attic", line).start()
        await rig.begin()
        _, said = await easel("hosts", "list", "--config", config)
        assert "attic: ready, 0 of 2 jobs" in said
        assert "pocket" in said
        code, said = await easel("hosts", "drain", "attic", "--config", config)
        assert (code, said) == (0, "attic gets no more jobs. The server and Easel know it.\n")
        assert rig.fleet.free_slots == 0
        await easel("hosts", "drain", "attic", "--undo", "--config", config)
        await rig.fleet.submit(1, 1, request_)
        assert isinstance(await rig.end(), Finished)
        code, said = await easel("hosts", "remove", "attic", "--config", config)
        assert code == 0, said
        await until(lambda: not rig.fleet.hosts)
        code, said = await easel("hosts", "remove", "attic", "--config", config)
        assert code == 1
        assert "no host attic" in said
    finally:
        server.kill()


async def test_a_command_says_what_is_missing(tmp_path: Path) -> None:
    nothing = tmp_path / "easel.toml"
    nothing.write_text("")
    code, said = await easel("hosts", "list", "--config", str(nothing))
    assert (code, "set hosts.server" in said) == (78, True)
    code, said = await easel("worker", "--join", "easel1.cut", "--config", str(nothing))
    assert (code, "not whole" in said) == (78, True)
    server = Server(tmp_path / "hosts")
    config = str(settings_file(tmp_path, server))
    code, said = await easel("hosts", "invite", "Attic!", "--config", config)
    assert (code, "cannot be a host's name" in said) == (1, True)
    result = await asyncio.to_thread(CliRunner().invoke, app, ["hosts", "invite", "attic", "--config", config])
    assert (result.exit_code, "did not answer" in result.stderr) == (0, True)
    assert read_line(result.stdout).name == "attic"
    code, said = await easel("hosts", "server", "--config", config)
    assert said.startswith(f"nats-server --config {server.roster.folder}")
    with pytest.raises(BadLine, match="copy all of it"):
        read_line("hello")


async def test_a_real_worker_joins_and_leaves(tmp_path: Path, open_rig: OpenRig, request_: GenerationRequest) -> None:
    rig = await open_rig(computers=0)
    rig.invite()
    (line,) = [computer._arguments[0] for computer in rig.computers.values()]
    secret = tmp_path / "line.txt"
    secret.write_text(line)
    host = tmp_path / "own"
    host.mkdir()
    config = host / "easel.toml"
    config.write_text(f'[storage]\ndirectory = "{host}"\n[pipeline]\nmax_running = 3\nstarter = "{warm_starter()}"\n')
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "worker", "--join", str(secret), "--config", str(config)
    )
    try:
        await rig.begin()
        (view,) = rig.fleet.views
        assert (view.state, view.capacity) == ("ready", 3)
        await rig.fleet.submit(1, 1, request_)
        end = await rig.end()
        assert isinstance(end, Finished)
        assert end.recipe is not None
        process.terminate()
        async with asyncio.timeout(30):
            assert await process.wait() == 0
        await until(lambda: rig.fleet.views[0].state in ("draining", "away"))
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()

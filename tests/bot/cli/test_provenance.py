"""`easel provenance` and `easel verify`: sentences, exit codes, and files that only their owner may read."""

import asyncio
import json
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.__main__ import app
from bot.cli import provenance as commands
from bot.cli.provenance import ProvenanceFailed, need_libraries
from bot.provenance import key as keys
from bot.provenance.key import load_key
from bot.safety.image_blocks import read_block_file
from bot.store.sqlite.database import Database
from config.settings import ProvenanceSettings, Settings, StorageSettings
from pipeline.protocol.requests import GenerationRequest
from provenance.keys import SigningKey
from tests.provenance.made import key_of, picture, png, saved, signed

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def here(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings of an Easel that was never started."""
    monkeypatch.setenv("EASEL_STORAGE__DIRECTORY", str(tmp_path / "data"))
    monkeypatch.setenv("EASEL_PROVENANCE__ORGANISATION", "Ada's Easel")
    (tmp_path / "passphrase").write_text("correct horse\n")
    return settings.model_copy(
        update={
            "storage": StorageSettings(directory=tmp_path / "data"),
            "provenance": ProvenanceSettings(organisation="Ada's Easel"),
        }
    )


def easel(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(each) for each in arguments])


def on_root(command: str, tmp_path: Path, *options: str) -> Result:
    return easel("provenance", command, tmp_path / "root.pem", "--passphrase-file", tmp_path / "passphrase", *options)


def file_of(tmp_path: Path, name: str, data: bytes) -> Path:
    (tmp_path / name).write_bytes(data)
    return tmp_path / name


def signed_by(key: SigningKey, request: GenerationRequest, seed: int = 0) -> bytes:
    return asyncio.run(signed(png(picture(seed=seed)), "image/png", key, request)).data


def verdict_of(file: Path) -> tuple[str, int]:
    result = easel("verify", "--json", file)
    return json.loads(result.stdout)["verdict"], result.exit_code


def test_a_key_is_made_once(here: Settings, tmp_path: Path) -> None:
    done = on_root("init", tmp_path)
    assert done.exit_code == 0, done.output
    assert "signs pictures from the next start on, as Ada's Easel. Move" in done.output
    key = load_key(here)
    for file in (tmp_path / "root.pem", tmp_path / "data" / "provenance" / "key.pem"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert b"ENCRYPTED" in (tmp_path / "root.pem").read_bytes()
    again = on_root("init", tmp_path)
    assert (again.exit_code, "exists already, and nothing was changed" in again.stderr) == (1, True)
    assert load_key(here).serial == key.serial
    assert f"{key.serial}  signs until" in easel("provenance", "show").stdout


def test_without_a_key_show_says_what_makes_one(here: Settings) -> None:
    shown = easel("provenance", "show")
    assert (shown.exit_code, shown.stdout) == (
        0,
        "Pictures go out unsigned, since there is no key; `easel provenance init` makes one.\n",
    )
    assert not here.storage.directory.exists()


def test_a_new_key_retires_the_old_one_and_its_pictures_stay_ours(
    here: Settings, tmp_path: Path, request_: GenerationRequest
) -> None:
    on_root("init", tmp_path)
    old = load_key(here)
    file = file_of(tmp_path, "old.png", signed_by(old, request_))
    assert verdict_of(file) == ("intact", 0)
    done = on_root("rotate", tmp_path)
    assert done.exit_code == 0, done.output
    assert load_key(here).serial != old.serial
    assert f"{old.serial}  retired" in easel("provenance", "show").stdout
    assert verdict_of(file) == ("key-retired", 0)
    assert verdict_of(file_of(tmp_path, "new.png", signed_by(load_key(here), request_))) == ("intact", 0)


def test_a_compromised_key_proves_nothing(here: Settings, tmp_path: Path, request_: GenerationRequest) -> None:
    on_root("init", tmp_path)
    file = file_of(tmp_path, "old.png", signed_by(load_key(here), request_))
    on_root("rotate", tmp_path, "--compromised")
    assert ", compromised" in easel("provenance", "show").stdout
    assert verdict_of(file) == ("key-stolen", 1)


def test_a_wrong_passphrase_and_another_root_change_nothing(here: Settings, tmp_path: Path) -> None:
    on_root("init", tmp_path)
    serial = load_key(here).serial
    (tmp_path / "passphrase").write_text("wrong")
    wrong = on_root("rotate", tmp_path)
    assert (wrong.exit_code, "check the passphrase" in wrong.stderr) == (1, True)
    (tmp_path / "data" / "provenance").rename(tmp_path / "aside")
    (tmp_path / "root.pem").unlink()
    assert on_root("init", tmp_path).exit_code == 0
    (tmp_path / "data" / "provenance").rename(tmp_path / "other")
    (tmp_path / "aside").rename(tmp_path / "data" / "provenance")
    other = on_root("rotate", tmp_path)
    assert (other.exit_code, "come from another root" in other.stderr) == (1, True)
    assert load_key(here).serial == serial
    (tmp_path / "passphrase").write_text("")
    assert on_root("rotate", tmp_path).exit_code == 66


def test_beside_a_running_easel_no_key_is_made(here: Settings, tmp_path: Path) -> None:
    async def beside() -> Result:
        here.storage.directory.mkdir()
        database = await Database.open(here.storage.database)
        try:
            return await asyncio.to_thread(on_root, "init", tmp_path)
        finally:
            await database.close()

    done = asyncio.run(beside())
    assert (done.exit_code, "Nothing was changed" in done.stderr) == (69, True), done.output
    assert not (tmp_path / "root.pem").exists()


def test_files_are_judged_and_the_exit_code_is_the_worst(
    here: Settings, tmp_path: Path, request_: GenerationRequest
) -> None:
    on_root("init", tmp_path)
    ours = signed_by(load_key(here), request_)
    flipped = bytearray(ours)
    flipped[-20] ^= 1
    strangers = file_of(tmp_path, "strangers.png", signed_by(key_of(), request_, seed=1))
    files = {
        file_of(tmp_path, "ours.png", ours): ("intact", 0),
        file_of(tmp_path, "tail.png", ours + b"tail"): ("saved-anew", 1),
        file_of(tmp_path, "flipped.png", bytes(flipped)): ("changed", 1),
        strangers: ("foreign", 2),
        file_of(tmp_path, "claims.png", png(picture(seed=3))): ("claimed", 3),
        file_of(tmp_path, "plain.webp", saved(picture(seed=4), "WEBP")): ("nothing", 3),
    }
    for file, expected in files.items():
        assert verdict_of(file) == expected, file
    result = easel("verify", *list(files)[:4])
    assert result.exit_code == 2
    lines = result.stdout.splitlines()
    assert lines[0] == f"{tmp_path}/ours.png: made here, and unchanged since."
    assert lines[3] == (
        f'{strangers}: signed by somebody else, "Ada\'s Easel", for whom nobody whom you trust vouches; '
        "it says: made with AI by 'Easel', from 0 picture(s)."
    )


@pytest.mark.usefixtures("here")
def test_certificates_of_others_vouch_and_never_make_a_picture_ours(
    tmp_path: Path, request_: GenerationRequest
) -> None:
    on_root("init", tmp_path)
    eve = key_of("Eve")
    file = file_of(tmp_path, "eves.png", signed_by(eve, request_))
    trusted = easel("provenance", "trust", file_of(tmp_path, "eve.crt", eve.anchor.encode()))
    assert trusted.exit_code == 0, trusted.output
    result = easel("verify", file)
    assert (result.exit_code, "'Eve', whom you trust" in result.stdout) == (2, True), result.output
    assert "eve.pem  is trusted for pictures of others" in easel("provenance", "show").stdout
    nonsense = easel("provenance", "trust", file)
    assert (nonsense.exit_code, "holds no certificates in PEM" in nonsense.stderr) == (1, True)


def test_a_file_that_cannot_be_read_is_named(here: Settings, tmp_path: Path) -> None:
    gone = easel("verify", tmp_path / "gone.png")
    assert (gone.exit_code, gone.stderr) == (
        66,
        f"easel: The file {tmp_path}/gone.png cannot be read: No such file or directory.\n",
    )
    text = easel("verify", file_of(tmp_path, "words.txt", b"words"))
    assert (text.exit_code, "words.txt is no PNG, JPEG or WebP picture" in text.stderr) == (66, True)
    assert not here.storage.directory.exists()


def test_a_look_is_printed_as_a_line_that_blocks_the_picture(tmp_path: Path) -> None:
    ours, copy = (file_of(tmp_path, f"{name}.png", png(picture(seed=7))) for name in "ab")
    result = easel("look", ours, copy)
    assert result.exit_code == 0, result.output
    blocks = file_of(tmp_path, "blocks.txt", result.stdout.encode())
    (look,) = read_block_file(blocks)
    assert result.stdout.splitlines() == [f"look:{look.hex()}  # {name}.png" for name in "ab"]
    text = easel("look", ours, file_of(tmp_path, "words.txt", b"words"))
    assert (text.exit_code, "words.txt is no PNG, JPEG or WebP picture" in text.stderr) == (66, True)


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "_LIBRARIES", ("c2pa_of_no_system",))
    with pytest.raises(ProvenanceFailed, match="c2pa_of_no_system is not installed") as caught:
        need_libraries()
    assert caught.value.code == commands.EXIT_UNAVAILABLE

"""Downloads from a hub: resumed, hash-checked, and told in sentences when they fail."""

import logging
import random
from pathlib import Path

import pytest

from bot.cli.models.downloading import PART
from bot.cli.models.failing import ModelsFailed
from bot.cli.models.hub import Hub
from pipeline.protocol.catalogue.networks import HubSource
from pipeline.protocol.downloads import downloaded
from tests.small_hub import COMMIT, TOKEN, SmallHub, hub

__all__ = ["hub"]
REPOSITORY = "somebody/model"
WEIGHTS = "unet/diffusion_pytorch_model.safetensors"
FILES = {
    "model_index.json": b'{"_class_name": "StableDiffusionPipeline"}',
    "unet/config.json": b"{}",
    WEIGHTS: random.Random(1).randbytes(300_000),
    "README.md": b"never wanted",
}
WANTED = ["model_index.json", "unet/config.json", WEIGHTS]


@pytest.fixture
def here(hub: SmallHub, tmp_path: Path) -> Hub:
    hub.repositories[REPOSITORY] = FILES
    return Hub(None, tmp_path / "cache")


def fetch(here: Hub, revision: str = "main") -> tuple[Path, int]:
    counted: list[int] = []
    folder = here.fetch(here.look_up(REPOSITORY, revision), WANTED, counted.append)
    return folder, sum(counted)


def sentence(here: Hub, repository: str = REPOSITORY, revision: str = "main") -> str:
    with pytest.raises(ModelsFailed) as error:
        here.fetch(here.look_up(repository, revision), WANTED, lambda _: None)
    assert "http" not in str(error.value)
    return str(error.value)


def test_the_files_arrive_under_their_names_and_are_found_again(here: Hub, hub: SmallHub, tmp_path: Path) -> None:
    folder, counted = fetch(here)
    assert {name: (folder / name).read_bytes() for name in WANTED} == {name: FILES[name] for name in WANTED}
    assert not (folder / "README.md").exists()
    assert counted == sum(len(FILES[name]) for name in WANTED)
    source = HubSource(repo_id=REPOSITORY, revision="main")
    assert downloaded(source, str(tmp_path / "cache")) == folder
    assert folder.name == COMMIT
    before = len(hub.asked)
    assert fetch(here)[0] == folder
    assert not any(each.method == "GET" and "resolve" in each.path for each in hub.asked[before:])


def test_a_cut_connection_goes_on_where_it_was(here: Hub, hub: SmallHub, monkeypatch: pytest.MonkeyPatch) -> None:
    # What is not a whole chunk yet is lost.
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 10_000)
    hub.cut[WEIGHTS] = 100_000
    folder, counted = fetch(here)
    assert (folder / WEIGHTS).read_bytes() == FILES[WEIGHTS]
    assert counted == sum(len(FILES[name]) for name in WANTED)
    asked = [each.range for each in hub.asked if each.method == "GET" and WEIGHTS in each.path]
    assert asked == [None, "bytes=100000-"]


def test_another_run_goes_on_where_the_last_one_ended(here: Hub, hub: SmallHub, tmp_path: Path) -> None:
    (part,) = _part(here, tmp_path)
    part.parent.mkdir(parents=True)
    part.write_bytes(FILES[WEIGHTS][:123_456])
    hub.down.add(WEIGHTS)
    assert sentence(here) == (
        "The hub answered 503 for somebody/model; run the same again, and it goes on where it was."
    )
    assert part.stat().st_size == 123_456
    hub.down.clear()
    assert (fetch(here)[0] / WEIGHTS).read_bytes() == FILES[WEIGHTS]
    assert "bytes=123456-" in {each.range for each in hub.asked}
    assert not part.exists()


def _part(here: Hub, tmp_path: Path) -> list[Path]:
    digest = here.look_up(REPOSITORY, "main").hashes[WEIGHTS]
    return [tmp_path / "cache" / "models--somebody--model" / "blobs" / f"{digest}{PART}"]


def test_a_wrong_hash_leaves_nothing_of_the_file(here: Hub, hub: SmallHub, tmp_path: Path) -> None:
    hub.lies.add(WEIGHTS)
    assert sentence(here).startswith(f"The file {WEIGHTS} arrived with another hash than it should have")
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file() and path.stat().st_size > 100_000]


def test_a_file_that_was_damaged_here_is_fetched_again(here: Hub) -> None:
    folder, _ = fetch(here)
    blob = (folder / WEIGHTS).resolve()
    blob.write_bytes(bytes(len(FILES[WEIGHTS])))
    fetch(here)
    assert (folder / WEIGHTS).read_bytes() == FILES[WEIGHTS]


def test_without_room_nothing_is_downloaded(here: Hub, hub: SmallHub) -> None:
    hub.claimed[WEIGHTS] = 1 << 60
    assert "pipeline.cache_directory" in sentence(here)
    assert not any("resolve" in each.path for each in hub.asked)


def test_refusals_name_what_to_do(here: Hub, hub: SmallHub) -> None:
    assert "has no revision 'v7'" in sentence(here, revision="v7")
    assert "shows no repository somebody/else" in sentence(here, "somebody/else")
    assert "no name of a repository" in sentence(here, "some body/else")
    hub.gated.add(REPOSITORY)
    assert sentence(here) == (
        "The hub refuses somebody/model: accept its terms on its page, and name a file with your token in "
        "downloads.hub_token_file."
    )


def test_the_token_opens_a_gated_repository_and_stands_in_no_log(
    hub: SmallHub, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    hub.repositories[REPOSITORY] = FILES
    hub.gated.add(REPOSITORY)
    hub.cut[WEIGHTS] = 5
    folder, _ = fetch(Hub(TOKEN, tmp_path / "cache"))
    assert (folder / WEIGHTS).exists()
    assert TOKEN not in caplog.text
    assert "http" not in "".join(record.getMessage() for record in caplog.records if record.levelno > logging.INFO)


def test_without_a_hub_the_sentence_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:1")
    assert sentence(Hub(None, Path("nowhere"))).startswith("The connection to the hub failed (ConnectError)")

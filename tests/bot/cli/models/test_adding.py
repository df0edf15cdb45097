"""`easel models add`, `remove` and `prune`: entries come from files; comments and foreign files are kept."""

import hashlib
import io
import json
import shutil
import threading
from collections.abc import Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from safetensors.torch import load_file
from typing_extensions import override

from benchmarks.families import grids
from bot.cli.models import adding
from bot.cli.models.adding import Adding, Named
from bot.cli.models.failing import ModelsFailed
from bot.cli.models.listing import has_its_hash
from bot.cli.models.removing import prune, remove
from bot.configure import make_configure
from config.areas.downloads import DownloadSettings
from config.catalogue import Catalogue, load_catalogue
from config.loading import load_settings
from config.settings import Settings, StorageSettings
from pipeline.examining import examined
from pipeline.protocol.catalogue.networks import FileSource, HubSource
from pipeline.protocol.examining import Examined, NotSurveyed, Surveyed
from pipeline.surveying import surveyed
from tests.pipeline.engine import tiny
from tests.pipeline.engine.gguf_files import written as written_as_gguf
from tests.pipeline.engine.single_files import checkpoint_of, written
from tests.small_hub import COMMIT, SmallHub, hub

__all__ = ["hub"]
CATALOGUE = Path(__file__).parents[4] / "config" / "models.toml"
KEY = "civitai-key"


class Owner:
    """An owner in a folder of their own, with the shipped catalogue at first.

    Attributes:
        questions: what the owner was asked.
        said: what the commands said.
    """

    def __init__(self, folder: Path, **changes: Any) -> None:
        self.config = folder / "easel.toml"
        self.folder = folder
        self._changes = {"storage": StorageSettings(directory=folder / "data"), **changes}
        self.questions: list[str] = []
        self.said: list[str] = []
        self.agrees = True
        self.screen = io.StringIO()

    @property
    def settings(self) -> Settings:
        return load_settings(self.config if self.config.exists() else None).model_copy(update=self._changes)

    @property
    def catalogue(self) -> Catalogue:
        return load_catalogue(self.settings.pipeline.catalogue, "pocket")

    def agree(self, question: str) -> bool:
        self.questions.append(question)
        return self.agrees

    def add(self, what: str, **named: Any) -> str:
        console = Console(file=self.screen, width=300)
        adder = Adding(self.settings, self.config, self.catalogue, Named(**named), self.agree, console)
        return adder.add(what)[0]

    def remove(self, key: str) -> None:
        remove(key, self.settings, self.config, self.catalogue, self.agree, self.said.append)

    def prune(self) -> None:
        prune(self.settings, self.catalogue, self.agree, self.said.append)


def examined_here(settings: Settings, catalogue: Catalogue) -> Examined:
    return examined(make_configure(settings, catalogue))


def surveyed_here(path: Path) -> Surveyed:
    found = surveyed(path)
    if isinstance(found, NotSurveyed):
        raise ModelsFailed(found.sentence)
    return found


@pytest.fixture
def owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Owner:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(adding, "examine_files", examined_here)
    monkeypatch.setattr(adding, "survey", surveyed_here)
    return Owner(tmp_path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny Stable Diffusion as a diffusers folder."""
    place = tmp_path_factory.mktemp("tiny")
    tiny.stable_diffusion().save_pretrained(place)
    return place


def files_in(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_repository_becomes_an_entry_pinned_to_its_commit(owner: Owner, hub: SmallHub, folder: Path) -> None:
    hub.repositories["somebody/Tiny_Model-1.5"] = files_in(folder)
    hub.license = {"license": "creativeml-openrail-m"}
    owner.config.write_text("# mine\n[quotas]\namount = 3 # enough\n")
    assert owner.add("somebody/Tiny_Model-1.5") == "tiny_model-1.5"
    spec = owner.catalogue.models["tiny_model-1.5"]
    assert spec.source == HubSource(repo_id="somebody/Tiny_Model-1.5", revision=COMMIT)
    assert (spec.family, spec.title, spec.license) == ("sd", "Tiny Model 1.5", "creativeml-openrail-m")
    assert (spec.defaults.steps, spec.defaults.cfg, spec.defaults.width) == (25, 7.0, surveyed_here(folder).side)
    written_settings = owner.config.read_text()
    assert "# mine\n" in written_settings
    assert "amount = 3 # enough" in written_settings
    shipped, own = CATALOGUE.read_text().splitlines(), (owner.folder / "models.toml").read_text().splitlines()
    assert {line for line in shipped if line.startswith("#")} <= set(own)
    owner.add("somebody/Tiny_Model-1.5@main", key="again")
    assert list(owner.catalogue.models) == ["pocket", "tiny_model-1.5", "again"]
    with pytest.raises(ModelsFailed, match="has an entry 'again' already"):
        owner.add("somebody/Tiny_Model-1.5", key="again")


def test_without_agreement_or_licence_nothing_is_written(owner: Owner, hub: SmallHub, folder: Path) -> None:
    hub.repositories["somebody/tiny"] = files_in(folder)
    hub.license = {}
    with pytest.raises(ModelsFailed, match="Nothing says the licence of tiny; read its terms, and say them with --lic"):
        owner.add("somebody/tiny")
    owner.agrees = False
    with pytest.raises(ModelsFailed, match="Nothing was downloaded"):
        owner.add("somebody/tiny", license="MIT")
    assert not (owner.folder / "models.toml").exists()
    assert not any(each.path.endswith(".safetensors") for each in hub.asked)


@pytest.mark.usefixtures("hub")
def test_a_file_is_named_where_it_lies_and_stays_when_its_entry_goes(owner: Owner, folder: Path) -> None:
    file = written(owner.folder / "My Mix.safetensors", checkpoint_of(tiny.stable_diffusion()))
    with pytest.raises(ModelsFailed, match=r"stands in .* offered yet. The configuration of My Mix is not"):
        owner.add(str(file), license="MIT")
    assert owner.catalogue.models["my-mix"].source == FileSource(path=str(file))
    owner.remove("my-mix")
    assert file.exists()
    assert list(owner.catalogue.models) == ["pocket"]
    assert owner.said[-1] == f"{owner.folder} lies outside of data/models and was left alone.".replace(
        "data/models", str(owner.settings.model_cache)
    )
    owner.add(str(folder), license="MIT", key="here")
    owner.agrees = False
    with pytest.raises(ModelsFailed, match="Nothing was removed"):
        owner.remove("here")
    for key, words in (("nobody", "no entry 'nobody'"), ("pocket", "pipeline.default_model")):
        with pytest.raises(ModelsFailed, match=words):
            owner.remove(key)
    assert list(owner.catalogue.models) == ["pocket", "here"]


@pytest.mark.parametrize(
    ("what", "sentence"),
    [
        ("model.ckpt", r"model.ckpt is pickled, .*; `easel convert model.ckpt` writes its weights as .safetensors"),
        ("nowhere.safetensors", "There is no file nowhere.safetensors"),
        (
            "model.gguf",
            "holds a transformer alone; name the diffusers folder with the rest .* --rest FOLDER",
        ),
        (
            "urn:air:sdxl:lora:civitai:1@2",
            "is a lora, and only checkpoints become entries; put its file into pipeline.lora",
        ),
        ("urn:air:nonsense", "is no AIR; one looks like"),
        ("just-a-word", "The hub shows no repository just-a-word; look at the name"),
    ],
)
@pytest.mark.usefixtures("hub")
def test_what_cannot_be_added_is_told(owner: Owner, what: str, sentence: str) -> None:
    for name in ("model.ckpt", "model.gguf"):
        (owner.folder / name).write_bytes(b"GGUF" + bytes(20))
    with pytest.raises(ModelsFailed, match=sentence):
        owner.add(what, license="MIT")
    assert not (owner.folder / "models.toml").exists()


def test_a_transformer_in_a_file_becomes_an_entry_with_the_rest_of_its_model(owner: Owner) -> None:
    rest = owner.folder / "rest"
    grids.z_image().save_pretrained(rest)
    weights = rest / "transformer" / "diffusion_pytorch_model.safetensors"
    written_as_gguf(owner.folder / "turbo.gguf", load_file(weights))
    weights.unlink()
    assert owner.add("turbo.gguf", license="MIT", rest=rest) == "turbo"
    spec = owner.catalogue.models["turbo"]
    assert (spec.family, spec.defaults.steps) == ("z-image", 9)
    assert spec.source == FileSource(path=str(owner.folder / "turbo.gguf"), config=str(rest))
    for what, named, sentence in (
        ("turbo.gguf", owner.folder / "nowhere", "There is no folder .*nowhere, which --rest names"),
        ("rest", rest, "--rest is for a model in a file"),
        ("some/repository", rest, "--rest is for a model in a file"),
    ):
        with pytest.raises(ModelsFailed, match=sentence):
            owner.add(what, license="MIT", key="other", rest=named)


def test_a_removed_download_is_gone_unless_another_entry_reads_it(owner: Owner, hub: SmallHub, folder: Path) -> None:
    hub.repositories["somebody/tiny"] = files_in(folder)
    owner.add("somebody/tiny", key="one")
    owner.add("somebody/tiny", key="two")
    place = owner.settings.model_cache / "models--somebody--tiny"
    owner.remove("one")
    assert place.is_dir()
    assert "0.00 GiB (0 bytes) are free again." in owner.said[-2]
    owner.remove("two")
    assert not place.exists()
    assert "(0 bytes)" not in owner.said[-2]


def test_prune_deletes_what_no_entry_reads_and_nothing_else(owner: Owner, hub: SmallHub, folder: Path) -> None:
    hub.repositories |= {"somebody/kept": files_in(folder), "somebody/tiny": files_in(folder)}
    owner.add("somebody/kept")
    owner.add("somebody/tiny", key="gone")
    text = owner.folder / "models.toml"
    text.write_text(text.read_text().replace("somebody/tiny", "somebody/kept"))
    cache = owner.settings.model_cache
    part = next((cache / "models--somebody--kept" / "blobs").iterdir()).with_name("0.easel-part")
    part.write_bytes(bytes(10))
    (cache / "files" / "civitai-1").mkdir(parents=True)
    foreign = owner.folder / "foreign.safetensors"
    foreign.write_bytes(b"x")
    (cache / "notes.txt").write_text("the owner's")
    owner.agrees = False
    with pytest.raises(ModelsFailed, match="Nothing was deleted"):
        owner.prune()
    assert f"somebody/tiny at {COMMIT[:10]}" in owner.said
    assert part.exists()
    owner.agrees = True
    owner.prune()
    assert not part.exists()
    assert not (cache / "files" / "civitai-1").exists()
    assert not (cache / "models--somebody--tiny" / "snapshots" / COMMIT).exists()
    assert foreign.exists()
    assert (cache / "notes.txt").exists()
    assert not examined_here(owner.settings, owner.catalogue).missing
    owner.prune()
    assert "nothing is to delete" in owner.said[-1]


class SmallCivitai(BaseHTTPRequestHandler):
    """One version of a model, as the documented interface tells it. Its file is for members."""

    data: bytes = b""
    told: str = ""
    protocol_version = "HTTP/1.1"

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Nothing is logged."""

    def do_GET(self) -> None:
        host = f"http://{self.headers['Host']}"
        file = {
            "name": "tinyMix_v1.safetensors",
            "type": "Model",
            "sizeKB": len(self.data) / 1024,
            "hashes": {"SHA256": self.told.upper()},
            "primary": True,
            "downloadUrl": f"{host}/api/download/models/22",
        }
        pickled = {**file, "name": "tinyMix_v1.ckpt", "primary": False}
        version = {"id": 22, "modelId": 11, "name": "v1", "baseModel": "SD 1.5", "files": [pickled, file]}
        model = {
            "name": "Tiny Mix",
            "allowNoCredit": True,
            "allowCommercialUse": ["Image"],
            "allowDerivatives": False,
            "modelVersions": [{"id": 22}],
        }
        answers = {"/api/v1/models/11": model, "/api/v1/model-versions/22": version}
        if self.path in answers:
            self._send(200, json.dumps(answers[self.path]).encode())
        elif self.path == "/api/download/models/22":
            may = self.headers.get("Authorization") == f"Bearer {KEY}"
            self._send(200 if may else 401, self.data if may else b"")
        else:
            self._send(404, b"")

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def civitai(owner: Owner) -> Generator[type[SmallCivitai]]:
    class Server(SmallCivitai): ...

    file = written(owner.folder / "made.safetensors", checkpoint_of(tiny.stable_diffusion()))
    Server.data = file.read_bytes()
    Server.told = hashlib.sha256(Server.data).hexdigest()
    file.unlink()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    owner._changes["downloads"] = DownloadSettings(civitai_url=url, civitai_token=KEY)  # pyright: ignore[reportArgumentType]
    yield Server
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_version_of_civitai_arrives_with_its_terms_and_hash(
    owner: Owner, civitai: type[SmallCivitai], hub: SmallHub, folder: Path
) -> None:
    hub.repositories["stable-diffusion-v1-5/stable-diffusion-v1-5"] = files_in(folder)
    assert owner.add("urn:air:sd1:checkpoint:civitai:11@22") == "tiny-mix-v1"
    assert not any(each.path.endswith(".safetensors") for each in hub.asked)
    assert not examined_here(owner.settings, owner.catalogue).missing
    spec = owner.catalogue.models["tiny-mix-v1"]
    assert spec.license == (
        "Civitai; terms of SD 1.5; commercial use: Image; allowed: without credit; not allowed: merges"
    )
    assert isinstance(spec.source, FileSource)
    file = Path(spec.source.path)
    assert file.read_bytes() == civitai.data
    assert has_its_hash(file)
    file.write_bytes(civitai.data[:-1] + b"?")
    assert not has_its_hash(file)
    owner.remove("tiny-mix-v1")
    assert not file.parent.exists()


def test_what_civitai_refuses_or_garbles_is_told(owner: Owner, civitai: type[SmallCivitai]) -> None:
    with pytest.raises(ModelsFailed, match="Civitai has no urn:air:sd1:checkpoint:civitai:12; look at its page"):
        owner.add("urn:air:sd1:checkpoint:civitai:12")
    civitai.told = "0" * 64
    with pytest.raises(ModelsFailed, match="arrived with another hash"):
        owner.add("urn:air:sd1:checkpoint:civitai:11")
    assert not list(owner.settings.model_cache.rglob("*.safetensors*"))
    url = owner.settings.downloads.civitai_url
    owner._changes["downloads"] = DownloadSettings(civitai_url=url)
    with pytest.raises(ModelsFailed, match=r"only to members; .* downloads.civitai_token_file"):
        owner.add("urn:air:sd1:checkpoint:civitai:11@22")
    assert not (owner.folder / "models.toml").exists()
    shutil.rmtree(owner.settings.model_cache)

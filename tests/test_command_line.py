"""The command line: sentences and exit codes, in real processes."""

import os
import socket
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.pipelines.flux.pipeline_flux_kontext import FluxKontextPipeline
from PIL import Image
from safetensors.torch import save_file

from bot.process.health import Health, write_health
from pipeline.backends.base import WorkerState
from tests.conftest import ROOT
from tests.forked_bot import run_command
from tests.pipeline.engine import tiny
from tests.pipeline.engine.control_nets import control_net, spec_of
from tests.pipeline.engine.pixels.test_faces import tiny_network
from tests.pipeline.reading import files
from tests.shared_worker import share_worker_state, warm_starter

pytestmark = pytest.mark.slow

FEW_STEPS = ("--steps", "8", "--seed", "3")
FROM_A_PICTURE = ("imagine", "x", "-o", "x.png", "--image", "x.png")


def easel(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("EASEL_")}
    with TemporaryDirectory() as folder:
        environment |= {"EASEL_PIPELINE__STARTER": warm_starter(), "EASEL_STORAGE__DIRECTORY": folder} | variables
        share_worker_state(Path(environment["EASEL_STORAGE__DIRECTORY"]))
        return run_command(arguments, environment)


def test_importing_the_bot_loads_no_torch() -> None:
    program = (
        "import sys, bot.__main__, bot.app, bot.cli.doctor.examining, bot.cli.imagine;"
        "print({'torch', 'diffusers', 'transformers'} & set(sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "set()"


WITHOUT_WORKER = """
import re, sys
from importlib.machinery import PathFinder
from importlib.metadata import packages_distributions, requires

of_worker = {re.split("[^A-Za-z0-9-]", line)[0] for line in requires("easel-bot") if "'worker'" in line}
hidden = {module for module, names in packages_distributions().items() if of_worker & {*names}}
assert {"torch", "diffusers", "safetensors", "google"} <= hidden, hidden
find = PathFinder.find_spec
PathFinder.find_spec = lambda name, *rest: None if name.partition(".")[0] in hidden else find(name, *rest)
import tests.bot_modules
from bot.__main__ import main
main()
"""
"""Runs a command as in an installation without the extra `worker`: its modules are not found."""


@pytest.mark.parametrize(("arguments", "code"), [("doctor", 1), ("imagine star -o x.png", 78)])
def test_a_bot_without_the_packages_of_the_worker(tmp_path: Path, arguments: str, code: int) -> None:
    result = subprocess.run(
        [sys.executable, "-c", WITHOUT_WORKER, *arguments.split()],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "EASEL_STORAGE__DIRECTORY": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[1])},
    )
    assert (result.returncode, "Traceback" in result.stderr) == (code, False), result.stderr
    assert "packages that draw are not installed here; install them with `uv sync --extra worker`" in (
        result.stderr if code == 78 else result.stdout
    )


def test_a_picture_without_discord(tmp_path: Path) -> None:
    out = tmp_path / "apple.png"
    options = ("--images", "2", "--seed", "3", "-o", str(out))
    # The file's name says the format, whatever the server's own choice.
    words = "a {red|green} apple --cfg 1 --steps {99|3}"
    variables = {"EASEL_PIPELINE__IMAGE_FORMAT": "webp", "EASEL_LIMITS__MAX_STEPS": "5"}
    result = easel("imagine", words, *options, **variables)
    assert result.returncode == 0, result.stderr
    assert "steps 99 → 5" in result.stderr
    for number in range(8):
        with Image.open(tmp_path / f"apple-{number + 1}.png") as picture:
            assert (picture.format, picture.size) == ("PNG", (256, 256))
            parameters = str(picture.info["parameters"])
            assert parameters.startswith(f"a {('red', 'green')[number // 4]} apple\nSteps: {(5, 3)[number // 2 % 2]},")
            assert f"Seed: {3 + number % 2}" in parameters


def test_a_picture_is_signed_where_that_is_wanted(tmp_path: Path) -> None:
    place = {"EASEL_STORAGE__DIRECTORY": str(tmp_path / "data")}
    order = ("imagine", "a star", "--seed", "3", "--steps", "2", "-o", str(tmp_path / "star.png"), "--sign")
    unsigned = easel(*order, **place)
    assert unsigned.returncode == 1
    assert "--sign needs a key. Pictures go out unsigned, since there is no key" in unsigned.stderr
    assert not (tmp_path / "star.png").exists()
    (tmp_path / "passphrase").write_text("correct horse")
    made = easel(
        "provenance", "init", str(tmp_path / "root.pem"), "--passphrase-file", str(tmp_path / "passphrase"), **place
    )
    assert made.returncode == 0, made.stderr
    assert easel(*order, **place).returncode == 0
    verified = easel("verify", str(tmp_path / "star.png"), **place)
    assert (verified.returncode, verified.stdout) == (0, f"{tmp_path}/star.png: made here, and unchanged since.\n")


def test_a_picture_from_a_picture(tmp_path: Path) -> None:
    given = files.colorful((64, 64))
    (tmp_path / "given.jpg").write_bytes(files.saved(given, "JPEG", quality=95))
    drawn: dict[str, Image.Image] = {}
    for name, strength, steps, seed in (
        ("near", "0.05", "20", "3"),
        ("again", "0.05", "20", "3"),
        ("far", "0.9", "6", "3"),
        ("else", "0.9", "6", "4"),
    ):
        out = tmp_path / f"{name}.png"
        options = ("--image", str(tmp_path / "given.jpg"), "--strength", strength, "--steps", steps, "--seed", seed)
        result = easel("imagine", "a tree", *options, "-o", str(out))
        assert result.returncode == 0, result.stderr
        drawn[name] = Image.open(out).convert("RGB")
    assert drawn["near"].tobytes() == drawn["again"].tobytes()
    assert drawn["far"].tobytes() != drawn["else"].tobytes()
    near, far = (files.difference(drawn[name].resize(given.size), given) for name in ("near", "far"))
    assert near < 12
    assert far > 30


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("house") / "house.png"
    result = easel("imagine", "a blue house in a meadow", *FEW_STEPS, "-o", str(out))
    assert result.returncode == 0, result.stderr
    return out


def anew(house: Path, out: Path, *options: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The house and the picture that comes of it, [H, W, 3] each."""
    result = easel("imagine", "a tree in a meadow", "--image", str(house), *options, *FEW_STEPS, "-o", str(out))
    assert result.returncode == 0, result.stderr
    old, new = (np.asarray(Image.open(path).convert("RGB"), dtype=np.int64) for path in (house, out))
    return old, new


def test_only_the_white_of_a_mask_is_drawn_anew(house: Path, tmp_path: Path) -> None:
    mask = np.zeros((256, 256), dtype=np.uint8)
    mask[50:215, 60:195] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    old, new = anew(house, tmp_path / "tree.png", "--mask", str(tmp_path / "mask.png"))
    near = np.zeros((256, 256), dtype=bool)
    near[50 - 8 : 215 + 8, 60 - 8 : 195 + 8] = True
    assert (old == new).all(axis=2)[~near].all()
    assert np.abs(old - new)[mask > 0].mean() > 20


def test_a_zoom_out_keeps_the_size_and_the_picture_inside(house: Path, tmp_path: Path) -> None:
    old, new = anew(house, tmp_path / "zoom.png", "--zoom", "2")
    inside = np.asarray(Image.fromarray(old.astype(np.uint8)).resize((128, 128), Image.Resampling.LANCZOS))
    assert new.shape == (256, 256, 3)
    assert (new[64 + 8 : 192 - 8, 64 + 8 : 192 - 8] == inside[8:-8, 8:-8]).all()
    assert np.abs(new[:56] - old[:56]).mean() > 1


def test_a_model_that_edits_does_so_without_a_word(tmp_path: Path) -> None:
    tiny.flux(FluxKontextPipeline).save_pretrained(tmp_path / "kontext")
    entry = """
        [[model]]
        key = "kontext"
        title = "Kontext"
        family = "pipeline"
        license = "none"
        source = { kind = "folder", path = "kontext" }
        defaults = { steps = 2, cfg = 3.0, width = 64, height = 64, sampler = "Model's own" }
        bounds = { min_side = 64, max_side = 128 }
    """
    (tmp_path / "models.toml").write_text(entry)
    (tmp_path / "given.png").write_bytes(files.saved(files.colorful((96, 64)), "PNG"))
    variables = {
        "EASEL_PIPELINE__CATALOGUE": str(tmp_path / "models.toml"),
        "EASEL_PIPELINE__DEFAULT_MODEL": "kontext",
        "EASEL_STORAGE__DIRECTORY": str(tmp_path),
    }
    options = ("--image", str(tmp_path / "given.png"), "--strength", "0.4", "-o", str(tmp_path / "out.png"))
    # Only the worker finds in the pipeline's class that it edits pictures and does not start from them.
    result = easel("imagine", "make it blue", *options, **variables)
    assert result.returncode == 0, result.stderr
    assert "a strength has no effect there" in " ".join(result.stderr.split())
    with Image.open(tmp_path / "out.png") as picture:
        assert picture.size == (96, 64)


@pytest.mark.parametrize(
    ("side", "size", "left", "top"),
    [("right", (384, 256), 0, 0), ("left", (384, 256), 128, 0), ("top", (256, 384), 0, 128)],
)
def test_a_pan_makes_the_picture_longer(
    house: Path, tmp_path: Path, side: str, size: tuple[int, int], left: int, top: int
) -> None:
    old, new = anew(house, tmp_path / "pan.png", "--pan", side)
    assert new.shape == (size[1], size[0], 3)
    inside = new[top : top + 256, left : left + 256]
    near = {"right": np.s_[:, -8:], "left": np.s_[:, :8], "top": np.s_[:8]}[side]
    kept = np.ones((256, 256), dtype=bool)
    kept[near] = False
    assert (inside == old).all(axis=2)[kept].all()


@pytest.mark.parametrize(
    ("arguments", "variables", "code", "sentence"),
    [
        (("run",), {}, 78, "There is no bot token"),
        (("run",), {"EASEL_DISCORD__TOKEN_FILE": "/nowhere"}, 78, "(discord.token_file) does not exist"),
        (("run",), {"EASEL_QUOTAS__AMOUNT": "x"}, 78, "quotas.amount"),
        (("run",), {"EASEL_QUOTA__AMOUNT": "5"}, 78, "did you mean EASEL_QUOTAS__AMOUNT (quotas.amount)?"),
        (("db", "restore", "none.db"), {}, 1, "There is no file none.db"),
        (("run", "--config", "none.toml"), {}, 78, "none.toml does not exist"),
        (("imagine", "x", "-o", "x.png", "--size", "huge"), {}, 1, "“huge” is no size"),
        (("imagine", "x", "-o", "x.png", "--model", "sdxl"), {}, 1, "no model called “sdxl”"),
        (("imagine", "{a|b}" * 4, "-o", "x.png"), {}, 1, "more than 8 jobs"),
        (("imagine", "x", "-o", "/nowhere/x.png"), {}, 1, "The folder /nowhere does not exist"),
        (("imagine", "x", "-o", "x.png", "--image", "none.png"), {}, 1, "The picture none.png cannot be read: No such"),
        (("imagine", "x", "-o", "x.png", "--image", "LICENSE"), {}, 1, "Send the picture as PNG, JPEG or WebP"),
        (("imagine", "x", "-o", "x.png", "--zoom", "2"), {}, 1, "give the picture with --image"),
        ((*FROM_A_PICTURE, "--zoom", "2", "--pan", "left"), {}, 1, "--zoom and --pan cannot be used together"),
        ((*FROM_A_PICTURE, "--zoom", "1"), {}, 1, "--zoom 1 is not possible; choose more than 1, up to 3"),
        ((*FROM_A_PICTURE, "--pan", "up"), {}, 1, "--pan up names no side; choose one of left, top, right, bottom"),
        (("imagine", "x", "-o", "x.gif"), {}, 1, "x.gif asks for no format that Easel writes; end it with .png, .webp"),
        (("imagine", "x", "-o", "x.png"), {"EASEL_PIPELINE__DEVICE": "cuda"}, 1, "'cuda' was asked for"),
    ],
)
def test_a_mistake_ends_in_one_sentence(
    tmp_path: Path, arguments: tuple[str, ...], variables: dict[str, str], code: int, sentence: str
) -> None:
    result = easel(*arguments, EASEL_STORAGE__DIRECTORY=str(tmp_path), **variables)
    assert result.returncode == code, result.stderr
    lines = [line for line in result.stderr.splitlines() if line.startswith("easel: ")]
    assert len(lines) == 1
    assert sentence in lines[0]
    assert "Traceback" not in result.stderr


def test_its_version_and_its_health_are_told(tmp_path: Path) -> None:
    told = easel("--version")
    assert (told.returncode, told.stdout) == (0, f"easel {version('easel-bot')}\n")
    unwell = easel("health", EASEL_STORAGE__DIRECTORY=str(tmp_path))
    assert (unwell.returncode, unwell.stdout) == (1, f"No Easel runs on {tmp_path} (storage.directory).\n")
    # An update leaves the running Easel as it is until its restart, so its own version is told.
    health = Health(
        at=time.time(), version="0.0.9", away_since=None, worker=WorkerState.READY, detail="", is_dispatching=True
    )
    write_health(tmp_path, health)
    well = easel("health", EASEL_STORAGE__DIRECTORY=str(tmp_path))
    assert (well.returncode, well.stdout) == (0, "Easel 0.0.9 is well.\n")


def test_a_database_in_use_or_broken_is_told(tmp_path: Path) -> None:
    (tmp_path / "easel.db").write_text("no database" * 200)
    result = easel("run", EASEL_STORAGE__DIRECTORY=str(tmp_path), EASEL_DISCORD__TOKEN="x")
    assert result.returncode == 69
    assert "easel.db cannot be used: file is not a database" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_taken_port_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = easel("playground", "--no-open", "--port", port, EASEL_STORAGE__DIRECTORY=str(tmp_path))
    assert result.returncode == 69
    assert port in result.stderr
    assert "Traceback" not in result.stderr


def test_the_doctor_says_what_is_there(tmp_path: Path) -> None:
    faces = tiny_network(tmp_path / "faces.safetensors")
    unet: Any = UNet2DConditionModel.from_pretrained(ROOT / "models/pocket/unet")
    spec_of(control_net(unet), tmp_path, "lines")
    catalogue = tmp_path / "models.toml"
    catalogue.write_text(
        (ROOT / "config/models.toml").read_text().replace("../models/", f"{ROOT}/models/")
        + f'[[faces]]\nkey = "faces"\ntitle = "Faces"\npath = "{faces.path}"\nlicense = "terms of faces"\n'
        + '[[controls]]\nkey = "lines"\ntitle = "Lines"\nfamily = "sd"\nkind = "controlnet"\nuse = "lines"\n'
        + 'preprocessor = "canny"\nlicense = "terms of lines"\nsource = { kind = "folder", path = "lines" }\n'
    )
    result = easel("doctor", EASEL_STORAGE__DIRECTORY=str(tmp_path), EASEL_PIPELINE__CATALOGUE=str(catalogue))
    assert result.returncode == 0, result.stdout + result.stderr
    for subject in ("settings", "database", "disk", "token", "worker", "device", "pocket"):
        assert f" {subject} " in result.stdout
    assert "BAD" not in result.stdout
    said = " ".join(result.stdout.split())
    assert "Real-ESRGAN, small is there; license: BSD-3-Clause." in said
    assert "Faces is there; license: terms of faces. It is RestoreFormer." in said
    assert "Lines is there; license: terms of lines." in said
    assert "canny, which needs no model" in said


def test_the_doctor_names_what_is_missing(tmp_path: Path) -> None:
    catalogue, styles = tmp_path / "models.toml", tmp_path / "styles"
    catalogue.write_text(
        '[[model]]\nkey = "gone"\ntitle = "Gone"\nfamily = "sd"\nlicense = "none"\n'
        'source = { kind = "folder", path = "nowhere" }\n'
    )
    (styles / "old").mkdir(parents=True)
    save_file({"emb_params": torch.ones(2, 768)}, styles / "EasyNegative.safetensors")
    save_file({"lora_unet_x.dora_scale": torch.ones(2)}, styles / "dora.safetensors")
    (styles / "old" / "bad.pt").write_bytes(b"PK")
    result = easel(
        "doctor",
        EASEL_STORAGE__DIRECTORY=str(tmp_path),
        EASEL_PIPELINE__CATALOGUE=str(catalogue),
        EASEL_PIPELINE__DEFAULT_MODEL="gone",
        EASEL_PIPELINE__LORA_DIRECTORY=str(styles),
    )
    assert result.returncode == 1
    assert "BAD  gone" in result.stdout
    assert "ok   loras      0 LoRAs and 1 embedding offered as styles" in result.stdout
    assert "BAD  dora.safetensors The file dora.safetensors is DoRA, not a plain LoRA" in result.stdout
    assert "BAD  old/bad.pt The file bad.pt is a pickle, which may run foreign code" in result.stdout


def test_the_quick_doctor_is_quick_and_right(tmp_path: Path) -> None:
    assert easel("doctor", "--quick", EASEL_STORAGE__DIRECTORY=str(tmp_path)).returncode == 0
    (tmp_path / "easel.db").write_text("no database" * 200)
    assert easel("doctor", "--quick", EASEL_STORAGE__DIRECTORY=str(tmp_path)).returncode == 1

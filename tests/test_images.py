"""What the files for Docker name is there, since Docker itself cannot run here."""

import re
import tomllib
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from bot.__main__ import app
from config.settings import Settings

ROOT: Final = Path(__file__).parents[1]
DOCKERFILE: Final = (ROOT / "Dockerfile").read_text(encoding="utf-8")
PROJECT: Final[dict[str, Any]] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
STAGES: Final = {
    match["name"]: match["steps"]
    for match in re.finditer(
        r"^FROM (?P<base>\S+) AS (?P<name>\S+)\n(?P<steps>(?:(?!^FROM ).*\n?)*)", DOCKERFILE, re.MULTILINE
    )
}
IMAGES: Final = ("bot", "cpu", "cuda")
USER: Final = "10001"


def composed(name: str) -> dict[str, Any]:
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


@pytest.fixture(params=["compose.yaml", "compose.apart.yaml"])
def services(request: pytest.FixtureRequest) -> dict[str, Any]:
    return composed(request.param)["services"]


def test_all_that_the_program_needs_is_copied_and_not_kept_out() -> None:
    copied = {word for line in re.findall(r"^COPY (?!--)(.+)$", DOCKERFILE, re.MULTILINE) for word in line.split()[:-1]}
    wheel = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert {*wheel["packages"], *wheel["force-include"], PROJECT["project"]["readme"], "pyproject.toml"} <= copied
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in ignored
    assert {line.removeprefix("!") for line in ignored if line.startswith("!")} == copied
    assert [word for word in copied if not (ROOT / word).exists()] == []


def test_each_image_has_its_packages_the_wheel_and_no_rights() -> None:
    extras = {name: set(re.findall(r"--extra (\S+)", STAGES[f"{name}-packages"])) for name in IMAGES}
    assert extras["bot"] == {"hosts"}
    assert extras["cpu"] - extras["cuda"] == {"openvino"}
    assert extras["cuda"] - extras["cpu"] == set()
    assert {"hosts", "worker"} <= extras["cuda"]
    assert set.union(*extras.values()) <= set(PROJECT["project"]["optional-dependencies"])
    for name in IMAGES:
        assert f"COPY --from={name}-packages /opt/easel/.venv /opt/easel/.venv" in STAGES[name]
        assert "/tmp/wheel/*.whl" in STAGES[name]  # noqa: S108 - in the image
        assert [line for line in STAGES[name].splitlines() if line and line[0] != "#"][-1] == f"USER {USER}"
    assert list(STAGES)[-1] == "cuda"
    assert f"--uid {USER}" in STAGES["base"]


def test_services_name_images_commands_and_settings_that_are_there(services: dict[str, Any]) -> None:
    commands = {command.callback.__name__ for command in app.registered_commands if command.callback}
    for name, service in services.items():
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        if name == "nats":
            assert service["user"] == USER
            continue
        build = service["build"]
        target = "cuda" if build == "." else build["target"]
        assert service["image"].endswith(f":-easel:{target}}}")
        assert target in IMAGES
        assert service["read_only"]
        assert service.get("command", ["run"])[0] in commands
        for variable in service["environment"]:
            area, field = variable.removeprefix("EASEL_").lower().split("__")
            assert field in Settings.model_fields[area].annotation.model_fields, variable  # pyright: ignore[reportOptionalMemberAccess, reportAttributeAccessIssue] # each area is a model


def test_the_worker_apart_reaches_the_link_alone_and_sees_no_secret_of_the_bot() -> None:
    whole = composed("compose.apart.yaml")
    bot, worker, nats = (whole["services"][name] for name in ("easel", "worker", "nats"))
    assert whole["networks"]["link"] == {"internal": True}
    assert worker["networks"] == nats["networks"] == ["link"]
    assert not {"ports", "network_mode"} & (worker.keys() | nats.keys())
    assert (bot["secrets"], worker["secrets"]) == (["discord_token"], ["line"])
    assert worker["command"] == ["worker", "--join", "/run/secrets/line"]
    assert [mount for mount in worker["volumes"] if mount.startswith("data:")] == []
    assert "downloads:/data/models:ro" in worker["volumes"]
    (mount,) = nats["volumes"]
    assert mount["volume"]["subpath"] == "hosts"
    # Without the worker's packages the bot must not want to draw.
    settings = {name: bot["environment"][name] for name in ("EASEL_HOSTS__SERVER", "EASEL_HOSTS__DRAWS_HERE")}
    assert settings == {"EASEL_HOSTS__SERVER": "nats:4222", "EASEL_HOSTS__DRAWS_HERE": "false"}

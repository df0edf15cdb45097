"""Control nets and adapters for Stable Diffusion 1.x beside models of 2.x: it is known before any job, and said."""

from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec
import pytest
from safetensors.torch import save_file

from config.catalogue import Catalogue
from pipeline.engine.models.controls import check_controls
from pipeline.engine.models.fitting import leave_out_unfit
from pipeline.engine.models.offering import Offer, check_models
from pipeline.engine.models.references import check_references
from pipeline.engine.weights.headers import read_tensors, text_features_in
from pipeline.protocol.capabilities import Capability
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.catalogue.networks import ControlSpec, FileSource, FolderSource, GuideSpec, ReferenceSpec
from pipeline.protocol.inputs import Use
from tests.pipeline.backends.children.speech import READY
from tests.pipeline.engine.control_nets import adapter, control_net, spec_of
from tests.pipeline.engine.tiny import catalogue_of, stable_diffusion
from tests.pipeline.engine.tiny_adapters import save_adapter, save_encoder

NARROW, WIDE = 32, 48
"""Widths of the text that two tiny models read, as 768 and 1,024 are those of the real ones."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    for name, width in (("narrow", NARROW), ("wide", WIDE)):
        pipeline = stable_diffusion(cross_attention_dim=width)
        pipeline.save_pretrained(folder / name)
        save_adapter(folder / f"{name}.safetensors", pipeline.unet, "plain")
        spec_of(control_net(pipeline.unet), folder, f"{name}-net")
    save_encoder(folder / "encoder")
    return folder


@pytest.fixture(scope="module")
def t2i(folder: Path) -> ControlSpec:
    return spec_of(adapter("full_adapter"), folder, "t2i", kind="t2i-adapter")


def model(folder: Path, name: str) -> ModelSpec:
    spec = catalogue_of(folder / name, "sd").default
    return msgspec.structs.replace(spec, key=name, title=name.title(), lacks=())


def net(folder: Path, name: str) -> ControlSpec:
    return ControlSpec(
        key=f"{name}-net",
        title=f"Net of {name}",
        source=FolderSource(path=str(folder / f"{name}-net")),
        family="sd",
        kind="controlnet",
        use="lines",
        preprocessor="canny",
        license="none",
    )


def reference(folder: Path, name: str) -> ReferenceSpec:
    return ReferenceSpec(
        key=f"{name}-adapter",
        title=f"Adapter of {name}",
        source=FileSource(path=str(folder / f"{name}.safetensors")),
        encoder=FolderSource(path=str(folder / "encoder")),
        family="sd",
        uses=("style",),
        license="none",
    )


def offered(models: list[ModelSpec], guides: list[GuideSpec]) -> Offer:
    offer = check_models(models, None)
    controls = check_controls(each for each in guides if isinstance(each, ControlSpec))
    references = check_references(each for each in guides if isinstance(each, ReferenceSpec))
    for found in (controls, references):
        offer.missing.update(found.missing)
        offer.remarks.update(found.remarks)
        offer.text_features.update(found.text_features)
    leave_out_unfit(offer, guides)
    return offer


@pytest.mark.parametrize("make", [net, reference])
def test_a_guide_that_fits_no_model_is_missing_with_the_reason(folder: Path, make: Any) -> None:
    guide = make(folder, "wide")
    offer = offered([model(folder, "narrow")], [guide])
    assert offer.missing == {
        guide.key: f"{guide.title} is made for models with 48 text features, and no model here is: "
        "Narrow (it reads 32)."
    }
    assert offered([model(folder, "wide")], [guide]).missing == {}
    assert offered([], [guide]).missing == {}


def test_the_real_widths_have_the_names_of_their_models(folder: Path) -> None:
    offer = offered([model(folder, "narrow")], [])
    offer.text_features.update({"narrow": 768, "wide-net": 1_024})
    leave_out_unfit(offer, [net(folder, "wide")])
    assert offer.missing["wide-net"] == (
        "Net of wide is made for Stable Diffusion 2.x (1024 text features), and no model here is: "
        "Narrow (it reads 768)."
    )


def test_a_guide_that_fits_some_models_is_offered_for_those(folder: Path, t2i: ControlSpec) -> None:
    models = [model(folder, "narrow"), model(folder, "wide")]
    guides = [net(folder, "narrow"), net(folder, "wide"), reference(folder, "wide"), t2i]
    offer = offered(models, guides)
    assert offer.missing == {}
    assert offer.unfit == {"narrow-net": ("wide",), "wide-net": ("narrow",), "wide-adapter": ("narrow",)}
    assert offer.remarks["narrow-net"].endswith(
        "Net of narrow is made for models with 32 text features, so it is not offered for Wide (it reads 48)."
    )
    catalogue = Catalogue(
        models=MappingProxyType({each.key: each for each in models}),
        default_key="narrow",
        controls={each.key: each for each in guides if isinstance(each, ControlSpec) and each is not t2i},
        references={each.key: each for each in guides if isinstance(each, ReferenceSpec)},
    )
    catalogue.heed(msgspec.structs.replace(READY, missing=offer.missing, unfit=offer.unfit))
    narrow, wide = catalogue.models.values()
    assert [each.key for each in catalogue.guides_for(narrow, Use.LINES)] == ["narrow-net"]
    assert [each.key for each in catalogue.guides_for(wide, Use.LINES)] == ["wide-net"]
    assert (narrow.can(Capability.REFERENCE), wide.can(Capability.REFERENCE)) == (False, True)


def test_a_model_that_is_not_there_fits_nothing(folder: Path, tmp_path: Path) -> None:
    gone = msgspec.structs.replace(model(folder, "wide"), source=FolderSource(path=str(tmp_path)))
    offer = offered([model(folder, "narrow"), gone], [net(folder, "wide")])
    assert offer.missing.keys() == {"wide", "wide-net"}


def test_a_checkpoint_file_shows_its_width_too(tmp_path: Path) -> None:
    weights = stable_diffusion(cross_attention_dim=WIDE).unet.state_dict()
    file = tmp_path / "one.safetensors"
    save_file({f"model.diffusion_model.{name}": tensor for name, tensor in weights.items()}, file)
    assert text_features_in(read_tensors(file)) == WIDE
    assert text_features_in({}) is None

"""Reference pictures become what the model's layers see of them, once for each job."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from PIL import Image

from pipeline.engine.failures import InvalidRequest, ModelUnavailable
from pipeline.engine.models.networks import encoder_of
from pipeline.engine.models.references import LoadedImageEncoder, LoadedReference, check_fit
from pipeline.engine.references.layers import cross_attention, layers_of
from pipeline.engine.references.rows import Attended, JobReference
from pipeline.engine.steps.jobs.denoising import DenoisingJob
from pipeline.protocol.inputs import Input, Use
from pipeline.protocol.wire.outputs import Notice


class _Seen(NamedTuple):
    """What pictures must have in common to be seen together: their image tokens are then one sequence."""

    network: str
    use: Use | None
    scale: float
    start: float
    end: float


@torch.inference_mode()
def attended(job: DenoisingJob, given: Sequence[tuple[Input, Image.Image]]) -> tuple[JobReference, ...]:
    """Encode reference pictures, and compute keys and values of each layer.

    As in diffusers, several pictures of one adapter are one sequence of image tokens. Pictures with another scale, use
    or window are an addition of their own, as those of another adapter are.

    Args:
        job: a job whose `networks` hold the adapters and their encoders.
        given: the inputs with their pictures, in order.

    Raises:
        InvalidRequest: the model lacks the layers that a use takes.
        ModelUnavailable: an adapter was trained for another model or with another encoder.
    """
    groups: dict[_Seen, list[Image.Image]] = {}
    for each, picture in given:
        seen = _Seen(each.network, each.use, each.strength, each.start, each.end)
        groups.setdefault(seen, []).append(picture)
    return tuple(_attended(job, seen, pictures) for seen, pictures in groups.items())


def padded_notices(pictures: Sequence[Image.Image]) -> tuple[Notice, ...]:
    """The fact that reference pictures were padded to squares, where it holds."""
    count = sum(picture.width != picture.height for picture in pictures)
    return (Notice(key="notice-references-padded", values={"count": count}),) if count else ()


def _attended(job: DenoisingJob, seen: _Seen, pictures: Sequence[Image.Image]) -> JobReference:
    adapter = job.networks[seen.network]
    if not isinstance(adapter, LoadedReference):
        raise InvalidRequest(f"The catalogue has no reference adapter {seen.network!r}.")
    encoder = job.networks[encoder_of(adapter.spec).key]
    if not isinstance(encoder, LoadedImageEncoder):
        raise AssertionError("An adapter came without its image encoder.")  # noqa: TRY004 - a programming error
    names = _fitting_names(job, adapter)
    check_fit(adapter.spec, adapter.network.facts, encoder.encoder.config)
    chosen = layers_of(seen.use, job.model.spec.family, names)
    if not chosen:
        raise InvalidRequest(f"{job.model.spec.title} has none of the layers that the use {seen.use} takes.")
    tokens, nothing = zip(*(_tokens(adapter, encoder, picture) for picture in pictures), strict=True)
    positive, negative = (
        {
            name: Attended(key, value, seen.scale)
            for name, (key, value) in zip(names, adapter.network.attended(torch.cat(sequence, dim=1)), strict=True)
            if name in chosen and seen.scale != 0
        }
        for sequence in (tokens, nothing)
    )
    return JobReference(positive=positive, negative=negative, start=seen.start, end=seen.end)


def _tokens(
    adapter: LoadedReference, encoder: LoadedImageEncoder, picture: Image.Image
) -> tuple[torch.Tensor, torch.Tensor]:
    """Image tokens [1, tokens, features] of a picture and of nothing, as diffusers gives them to unconditional rows.

    A plain adapter's nothing is a vector of zeros; that of other adapters is the encoder's answer to zeros.
    """
    if adapter.network.reads_hidden_states:
        return adapter.network.tokens(encoder.encoder.hidden_states(picture)), adapter.network.tokens(
            encoder.encoder.hidden_states(None)
        )
    vector = encoder.encoder.vector(picture)
    return adapter.network.tokens(vector), adapter.network.tokens(torch.zeros_like(vector))


def _fitting_names(job: DenoisingJob, adapter: LoadedReference) -> list[str]:
    """Names of the model's cross-attention layers.

    Raises:
        ModelUnavailable: the adapter has another number of layers, or layers of other sizes.
    """
    layers = cross_attention(job.model.adapter.network)
    has = [(layer.to_k.in_features, layer.to_q.out_features) for layer in layers.values()]
    facts = adapter.network.facts
    if has != [(facts.text_features, width) for width in facts.layers]:
        raise ModelUnavailable(
            f"The reference adapter {adapter.spec.title} does not fit {job.model.spec.title}: it is made for a model "
            f"with {len(facts.layers)} layers that read {facts.text_features} features, and this one has {len(has)} "
            f"that read {has[0][0] if has else 0}."
        )
    return [*layers]

"""From two prompts to the question about a morph: its price is shown, and nothing is charged before a press."""

from typing import Final

from bot.calls.answers import Interaction
from bot.errors import Refused
from bot.interactions.services import Services
from bot.interactions.start_job import asker_of, defaults_of
from bot.interactions.start_jobs import ask_first
from bot.requests.derived.morphing import check_morphs, morph
from bot.requests.expanding import resolve_each
from bot.requests.given import GivenRequest, split_at_options
from bot.requests.resolving import Resolved
from bot.requests.styles import known_styles
from bot.store.rows.origin import Lineage, StartedBy

FRAMES: Final = (8, 16, 24, 32)
"""Numbers of frames that members may choose; the second is the usual one."""


async def ask_for_morph(
    services: Services,
    interaction: Interaction,
    start: GivenRequest | Resolved,
    end_prompt: str,
    *,
    end_seed: int | None,
    frames: int = FRAMES[1],
    is_returning: bool = True,
    lineage: Lineage | None = None,
) -> None:
    """Show the price of a morph, and wait for the member's press.

    Args:
        services: the bot's services.
        interaction: the command, or a form.
        start: the request of the first picture, typed or drawn before.
        end_prompt: the words of the last picture.
        end_seed: its seed; None takes that of the first, so that only the words move.
        frames: number of pictures.
        is_returning: whether the animation goes there and back.
        lineage: the job whose picture is the first one.

    Raises:
        Refused: it cannot be drawn.
    """
    if isinstance(start, GivenRequest):
        start = await _only(services, interaction, start)
    request = start.request
    models = services.catalogue.models.values()
    known = ", ".join(spec.title for spec in models if spec.has_morphs and not spec.edits) or "—"
    check_morphs(services.catalogue.models[request.model_key], known)
    if split_at_options(end_prompt)[1]:
        raise Refused("refused-morph-options")
    last = GivenRequest(
        prompt=end_prompt,
        negative_prompt=request.negative_prompt,
        seed=request.seed if end_seed is None else end_seed,
        model_key=request.model_key,
    )
    end = await _only(services, interaction, last)
    resolved = morph(start, end, frames=frames, is_returning=is_returning)
    started_by = StartedBy.MORPH if lineage is None else StartedBy.MORPH_INTO
    await ask_first(services, interaction, [resolved], started_by=started_by, lineage=lineage)


async def _only(services: Services, interaction: Interaction, given: GivenRequest) -> Resolved:
    """The single request of a prompt; its own options count, and the defaults of member, channel and server.

    Raises:
        Refused: the prompt stands for several.
    """
    resolved = await resolve_each(
        given,
        settings=services.settings,
        catalogue=services.catalogue,
        defaults=await defaults_of(services, asker_of(interaction)),
        styles=known_styles(services.backend.status),
    )
    first, *others = resolved
    if others:
        raise Refused("refused-morph-several")
    return first

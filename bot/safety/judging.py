"""What rules of words find in a request."""

from bot.safety.words.matching import Hit, Matcher
from pipeline.protocol.requests import GenerationRequest, MorphRequest, Request


def prompts_of(request: Request) -> tuple[str, ...]:
    """The prompts of a request. Each frame of a morph is drawn from the words of both ends."""
    return (request.prompt, request.end_prompt) if isinstance(request, MorphRequest) else (request.prompt,)


def hits_of(matcher: Matcher, request: Request) -> tuple[Hit, ...]:
    """The rules that a request meets: by its prompts, and by what its negative prompt attracts.

    Raises:
        Refused: the prompt changes so often that it is not judged.
    """
    if not isinstance(request, GenerationRequest):
        return matcher.hits(request.prompt)
    steps = request.num_inference_steps
    hits = tuple(hit for prompt in prompts_of(request) for hit in matcher.hits(prompt, steps=steps))
    # Without guidance, the negative prompt has no effect.
    return (
        hits
        if request.guidance_scale <= 1
        else (*hits, *matcher.hits_in_negative(request.negative_prompt, steps=steps))
    )

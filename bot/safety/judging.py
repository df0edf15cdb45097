"""What rules of words find in a request."""

from bot.safety.words.matching import Hit, Matcher
from pipeline.protocol.requests import GenerationRequest, Request


def hits_of(matcher: Matcher, request: Request) -> tuple[Hit, ...]:
    """The rules that a request meets: by its prompt, and by what its negative prompt attracts.

    Raises:
        Refused: the prompt changes so often that it is not judged.
    """
    if not isinstance(request, GenerationRequest):
        return matcher.hits(request.prompt)
    steps = request.num_inference_steps
    hits = matcher.hits(request.prompt, steps=steps)
    # Without guidance, the negative prompt has no effect.
    return (
        hits
        if request.guidance_scale <= 1
        else (*hits, *matcher.hits_in_negative(request.negative_prompt, steps=steps))
    )

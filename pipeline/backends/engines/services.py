"""An image server or service with OpenAI's interface: `POST images/generations`.

Many servers have it, such as vLLM-Omni and SGLang, and services. Some take more fields than OpenAI does, and some send
unfinished pictures.
"""

import base64
import binascii
import contextlib
from collections.abc import Mapping
from typing import Any, Final

import httpx2
import openai
from openai.types import ImageGenCompletedEvent, ImageGenPartialImageEvent, ImagesResponse

from pipeline.backends.engines.server import DrawingFailed, Facts, Server, ServerAway, Tell
from pipeline.protocol.catalogue.engines import DrawnBy
from pipeline.protocol.errors import FailureReason
from pipeline.protocol.reading import MAX_FILE_BYTES
from pipeline.protocol.requests import GenerationRequest

_CALL_S: Final = 15.0
_DRAW_S: Final = 600.0
_REFUSALS: Final = ("content_policy_violation", "moderation_blocked", "content_filter", "image_generation_user_error")
"""Codes and types of errors about a prompt that the service does not want."""
_UNPAID: Final = "insufficient_quota"
_UNPAID_S: Final = 600.0
_BUSY_S: Final = 30.0
"""Seconds of rest after these two answers, if the service names none."""
_MAX_DETAIL: Final = 500


class ServiceServer(Server):
    """One image server or service.

    Args:
        url: its address, the `base_url` of OpenAI's client.
        key: the owner's key; None for a server that wants none.
        models: how it draws each model, by the model's key.
        look_s: seconds between two looks at it.
    """

    def __init__(self, url: str, key: str | None, models: Mapping[str, DrawnBy], *, look_s: float = 60.0) -> None:
        self._url = url
        self._models = models
        self._look_s = look_s
        # The client itself would repeat calls that may have been billed.
        self._client = openai.AsyncOpenAI(base_url=url, api_key=key or "none", max_retries=0)

    @property
    def url(self) -> str:
        """Its address."""
        return self._url

    @property
    def look_s(self) -> float:
        """Seconds between two looks at it."""
        return self._look_s

    async def close(self) -> None:
        """Let go of it."""
        await self._client.close()

    async def look(self) -> Facts:
        """Ask whether it is there and knows the key. A server without a list of models is there.

        Raises:
            ServerAway: it does not answer, or refuses the key.
        """
        try:
            await self._client.models.list(timeout=_CALL_S)
        except openai.NotFoundError:
            pass
        except openai.OpenAIError as error:
            raise self._away(error) from error
        return Facts(device=self._url, version="OpenAI images API")

    async def draw(self, request: GenerationRequest, tell: Tell) -> bytes:
        """Draw one image.

        Raises:
            DrawingFailed: it refuses the prompt, or failed, or may have been paid for a picture that did not come.
            ServerAway: it did not get the request, or does not draw now; nothing was billed.
        """
        drawn_by = self._models[request.model_key]
        try:
            return await self._drawn(drawn_by, request, tell)
        except openai.BadRequestError as error:
            raise _refusal(error) from error
        except (openai.AuthenticationError, openai.PermissionDeniedError, openai.RateLimitError) as error:
            raise self._away(error) from error
        except openai.APIConnectionError as error:
            if isinstance(error.__cause__, httpx2.ConnectError):
                raise self._away(error) from error
            raise self._lost(drawn_by, error) from error
        except openai.APIStatusError as error:
            raise DrawingFailed(FailureReason.ENGINE_FAILED, _detail_of(error)) from error
        except (openai.OpenAIError, httpx2.HTTPError) as error:  # a stream that breaks off
            raise self._lost(drawn_by, error) from error

    async def _drawn(self, drawn_by: DrawnBy, request: GenerationRequest, tell: Tell) -> bytes:
        size, more = f"{request.width}x{request.height}", _more(drawn_by, request)
        if not drawn_by.previews:
            answer = await self._client.images.generate(
                model=drawn_by.model, prompt=request.prompt, n=1, size=size, extra_body=more, timeout=_DRAW_S
            )
            return await self._picture_of(answer)
        stream = await self._client.images.generate(
            model=drawn_by.model,
            prompt=request.prompt,
            n=1,
            size=size,
            stream=True,
            partial_images=drawn_by.previews,
            extra_body=more,
            timeout=_DRAW_S,
        )
        async with stream:
            async for event in stream:
                match event:
                    case ImageGenPartialImageEvent():
                        step = event.partial_image_index + 1
                        tell(step, drawn_by.previews + 1, _decoded(event.b64_json))
                    case ImageGenCompletedEvent():
                        return _decoded(event.b64_json)
        raise DrawingFailed(FailureReason.ENGINE_FAILED, "The stream ended without a picture.")

    async def _picture_of(self, answer: ImagesResponse) -> bytes:
        image = next(iter(answer.data or ()), None)
        if image is not None and image.b64_json:
            return _decoded(image.b64_json)
        if image is None or not image.url:
            raise DrawingFailed(FailureReason.ENGINE_FAILED, "The answer has no picture.")
        data = b""
        async with httpx2.AsyncClient(timeout=_CALL_S) as client, client.stream("GET", image.url) as response:
            response.raise_for_status()
            async for piece in response.aiter_bytes():
                data += piece
                if len(data) > MAX_FILE_BYTES:
                    raise DrawingFailed(FailureReason.ENGINE_FAILED, "The picture is larger than Easel reads.")
        return data

    def _lost(self, drawn_by: DrawnBy, error: Exception) -> DrawingFailed | ServerAway:
        """What follows from a connection that was lost after the request was sent."""
        if drawn_by.price:
            return DrawingFailed(FailureReason.MAYBE_BILLED, f"{self._url} was lost while it drew: {error!r}")
        return ServerAway(f"The server at {self._url} was lost while it drew ({type(error).__name__}).")

    def _away(self, error: openai.OpenAIError) -> ServerAway:
        if isinstance(error, openai.AuthenticationError | openai.PermissionDeniedError):
            return ServerAway(f"The server at {self._url} does not accept the key; set key_file of the engine.")
        if isinstance(error, openai.RateLimitError):
            if error.code == _UNPAID:
                return ServerAway(f"The server at {self._url} wants to be paid first.", _UNPAID_S)
            return ServerAway(f"The server at {self._url} has too much to do now.", _rest_s(error))
        return ServerAway(f"The server at {self._url} cannot be reached ({type(error).__name__}); check the address.")


def _rest_s(error: openai.RateLimitError) -> float:
    """Seconds that the service asks for, or some."""
    with contextlib.suppress(ValueError):
        return min(float(error.response.headers.get("Retry-After", "")), _UNPAID_S)
    return _BUSY_S


def _more(drawn_by: DrawnBy, request: GenerationRequest) -> dict[str, Any]:
    """Fields beyond OpenAI's that the server takes."""
    values: dict[str, tuple[str, Any]] = {
        "negative": ("negative_prompt", request.negative_prompt),
        "steps": ("num_inference_steps", request.num_inference_steps),
        "cfg": ("guidance_scale", request.guidance_scale),
        "seed": ("seed", request.seed),
    }
    return dict(values[name] for name in drawn_by.takes)


def _decoded(text: str) -> bytes:
    if len(text) > MAX_FILE_BYTES * 4 // 3 + 4:
        raise DrawingFailed(FailureReason.ENGINE_FAILED, "The picture is larger than Easel reads.")
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise DrawingFailed(FailureReason.ENGINE_FAILED, f"The picture is no base64 ({error}).") from error


def _refusal(error: openai.BadRequestError) -> DrawingFailed:
    is_policy = error.code in _REFUSALS or error.type in _REFUSALS
    return DrawingFailed(
        FailureReason.REFUSED_ELSEWHERE if is_policy else FailureReason.ENGINE_FAILED, _detail_of(error)
    )


def _detail_of(error: openai.APIStatusError) -> str:
    return f"{error.status_code}: {error.message}"[:_MAX_DETAIL]

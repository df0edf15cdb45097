"""What one option of a request is: its names, its values, and how it becomes fields of the request."""

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any

import msgspec

from bot.requests.options.takes import Number, Picture, Text
from config.settings import LimitSettings
from pipeline.protocol.capabilities import Capability
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.samplers.sampler import Sampler
from pipeline.protocol.wire.outputs import Notice


class Situation(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that resolves a value: model, limits and sampler; and the list of notices for the member."""

    spec: ModelSpec
    limits: LimitSettings
    sampler: Sampler
    notices: list[Notice]


class Option(msgspec.Struct, frozen=True, kw_only=True):
    """One option.

    Attributes:
        name: the typed name, in lower case. `option-NAME` describes it, `summary-NAME` shows its value in a message.
        field: a field of `GivenRequest`. An option with defaults has it in `Preferences` too (text `preference-FIELD`).
        takes: its values.
        translations: its name in other languages, each also the text `name-NAME` there.
        habits: its names in other programs, with underscores.
        fields: the fields of `GenerationRequest` that it sets; None if it sets only the field named `field`.
        value_in: reads the option's value from a request; None if a request does not contain it.
        usual: a model's default; None if there is none.
        needs: capability of a model without which the option has no effect; None if every model has it.
        resolve: turns a value (None if not given) into fields of the request; None if `resolving.py` sets the fields.
        may_have_default: whether members and admins may set a default.
        is_for_command_line: whether `easel imagine` has it.
    """

    name: str
    field: str
    takes: Text | Number | Picture
    translations: tuple[str, ...] = ()
    habits: tuple[str, ...] = ()
    fields: tuple[str, ...] | None = None
    value_in: Callable[[GenerationRequest], Any] | None
    usual: Callable[[ModelSpec], Any] | None
    resolve: Callable[[Any, Situation], Mapping[str, Any]] | None
    needs: Capability | None = None
    may_have_default: bool = True
    is_for_command_line: bool = True

    @property
    def request_fields(self) -> tuple[str, ...]:
        """The fields of `GenerationRequest` that it sets."""
        return (self.field,) if self.fields is None else self.fields

    def value_of(self, request: GenerationRequest) -> Any:
        """The option's value in a request; None if a request does not contain it."""
        return None if self.value_in is None else self.value_in(request)

    def written(self, request: GenerationRequest) -> str | int:
        """The option's value as members type it; empty if there is none, or it cannot be typed."""
        value = self.value_of(request)
        if value is None or isinstance(self.takes, Picture):
            return ""
        return f"{value:g}" if isinstance(value, float) else value

    def is_usual(self, request: GenerationRequest, spec: ModelSpec) -> bool:
        """Whether a request has the model's default."""
        return self.usual is not None and self.value_of(request) == self.usual(spec)


def number(
    name: str,
    field: str,
    takes: Number,
    usual: Callable[[ModelSpec], float],
    *,
    highest: Callable[[Situation], float] | None = None,
    needs: Capability | None = None,
    translations: tuple[str, ...] = (),
    habits: tuple[str, ...] = (),
) -> Option:
    """A number option. Its value is the request's field of the same name, moved to the nearest allowed number.

    Args:
        name: the option's name.
        field: the field of `GivenRequest`, `Preferences` and `GenerationRequest`.
        takes: its values.
        usual: a model's default.
        highest: a bound in addition to the model's and the host's.
        needs: see `Option`.
        translations: see `Option`.
        habits: see `Option`.
    """

    def resolve(value: float | None, situation: Situation) -> Mapping[str, float]:
        most = takes.highest(situation.spec, situation.limits)
        most = most if highest is None else min(most, highest(situation))
        value = usual(situation.spec) if value is None else value
        return {field: takes.nearest(name, value, most, situation.notices)}

    return Option(
        name=name,
        field=field,
        takes=takes,
        translations=translations,
        habits=habits,
        value_in=attrgetter(field),
        usual=usual,
        resolve=resolve,
        needs=needs,
    )

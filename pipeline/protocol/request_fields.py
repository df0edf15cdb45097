"""What the fields of all kinds of requests say of themselves, beside their types."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, get_args, get_origin, get_type_hints

from pipeline.protocol.facts import Fact
from pipeline.protocol.requests import REQUEST_TYPES, Request

_HINTS: Final = {each: get_type_hints(each, include_extras=True) for each in REQUEST_TYPES}
FACTS: Final[Mapping[type[Request], Mapping[str, Fact]]] = MappingProxyType(
    {
        each: MappingProxyType(
            {name: fact for name, hint in hints.items() for fact in get_args(hint) if isinstance(fact, Fact)}
        )
        for each, hints in _HINTS.items()
    }
)
"""Facts by request type, then by the name of their field."""
PRIVATE: Final[Mapping[str, Callable[[], Any]]] = MappingProxyType(
    {
        name: get_origin(get_args(_HINTS[each][name])[0]) or get_args(_HINTS[each][name])[0]
        for each, facts in FACTS.items()
        for name, fact in facts.items()
        if fact.is_private
    }
)
"""Constructors of the empty values of private fields, by the name of their field. A name means the same in every kind
of request that has it."""

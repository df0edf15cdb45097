"""What another version of Easel knows of the words that it is sent.

Both sides ignore fields that they do not know. So a host says which ones it knows, and gets no word in which another
one has a meaning.
"""

import functools
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import msgspec
from msgspec import NODEFAULT, inspect
from msgspec.structs import FieldInfo


def fields_of(kind: type[msgspec.Struct]) -> frozenset[str]:
    """All fields of a struct and of those in it, as `Struct.field`."""
    found: dict[str, inspect.StructType] = {}
    open_types: list[Any] = [inspect.type_info(kind)]
    while open_types:
        each = open_types.pop()
        if isinstance(each, inspect.StructType):
            if each.cls.__name__ in found:
                continue
            found[each.cls.__name__] = each
            open_types += [field.type for field in each.fields]
        elif isinstance(each, inspect.Type):
            open_types += _parts(each)
    return frozenset(f"{name}.{field.name}" for name, each in found.items() for field in each.fields)


def unknown_fields(value: object, known: Collection[str]) -> list[str]:
    """Fields with a meaning, in a struct and in those in it, that are not among the known ones."""
    if isinstance(value, msgspec.Struct):
        found: list[str] = []
        for field in _fields(type(value)):
            inner = getattr(value, field.name)
            name = f"{type(value).__name__}.{field.name}"
            if name in known:
                found += unknown_fields(inner, known)
            elif _has_meaning(field, inner):
                found.append(name)
        return found
    if isinstance(value, Mapping):
        return [name for each in value.values() for name in unknown_fields(each, known)]
    if isinstance(value, list | tuple):
        return [name for each in value for name in unknown_fields(each, known)]
    return []


@functools.cache
def _fields(kind: type[msgspec.Struct]) -> tuple[FieldInfo, ...]:
    return msgspec.structs.fields(kind)


def _has_meaning(field: FieldInfo, value: object) -> bool:
    if field.default is not NODEFAULT:
        return bool(value != field.default)
    return field.default_factory is NODEFAULT or bool(value != field.default_factory())


def _parts(kind: inspect.Type) -> Iterator[inspect.Type]:
    """The types in a type, such as those of a union or of a tuple's items."""
    for name in kind.__struct_fields__:
        part = getattr(kind, name)
        if isinstance(part, inspect.Type):
            yield part
        elif isinstance(part, tuple):
            yield from (each for each in part if isinstance(each, inspect.Type))

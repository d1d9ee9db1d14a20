"""Declaring a resource once, and making from that what serializes its rows, sorts its lists and searches in them.

A serializer is made once for each resource, because a list calls it hundreds of times: it reads all plain attributes
together, and calls a function only for what has to be computed.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from operator import attrgetter
from types import NoneType, UnionType
from typing import Annotated, Any, Generic, Literal, Protocol, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field
from pydantic.fields import FieldInfo

from portal.moments import iso_datetime
from portal.resources.columns import Column, ColumnKind

OMITTED = object()
"""What a `Read` returns for a field that is left out of this representation."""


@dataclass(frozen=True, eq=False)
class Read:
    """How a field is read: from this attribute (`owner.id`), or by a function of the row and what is known about it."""

    value: str | Callable[[Any, Any], Any]


Id = Annotated[str, Field(description="The short public identifier.", examples=["u6Yh3DpQ2x"])]


class ResponseModel(BaseModel):
    """The base class of all parts of responses: no other fields than those declared."""

    model_config = ConfigDict(extra="forbid")


def _needs_identity_only(schema: dict[str, Any]) -> None:
    schema["required"] = [name for name in ("object", "id") if name in schema["properties"]]


class Resource(ResponseModel):
    """A resource, of which `filter` may leave out every field except `object` and `id`."""

    model_config = ConfigDict(json_schema_extra=_needs_identity_only)


class IdentifiedResource(Resource):
    """The identifiers of a thing, and when it was created and last changed."""

    object: str
    id: Id
    uuid: Annotated[str, Field(description="UUIDv7 (RFC 9562)."), Read(lambda thing, _: str(thing.uuid))]
    ulid: Annotated[str, Field(description="The same 128 bits in Crockford's base 32.")]
    created_at: datetime
    updated_at: datetime


Item = TypeVar("Item")


class Included(ResponseModel, Generic[Item]):
    """A relation that was asked for by `include`."""

    data: Item


class Serializer(Protocol):
    """Makes the representation of a row. `about` is what else its fields are read from."""

    def __call__(self, row: Any, about: Any = None) -> dict[str, Any]: ...


def serializer(resource: type[Resource]) -> Serializer:
    """What serializes rows as this resource, without its relations."""
    template: dict[str, Any] = {}
    attributes: dict[Callable[[Any], Any] | None, dict[str, str]] = {}
    computed: list[tuple[str, Callable[[Any, Any], Any]]] = []
    for name in fields_of(resource):
        field = resource.model_fields[name]
        template[name] = _constant(field)
        read = next((one.value for one in field.metadata if isinstance(one, Read)), name)
        if callable(read):
            computed.append((name, read))
        elif template[name] is None:
            attributes.setdefault(_conversion(field), {})[name] = read
    together = [(tuple(paths), _getter(list(paths.values())), convert) for convert, paths in attributes.items()]

    def serialize(row: Any, about: Any = None) -> dict[str, Any]:
        representation = template.copy()
        for names, values, convert in together:
            found = values(row)
            representation.update(zip(names, map(convert, found) if convert else found))  # noqa: B905  (as many)
        for name, read in computed:
            value = read(row, about)
            if value is OMITTED:
                del representation[name]
            else:
                representation[name] = value
        return representation

    return serialize


def fields_of(resource: type[Resource]) -> list[str]:
    """The names of the fields of this resource, without its relations."""
    return [name for name, field in resource.model_fields.items() if not _is_relation(field)]


def columns_of(resource: type[Resource], row: Any) -> dict[str, Column]:
    """The columns by which a list of this resource is sorted and searched, by the name of their field.

    Those are the fields with a `Column`, then the identity and the times that the model `row` has by the same names.
    Kind and nullability follow from the field's type.
    """
    found: dict[str, Column] = {}
    for name, field in resource.model_fields.items():
        column = next((one for one in field.metadata if isinstance(one, Column)), None)
        if column is not None:
            found[name] = _typed(column, field)
    for name in ("created_at", "updated_at", "id"):
        if name not in found and hasattr(row, name):
            found[name] = _typed(Column(getattr(row, name)), resource.model_fields[name])
    return found


def _typed(column: Column, field: FieldInfo) -> Column:
    kind, nullable = _kind(field)
    return replace(column, kind=column.kind or _column_kind(kind), nullable=nullable)


def _column_kind(kind: Any) -> ColumnKind:
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return kind
    kinds: dict[Any, ColumnKind] = {bool: "flag", int: "number", datetime: "moment"}
    return kinds.get(kind, "text")


def _kind(field: FieldInfo) -> tuple[Any, bool]:
    """The type of the field without its null, and whether it can be null."""
    options = get_args(field.annotation) if get_origin(field.annotation) in {Union, UnionType} else (field.annotation,)
    kinds = [_bare(one) for one in options if one is not NoneType]
    return (kinds[0] if len(kinds) == 1 else None), NoneType in options


def _bare(kind: Any) -> Any:
    return get_args(kind)[0] if get_origin(kind) is Annotated else kind


def _is_relation(field: FieldInfo) -> bool:
    kind, _ = _kind(field)
    return isinstance(kind, type) and issubclass(kind, Included)


def _constant(field: FieldInfo) -> str | None:
    """The only value of a field such as `object`; None for any other field."""
    values = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
    return values[0] if len(values) == 1 else None


def _conversion(field: FieldInfo) -> Callable[[Any], Any] | None:
    """What makes JSON of the field's values; None if they are that already."""
    kind, nullable = _kind(field)
    if kind is datetime:
        return iso_datetime
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return _word_or_none if nullable else _word
    return None


_word = attrgetter("value")


def _word_or_none(member: StrEnum | None) -> str | None:
    return None if member is None else member.value


def _getter(names: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    """What reads these attributes together."""
    if len(names) > 1:
        return attrgetter(*names)
    return lambda row: tuple(getattr(row, name) for name in names)

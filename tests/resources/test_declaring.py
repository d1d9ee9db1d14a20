"""One declaration of a field gives its schema, its serialization, and the column by which lists find it."""

import json
from datetime import UTC, datetime
from enum import StrEnum
from types import SimpleNamespace
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field

from portal.api.v1.core.request_body import RequestBody, _validated
from portal.errors import Invalid
from portal.resources.columns import Column, worded
from portal.resources.declaring import OMITTED, Included, Read, Resource, columns_of, fields_of, serializer
from portal.rooms.models import Room
from portal.webhooks.models import WebhookEndpoint

MOMENT = datetime(2027, 1, 31, 18, 30, tzinfo=UTC)


class Colour(StrEnum):
    RED = "red"


class ShelfSchema(Resource):
    """What things stand on."""

    object: Literal["Shelf"]


class ThingSchema(Resource):
    """A thing with a field of each sort."""

    object: Literal["Thing"]
    id: str
    name: Annotated[str, Field(description="What it is called."), worded(WebhookEndpoint.description)]
    colour: Annotated[Colour | None, Column(Room.room_type)]
    seen_at: Annotated[datetime | None, Column(Room.trashed_at)]
    count: Annotated[int, Column(WebhookEndpoint.failures)]
    public: Annotated[bool, Column(Room.is_public)]
    secret: Annotated[str, Read(lambda thing, told: thing.secret if told else OMITTED)] = ""
    shelf: Included[ShelfSchema] | None = None


def thing(**more: Any) -> SimpleNamespace:
    known = {"id": "t1", "name": "Cup", "colour": Colour.RED, "seen_at": MOMENT, "count": 2, "public": True}
    return SimpleNamespace(**known, secret="psst", **more)


def test_a_row_is_serialized_as_its_fields_are_declared() -> None:
    serialize = serializer(ThingSchema)
    shown = serialize(thing(unknown=5), True)
    assert shown == {
        "object": "Thing", "id": "t1", "name": "Cup", "colour": "red", "seen_at": "2027-01-31T18:30:00.000000Z",
        "count": 2, "public": True, "secret": "psst",
    }  # fmt: skip
    ThingSchema.model_validate_json(json.dumps(shown))
    assert "secret" not in serialize(thing())
    empty = serialize(SimpleNamespace(**{**vars(thing()), "colour": None, "seen_at": None}))
    assert (empty["colour"], empty["seen_at"]) == (None, None)


def test_relations_are_no_fields() -> None:
    assert fields_of(ThingSchema) == ["object", "id", "name", "colour", "seen_at", "count", "public", "secret"]


def test_kind_and_nullability_of_a_column_follow_from_the_type() -> None:
    found = columns_of(ThingSchema, SimpleNamespace(id=Room.id))
    assert {name: (column.kind, column.nullable) for name, column in found.items()} == {
        "name": ("text", False),
        "colour": (Colour, True),
        "seen_at": ("moment", True),
        "count": ("number", False),
        "public": ("flag", False),
        "id": ("text", False),
    }
    assert found["name"].like is not None


def test_what_a_resource_shows_and_a_body_does_not_take_is_read_only() -> None:
    class ThingChange(RequestBody):
        resource = ThingSchema

        name: str = ""

    for sent, said in (('{"colour": "red"}', "This is read-only."), ('{"taste": "red"}', "There is no field taste.")):
        with pytest.raises(Invalid) as refused:
            _validated(ThingChange, sent.encode())
        assert [str(message) for message in refused.value.fields.values()] == [said]

"""The columns of plain values: each field has its own, whatever order the SELECT would have had otherwise."""

from dataclasses import dataclass

import pytest

from portal.people.models import User
from portal.plain_values import columns_for
from portal.rooms.models import Room


@dataclass(frozen=True)
class Named:
    """A room with the name of its owner."""

    slug: str
    owner_name: str
    room_name: str
    owner: None


def test_each_field_gets_the_column_by_its_name_in_its_place() -> None:
    slug, owner, name = columns_for(Named, Room, without=("owner",), owner_name=User.name)
    assert (slug, name) == (Room.slug, Room.room_name)
    assert (owner.element, owner.key) == (User.name.expression, "owner_name")


def test_a_field_without_a_column_and_a_column_without_a_field_are_errors() -> None:
    with pytest.raises(TypeError, match="no column owner_name"):
        columns_for(Named, Room, without=("owner",))
    with pytest.raises(TypeError, match="no field owner_id"):
        columns_for(Named, Room, without=("owner",), owner_name=User.name, owner_id=User.id)

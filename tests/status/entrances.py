"""Reading a room as somebody enters it, without a door."""

import sqlalchemy as sa

from portal.db import session
from portal.rooms.models import Room
from portal.status.entrance import Entrance, entrance_from_row, entrance_query, present_column


def read_entrance(room: Room, device: str) -> Entrance:
    here, by = sa.bindparam("here", room.uuid, type_=sa.Uuid()), sa.bindparam("device", device, type_=sa.String())
    row = session.connection().execute(entrance_query(here, by).add_columns(present_column())).one()
    return entrance_from_row(room, row, row[-1])

"""Making rooms, with rights on them for who makes them.

A room's owner is the account's owner. Somebody who was only granted `rooms:create` would have no right on what he
makes, so he becomes a member of it with every permission that can be granted, as long as he may make rooms there.
"""

from datetime import datetime
from typing import Unpack

from portal.accounts.permission import AccountPermission
from portal.accounts.room_account import RoomAccount
from portal.audit.changes import differences, values_of
from portal.audit.operations import record_event
from portal.clock import now
from portal.db import session
from portal.people.actor import Actor
from portal.people.memberships import GRANTED
from portal.permissions.members import RoomMember
from portal.permissions.permission import Permission
from portal.rooms.operations import NewRoomFields, create_room
from portal.rooms.room_read import RoomRead


def create_room_for_maker(*, account: RoomAccount, by: Actor, **fields: Unpack[NewRoomFields]) -> RoomRead:
    """Create a room as `rooms.operations.create_room` does, and let whoever was granted to make it have it in hand.

    The memberships of `by` in the account and at its customer must have been loaded. Raises `Invalid` or `Conflict`.
    """
    room = create_room(account=account, by=by, **fields)
    by.memberships[room.uuid] = None
    ends = _ends_of_grants(by, account)
    owners = account.owner_uuid, account.customer_owner_uuid
    if by.uuid in owners or by.on_behalf_of_uuid is not None or not ends:
        return room
    member = RoomMember(
        room_uuid=room.uuid,
        user_uuid=by.uuid,
        permissions=sorted(Permission),
        until=None if None in ends else max(filter(None, ends)),
    )
    session.add(member)
    session.flush()
    granted = differences({}, values_of(member, GRANTED))
    record_event("member.added", member, by=by, room=room.uuid, changes=granted)
    by.memberships[room.uuid] = member
    return room


def _ends_of_grants(by: Actor, account: RoomAccount) -> list[datetime | None]:
    """When the grants end by which `by` may make rooms in the account; None: never."""
    at, above = now(), (account.uuid, account.customer_uuid)
    found = [member for uuid in above if (member := by.memberships.get(uuid)) is not None]
    return [member.until for member in found if AccountPermission.ROOMS_CREATE in member.granted(at)]

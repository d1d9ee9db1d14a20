"""Deleting a user: nothing may depend on him, and nothing of him stays but a row without a name."""

import sqlalchemy as sa

from portal.accounts.models import Account, AccountMember
from portal.customers.models import Customer, CustomerMember
from portal.db import lock, session
from portal.errors import Conflict, Message
from portal.people.actor import Actor
from portal.people.models import User
from portal.people.user_status import anonymise_user
from portal.permissions.members import RoomMember
from portal.rooms.models import Room


def delete_user(user: User, *, by: Actor) -> None:
    """Anonymise a user, after ending all his memberships.

    Raises `Conflict` if he owns a customer, an account or a room, which needs another owner first, or if he is the
    last administrator; `NotAllowed`; or `NotFound`.
    """
    lock(user)
    for owned, message in (
        (Customer, Message("%(name)s owns a customer. Give it another owner first.", name=user.name)),
        (Account, Message("%(name)s owns an account. Give it another owner first.", name=user.name)),
        (Room, Message("%(name)s owns a room. Give it another owner first.", name=user.name)),
    ):
        if session.scalar(sa.select(sa.exists().where(owned.owner_uuid == user.uuid))):
            raise Conflict(message)
    anonymise_user(user, by=by)
    for membership in (RoomMember, AccountMember, CustomerMember):
        session.execute(sa.delete(membership).where(membership.user_uuid == user.uuid))

"""Who may hand out the ways into a room: the one rule for links, and for the codes that open or close them."""

from portal.errors import Message, NotAllowed
from portal.permissions.actor import Actor
from portal.permissions.rules import grantable_roles
from portal.rooms.models import Role, Room


def must_hand_out(by: Actor, room: Room, *roles: Role) -> None:
    """Nobody grants what he lacks: a moderator link makes moderators, and so does a door without its code.

    Raises `NotAllowed`.
    """
    if not set(roles) <= grantable_roles(by, room):
        raise NotAllowed(Message("Only who may moderate this room makes or changes links and codes for moderators."))

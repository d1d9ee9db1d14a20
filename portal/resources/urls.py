"""The complete addresses of rooms and links, as people and programs are given them."""

from portal.admission.issuing import IssuedLink
from portal.admission.models import RoomToken
from portal.public_url import public_url
from portal.rooms.protocols import RoomColumns


def room_url(room: RoomColumns) -> str:
    """The complete address of the room's page."""
    return public_url(room.path)


def token_url(room: RoomColumns, token: RoomToken | IssuedLink) -> str:
    """The complete link of a token, as people are sent it. It holds the secret."""
    return f"{room_url(room)}?token={token.token}"


def join_ticket_url(room: RoomColumns, secret: str) -> str:
    """The complete address that redeems the join ticket with this secret: it lets one person in once."""
    return public_url(f"/rooms/{room.id}/-/join-tickets/{secret}")

"""How many wrong codes are too many. Counted on the server, whatever cookies or headers a visitor sends.

Per (room, role) and per (room, network), so that neither many networks nor many links help a guesser.
Devices that entered this room before have a bucket of their own, so that a flood of guesses by others
cannot keep a known moderator out.
"""

from portal.rooms.models import Role, Room
from portal.tries import Bucket

WINDOW = 60  # seconds; doubles with each window that is used up


def code_buckets(*, room: Room, role: Role, network: str, known_device: str | None) -> tuple[Bucket, ...]:
    """The buckets from which one guess takes a try."""
    if known_device is not None:
        return (Bucket.of("code", room.uuid, role, "device", known_device, limit=5, window=WINDOW),)
    return (
        Bucket.of("code", room.uuid, role, limit=30, window=WINDOW),
        Bucket.of("code", room.uuid, "network", network, limit=10, window=WINDOW),
    )


def automatic_token_bucket(*, room: Room, network: str) -> Bucket:
    """How many devices of one network may get a guest token of a public room."""
    return Bucket.of("automatic", room.uuid, network, limit=60, window=600)

"""The throttle buckets for wrong access codes and for automatic tokens; `portal.throttling` counts them.

Per (room, role) and per (room, role, network), in a minute and in a day, so that neither many networks
nor many links nor patience help a guesser; and per role, so that guests cannot lock moderators out.
Devices that entered in this role before are counted apart from strangers, each of them and all together,
so that a flood of strangers cannot keep a known moderator out, nor many known devices guess more.
"""

from portal.rooms.models import Role, Room
from portal.throttling import Bucket, RetryAfterColumn

MINUTE = 60  # seconds; doubles with each window that is used up
DAY = 86_400
STRANGERS, KNOWN = (
    RetryAfterColumn("strangers", 4),
    RetryAfterColumn("known", 5),
)  # as many as `code_buckets` has


def code_buckets(*, room: Room, role: Role, network: str, known_device: str | None) -> tuple[Bucket, ...]:
    """The buckets that count a wrong code. `known_device` is the device, if it was in before in this role, or None."""
    who = ("code", room.uuid, role, "strangers" if known_device is None else "known")
    shared = (
        Bucket.of(*who, limit=30, window=MINUTE),
        Bucket.of(*who, "day", limit=1000, window=DAY, grows=False),
        Bucket.of(*who, "network", network, limit=10, window=MINUTE),
        Bucket.of(*who, "network", network, "day", limit=100, window=DAY, grows=False),
    )
    if known_device is None:
        return shared
    return (*shared, Bucket.of(*who, "device", known_device, limit=5, window=MINUTE))


def service_bucket(*, room: Room, network: str) -> Bucket:
    """The bucket for asking the service behind a room on behalf of people without an account: a school fits in."""
    return Bucket.of("service", room.uuid, network, limit=600, window=600, grows=False)


def automatic_token_bucket(*, room: Room, network: str) -> Bucket:
    """The bucket that limits how many devices of one network get an automatic token of a public room."""
    return Bucket.of("automatic", room.uuid, network, limit=60, window=600)

"""The throttle buckets for wrong access codes and for arrivals; `portal.throttling` counts them.

Per (room, role) and per (room, role, network), in a minute and in a day, so that neither many networks
nor many links nor patience help a guesser; and per role, so that guests cannot lock moderators out.
Devices that entered in this role before are counted apart from strangers, each of them and all together,
so that a flood of strangers cannot keep a known moderator out, nor many known devices guess more.
"""

from portal.rooms.features import used_limit
from portal.rooms.kinds import kind_of
from portal.rooms.models import Role
from portal.rooms.protocols import RoomLike
from portal.throttling import Bucket, RetryAfterColumn

MINUTE = 60  # seconds; doubles with each window that is used up
TEN_MINUTES = 600
DAY = 86_400
FEWEST_ARRIVALS, MOST_ARRIVALS = 600, 6000
STRANGERS, KNOWN = (
    RetryAfterColumn("strangers", 4),
    RetryAfterColumn("known", 5),
)  # as many as `code_buckets` has


def code_buckets(*, room: RoomLike, role: Role, network: str, known_device: str | None) -> tuple[Bucket, ...]:
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


def service_bucket(*, room: RoomLike, network: str) -> Bucket:
    """The bucket for asking the service behind a room on behalf of people without an account."""
    return Bucket.of("service", room.uuid, network, limit=_arrivals(room), window=TEN_MINUTES, grows=False)


def automatic_token_bucket(*, room: RoomLike, network: str) -> Bucket:
    """The bucket that limits how many devices of one network get an automatic token of a public room."""
    return Bucket.of("automatic", room.uuid, network, limit=_arrivals(room), window=TEN_MINUTES, grows=False)


def _arrivals(room: RoomLike) -> int:
    """How many may come from one network in ten minutes: twice as many as the room holds, because a school is one.

    It bounds what one network can make the portal store or ask. Who fills the room with made-up people is not kept out
    by it; who waits outside is told that the room is full.
    """
    feature = kind_of(room).people_limit
    places = used_limit(room.subscription.values, room.room_features, feature) if feature else None
    return MOST_ARRIVALS if places is None else max(FEWEST_ARRIVALS, 2 * places)

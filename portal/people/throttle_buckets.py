"""The throttle buckets for passwords; `portal.throttling` counts them.

Strangers are counted per account and network, with windows that grow, so that whoever guesses keeps out nobody but
himself and his own network; and per network, so that he cannot try one password with many accounts.

The first three tries of a network at an account in an hour count nowhere else. Only what it tries beyond them counts
at the account over all networks, 100 in an hour. So whoever uses those up keeps out networks that have guessed wrong
themselves, and not the person who comes from another one. A right password gives its try back.

So guesses from N networks are bounded by 3 N + 100 in an hour at one account, and not by a number of their own:
against somebody with very many networks stands the length of passwords, and not the throttle.

Devices in which this very user signed in before (`KnownDevice`) are counted apart from strangers, each of them and all
of one account together. So neither a flood of guesses nor a neighbour in the same network keeps somebody out of the
browser that he always uses. It takes the right password to become one, and the guesses of all known devices together
are bounded too, so having many of them multiplies nothing.
"""

from portal.people.known_devices import KnownDevice
from portal.throttling import Bucket

MINUTE, HOUR = 60, 3600  # seconds; the minute doubles with each window that is used up where the bucket grows


def password_buckets(*, email: str, network: str, known_device: KnownDevice | None) -> tuple[tuple[Bucket, ...], ...]:
    """The sets of buckets of which the first that has a try left counts it.

    `known_device` is the device if this account has signed in there, or None.
    """
    if known_device is not None:
        return (
            (
                Bucket.of("password", email, "device", known_device.id, limit=10, window=MINUTE),
                Bucket.of("password", email, "known", limit=100, window=HOUR, grows=False),
            ),
        )
    each = (
        Bucket.of("password", email, "network", network, limit=10, window=MINUTE),
        Bucket.of("password", "network", network, limit=30, window=MINUTE, grows=False),
        Bucket.of("password", "network", network, "hour", limit=300, window=HOUR, grows=False),
    )
    return (
        (*each, Bucket.of("password", email, "network", network, "first", limit=3, window=HOUR, grows=False)),
        (*each, Bucket.of("password", email, "strangers", limit=100, window=HOUR, grows=False)),
    )

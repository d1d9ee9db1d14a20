"""The throttle buckets for client secrets; `portal.throttling` counts them.

Per client and network, so that the wrong secrets of one client keep out no other client of its network. Wrong secrets
are counted per network as well, which refuses nothing but further wrong ones; that bounds how many clients somebody can
make up. A client is not counted over all networks: whoever guesses there would keep the right one out, and a secret has
256 random bits.
"""

from portal.throttling import Bucket

MINUTE = 60  # seconds; doubles with each window that is used up


def client_bucket(*, client_id: str, network: str) -> Bucket:
    """The bucket that counts the tries to authenticate as this client, whether there is such a client or not."""
    return Bucket.of("client", client_id, network, limit=30, window=MINUTE)


def wrong_secrets_bucket(*, network: str) -> Bucket:
    """The bucket that counts the wrong secrets of a network."""
    return Bucket.of("client", network, limit=300, window=MINUTE)

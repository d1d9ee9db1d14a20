"""Storage of the API's rate limits in Redis, in one round trip for each request.

The library counts a request in one script and reads the window for the answer's headers in another. This one counts and
reads in one script, with the same lists under the same keys, and remembers for the rest of the request what it read.
"""

import time
from typing import Any

from flask import g, has_app_context
from limits.storage import RedisStorage
from redis.exceptions import RedisError

from portal.errors import ChannelsAway

SCHEME = "one-trip"
"""Put before a Redis address: `one-trip+redis://…`."""

_COUNT_AND_READ = """
local at, limit, expiry, amount = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local since = at - expiry
local last = redis.call('lindex', KEYS[1], limit - amount)
local taken = amount <= limit and not (last and tonumber(last) >= since)
if taken then
    for _ = 1, amount do redis.call('lpush', KEYS[1], ARGV[1]) end
    redis.call('ltrim', KEYS[1], 0, limit - 1)
    redis.call('expire', KEYS[1], expiry)
end
local low, high, oldest = 0, limit - 1, false
while low <= high do
    local middle = math.floor((low + high) / 2)
    local value = redis.call('lindex', KEYS[1], middle)
    if value and tonumber(value) >= since then
        low, oldest = middle + 1, value
    else
        high = middle - 1
    end
end
return {taken and 1 or 0, low, oldest}
"""
"""ARGV: now, limit, expiry, amount. Returns whether there was room, how many requests count, when the oldest one was.

The newest request is first in the list, so those that still count are its beginning.
"""


class OneTripStorage(RedisStorage):
    """Moving windows in Redis. Raises `ChannelsAway` while Redis does not answer."""

    STORAGE_SCHEME = [f"{SCHEME}+{scheme}" for scheme in ("redis", "rediss", "redis+unix")]  # noqa: RUF012

    def __init__(self, uri: str, **options: Any) -> None:
        super().__init__(uri.removeprefix(f"{SCHEME}+"), **options)
        self._count_and_read = self.get_connection().register_script(_COUNT_AND_READ.encode())

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count `amount` requests for `expiry` seconds and return True, unless that would exceed `limit`."""
        at = time.time()
        try:
            taken, count, oldest = self._count_and_read([self.prefixed_key(key)], [at, limit, expiry, amount])
        except RedisError as error:
            raise ChannelsAway from error
        if has_app_context():
            g.rate_window = key, (float(oldest) if oldest else at, int(count))
        return bool(taken)

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """The time of the oldest request that counts, and the number of requests that count.

        In the request that was counted, it is what counting it has read.
        """
        known = g.get("rate_window") if has_app_context() else None
        if known is not None and known[0] == key:
            window: tuple[float, int] = known[1]
            return window
        try:
            return super().get_moving_window(key, limit, expiry)
        except RedisError as error:
            raise ChannelsAway from error

"""Fetching a picture from a server outside, by the guarded client: at most so large, and not led around for ever."""

from http import HTTPStatus
from urllib.parse import urljoin

from portal.engines.ffmpeg import Unusable
from portal.engines.stills import NO_STILL
from portal.errors import Message
from portal.providers import fetch

LARGEST = 10_000_000
MOST_REDIRECTS = 3
_MOVED = frozenset({301, 302, 303, 307, 308})
_TOO_LARGE = Message("It is larger than 10 MB.")
_AROUND = Message("The address leads on to others again and again.")


def fetched_picture(address: str) -> bytes:
    """What is there. Each address to which it leads is judged like the first. Raises `NoAnswer` and `Unusable`."""
    for _hop in range(MOST_REDIRECTS + 1):
        answer = fetch.get(address, largest=LARGEST + 1)
        if answer.status in _MOVED and answer.location:
            address = urljoin(address, answer.location)
            continue
        if answer.status != HTTPStatus.OK:
            raise Unusable(Message("The server answered %(status)d instead of a picture.", status=answer.status))
        if answer.cut:
            raise Unusable(_TOO_LARGE)
        if not answer.body:
            raise Unusable(NO_STILL)
        return answer.body
    raise Unusable(_AROUND)

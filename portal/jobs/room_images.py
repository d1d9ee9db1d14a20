"""The job that fetches a picture of a room: no transaction is open while it calls, or while a child works."""

from http import HTTPStatus
from urllib.parse import urljoin
from uuid import UUID

import structlog

from portal.db import transaction
from portal.engines.ffmpeg import DiskFull, Unusable
from portal.engines.stills import NO_STILL, SOURCE, make_still
from portal.engines.tool import NoTool
from portal.errors import Message
from portal.identifiers import new_id
from portal.providers import fetch
from portal.rooms.images import ImageToFetch, fail_image, keep_image, take_image
from portal.storage import StorageFull, storage

log = structlog.get_logger()

LARGEST = 10_000_000
MOST_REDIRECTS = 3
_MOVED = frozenset({301, 302, 303, 307, 308})
_TOO_LARGE = Message("It is larger than 10 MB.")
_AROUND = Message("The address leads on to others again and again.")
_NO_TOOL = Message("This portal has no ffmpeg, which pictures need. Tell whoever runs it.")


def fetch_room_image(image_uuid: str) -> None:
    """Fetch the picture, if that is still due, and keep it, or say why not."""
    with transaction():
        taken = take_image(UUID(image_uuid))
    if taken is None:
        return
    workshop = f"image-{new_id()}"
    try:
        _fetch_into(taken, workshop)
    except (Unusable, fetch.NoAnswer) as refused:
        why = str(refused)
    except NoTool:
        why = str(_NO_TOOL)
    except (StorageFull, DiskFull):
        why = str(StorageFull.default)
    else:
        return
    finally:
        storage().delete(f"scratch/{workshop}")
    with transaction():
        fail_image(taken.uuid, why)


def _fetch_into(taken: ImageToFetch, workshop: str) -> None:
    content = _content(taken.address)
    storage().require_room(LARGEST)
    folder = storage().workshop(workshop)
    (folder / SOURCE).write_bytes(content)
    width, height = make_still(folder, str(taken.uuid), longest=taken.longest)
    with transaction():
        keep_image(taken.uuid, folder / str(taken.uuid), width=width, height=height)


def _content(address: str) -> bytes:
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

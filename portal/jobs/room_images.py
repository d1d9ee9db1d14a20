"""The job that fetches a picture of a room: no transaction is open while it calls, or while a child works."""

from uuid import UUID

import structlog

from portal.db import transaction
from portal.engines.ffmpeg import DiskFull, Unusable
from portal.engines.stills import SOURCE, make_still
from portal.engines.tool import NoTool
from portal.errors import Message
from portal.identifiers import new_id
from portal.jobs.fetched_pictures import LARGEST, fetched_picture
from portal.providers import fetch
from portal.rooms.images import ImageToFetch, fail_image, keep_image, take_image
from portal.storage import StorageFull, storage

log = structlog.get_logger()

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
    content = fetched_picture(taken.address)
    storage().require_room(LARGEST)
    folder = storage().workshop(workshop)
    (folder / SOURCE).write_bytes(content)
    width, height = make_still(folder, str(taken.uuid), longest=taken.longest)
    with transaction():
        keep_image(taken.uuid, folder / str(taken.uuid), width=width, height=height)

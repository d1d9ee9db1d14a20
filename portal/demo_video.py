"""Videos in `portal demo`: a package, a room, and a film with a tone that it makes itself, so there is one to watch.

They are apart from the other sample data, with which tests begin.
"""

from pathlib import Path
from uuid import UUID

import sqlalchemy as sa
import structlog

from portal.accounts.operations import sell_package
from portal.accounts.room_account import room_account
from portal.customers.models import Customer
from portal.db import reading, session, transaction
from portal.engines.child import Bounds, NotWanted, TookTooLong, run
from portal.engines.ffmpeg import ALWAYS
from portal.engines.tool import NoTool, find_tool
from portal.identifiers import new_id
from portal.people.actor import actor_of
from portal.people.models import User
from portal.rooms.models import Room
from portal.rooms.operations import create_room
from portal.storage import StorageFull, storage
from portal.subscriptions.packages import find_package
from portal.subscriptions.presets import PackagePreset, package_of
from portal.subscriptions.provider_models import ServiceType
from portal.videos.models import RoomVideo
from portal.videos.preparation import queue_preparation

log = structlog.get_logger()

PACKAGE = PackagePreset(
    "Video Standard", ServiceType.VIDEO, "vod", {"max_rooms": 10, "max_viewers": 50, "max_storage": 5}
)
ROOM = "Product video"
NAME = "Product tour"
FILE_NAME = "product-tour.mp4"
SECONDS = 24
_SOURCE = "source.mp4"
_BOUNDS = Bounds(seconds=60, file_size=100_000_000)
_PICTURE = f"testsrc2=size=1280x720:rate=24:duration={SECONDS}"
_SOUND = f"sine=frequency=440:beep_factor=2:duration={SECONDS}"


def furnish_with_video() -> None:
    """Add to the sample data a package, an account and a room for videos, and to the room a video, each unless it is.

    Where no video can be made, the room stays empty. Making it takes some seconds, once; the workers of the portal
    prepare it when it is served. Needs an app context.
    """
    with transaction():
        if find_package(PACKAGE.name) is None:
            _sell()
    with reading(), transaction():
        room_uuid = session.scalar(
            sa.select(Room.uuid).where(
                Room.room_name == ROOM,
                Room.trashed_at.is_(None),
                ~sa.exists().where(RoomVideo.room_uuid == Room.uuid),
            )
        )
    if room_uuid is not None:
        _give_video(room_uuid)


def _sell() -> None:
    acme = session.scalar(sa.select(Customer).where(Customer.company_name == "Acme").limit(1))
    if acme is None:
        return
    account = sell_package(customer=acme, package=package_of(PACKAGE), name=PACKAGE.name, account_name="Videos")
    create_room(account=room_account(account.uuid), room_name=ROOM, by=actor_of(acme.owner), is_public=True)


def _give_video(room_uuid: UUID) -> None:
    workshop = f"demo-{new_id()}"
    try:
        made = _make(storage().workshop(workshop))
        with transaction():
            room = session.get_one(Room, room_uuid)
            alice = actor_of(session.get_one(User, room.owner_uuid))
            video = RoomVideo(
                room_uuid=room.uuid,
                name=NAME,
                description="A test picture that the demo made itself.",
                source=_SOURCE,
                file_name=FILE_NAME,
                size=made.stat().st_size,
                created_by_uuid=room.owner_uuid,
            )
            session.add(video)
            session.flush()
            storage().publish_made([made], video.key)
            queue_preparation(video, by=alice)
    except (NoTool, NotWanted, TookTooLong, StorageFull, OSError) as error:
        log.warning("the demo has no video", error=type(error).__name__)
    finally:
        storage().delete(f"scratch/{workshop}")


def _make(folder: Path) -> Path:
    """The film, in this folder. Raises `OSError` if there is none."""
    drawn = ("-f", "lavfi", "-i", _PICTURE, "-f", "lavfi", "-i", _SOUND)
    picture = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
    sound = ("-c:a", "aac", "-ac", "2", "-b:a", "96k")
    command: list[str | Path] = [
        find_tool().path,
        *ALWAYS,
        *drawn,
        *picture,
        *sound,
        "-movflags",
        "+faststart",
        _SOURCE,
    ]
    ended = run(command, folder=folder, bounds=_BOUNDS)
    if ended.code != 0:
        raise OSError(f"ffmpeg ended with {ended.code}")
    return folder / _SOURCE

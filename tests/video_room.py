"""Rooms of videos for tests, with videos whose files are in the storage as preparing leaves them."""

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask

from portal.accounts.operations import sell_package
from portal.accounts.room_account import room_account
from portal.admission.issuing import issue_token
from portal.customers.models import Customer
from portal.db import session
from portal.people.actor import actor_of
from portal.people.models import User
from portal.rooms.models import Role, Room
from portal.rooms.operations import create_room
from portal.subscriptions.packages import create_package, find_package
from portal.subscriptions.provider_models import ServiceProvider, ServiceType
from portal.videos.models import RoomVideo, VideoState

PACKAGE = "Videos for tests"
FOLDER = "attempt1"
FILES = {
    "master.m3u8": b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=500000\n240p.m3u8\n",
    "240p.m3u8": b"#EXTM3U\n#EXTINF:4,\n240p_00000.m4s\n#EXT-X-ENDLIST\n",
    "init_240p.mp4": b"init",
    "240p_00000.m4s": b"0123456789" * 10,
    "sprites.vtt": b"WEBVTT\n",
    "sprite_1.jpg": b"jpg",
}


def new_video_room(
    *, owner: str = "alice@demo.example", is_public: bool = False, name: str = "Films", **features: int | None
) -> Room:
    """A room of videos of Alice's customer, on a plan with these features. In a transaction."""
    by = session.scalars(sa.select(User).where(User.email == owner)).unique().one()
    package = find_package(PACKAGE) or create_package(
        name=PACKAGE,
        service_type=ServiceType.VIDEO,
        currency="EUR",
        features={"max_rooms": None, "max_viewers": None, "max_storage": 5, **features},
        provider=session.scalars(sa.select(ServiceProvider).where(ServiceProvider.provider_type == "vod")).one(),
    )
    customer = session.scalars(sa.select(Customer).where(Customer.owner_uuid == by.uuid)).one()
    account = sell_package(customer=customer, package=package, by=None)
    made = create_room(account=room_account(account.uuid), room_name=name, by=actor_of(by), is_public=is_public)
    return session.get_one(Room, made.uuid)


def link_into(room: Room, role: Role = Role.GUEST) -> str:
    """The path of a new link into this room. In a transaction."""
    token = issue_token(room=room, role=role, by=actor_of(room.owner))
    return f"{room.path}?token={token.token}"


def new_ready_video(app: Flask, room: Room, *, name: str = "Film", folder: str = FOLDER, **about: Any) -> RoomVideo:
    """A video that can be watched, with small files that no player would take for a film. In a transaction."""
    fields = {
        "state": VideoState.READY,
        "playable": True,
        "folder": folder,
        "source": "source1",
        "file_name": "film.mp4",
        "poster": "poster.jpg",
        "renditions": [{"name": "240p", "width": 426, "height": 240, "bandwidth": 500_000}],
        "milliseconds": 4000,
    }
    video = RoomVideo(room_uuid=room.uuid, name=name, **{**fields, **about})
    session.add(video)
    session.flush()
    store_files(app, video, FILES)
    return video


def store_files(app: Flask, video: RoomVideo, files: dict[str, bytes]) -> None:
    """Put these files into the folder of what is watched, and a source and a poster beside it."""
    base: Path = app.config["SETTINGS"].files / video.key
    (base / video.folder).mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (base / video.folder / name).write_bytes(content)
    (base / video.source).write_bytes(b"the whole film")
    (base / video.poster).write_bytes(b"a picture")

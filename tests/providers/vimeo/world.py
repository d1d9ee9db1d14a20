"""A room whose new videos go to the stand-in for Vimeo."""

from typing import Any

import sqlalchemy as sa
from flask import Flask

from portal.db import session, transaction
from portal.people.actor import Actor, actor_of
from portal.providers import registry
from portal.providers.vimeo.adapter import Vimeo
from portal.rooms.models import Room
from portal.subscriptions.service_providers import create_provider
from portal.videos.models import RoomVideo, ServiceVideo, VideoUpload
from portal.videos.service_uploads import begin_service_upload, note_arrival
from portal.videos.service_videos import holder_of
from tests.providers.vimeo.server import TOKEN, StandIn
from tests.video_room import new_video_room


def register(standin: StandIn) -> None:
    """Let the portal know Vimeo, at the stand-in's address."""
    adapters = [registry.adapter(key) for key in registry.known() if key != "vimeo"]
    registry.fill([*adapters, Vimeo(api=standin.url, player=standin.url, uploads=[standin.url])])


def new_vimeo_room(app: Flask, standin: StandIn, **properties: Any) -> str:
    """The id of a room of Alice's whose service is Vimeo."""
    register(standin)
    with app.app_context(), transaction():
        room = new_video_room(name="Vimeo films")
        provider = create_provider(
            provider_name="Our Vimeo",
            provider_type="vimeo",
            service_type=room.room_type,
            properties={"token": TOKEN, "folder": "", "hosts": "", **properties},
        )
        room.subscription.provider = provider
        return room.id


def begin(app: Flask, room_id: str, *, size: int = 1000) -> str:
    """Begin an upload; the id of it."""
    with app.app_context(), transaction():
        room, by = room_and_owner(room_id)
        holder = holder_of(room)
        assert holder is not None
        provider, service = holder
        return begin_service_upload(
            room=room, by=by, provider=provider, service=service, file_name="My film.mp4", size=size
        ).id


def arrive(app: Flask, upload_id: str) -> None:
    """Let the page tell that the file is there."""
    with app.app_context(), transaction():
        upload = session.scalars(sa.select(VideoUpload).where(VideoUpload.id == upload_id)).one()
        note_arrival(upload, by=None)


def room_and_owner(room_id: str) -> tuple[Room, Actor]:
    room = session.scalars(sa.select(Room).where(Room.id == room_id)).one()
    return room, actor_of(room.owner)


def only_video(app: Flask) -> tuple[RoomVideo, ServiceVideo]:
    """The one video that a service holds."""
    with app.app_context(), transaction():
        held = session.scalars(sa.select(ServiceVideo)).one()
        return held.video, held

"""Videos that a service holds instead of the portal: which service does, and what it is asked for.

A room's new videos go to the service of its subscription, if that holds videos. Those that are there already stay where
they are. No transaction is open while a service is called.
"""

from urllib.parse import urlsplit
from uuid import UUID

import sqlalchemy as sa

from portal import vault
from portal.db import session, transaction
from portal.enqueueing import enqueue
from portal.errors import Message, Unavailable
from portal.providers.base import ProviderError
from portal.providers.held_videos import HoldsVideos
from portal.public_url import public_url
from portal.rooms.models import Room
from portal.subscriptions.provider_models import ServiceProvider
from portal.subscriptions.services import adapter_of, bound_service
from portal.videos.leftovers import KEEP_EXTRAS
from portal.videos.models import RoomVideo, ServiceVideo, VideoUpload

_EMBED, _PLACE = "video-embed", "video-upload-place"
"""Purposes of what is sealed."""


def holder_of(room: Room) -> tuple[ServiceProvider, HoldsVideos] | None:
    """The service that holds the room's new videos; None where the portal does. Raises `Unavailable`."""
    provider = room.subscription.provider
    try:
        service = bound_service(provider)
    except ProviderError as error:
        raise unavailable(provider, error) from None
    return (provider, service) if isinstance(service, HoldsVideos) else None


def service_of_video(held: ServiceVideo) -> HoldsVideos:
    """The service that holds a video. Raises `ProviderError`."""
    service = bound_service(held.provider)
    if not isinstance(service, HoldsVideos):
        raise ProviderError("the service holds no videos", permanent=True)
    return service


def name_of_service(held: ServiceVideo) -> str:
    """What the service is called, such as `Vimeo`."""
    return adapter_of(held.provider).label


def hosts_of(room: Room) -> list[str]:
    """The hosts on whose pages the room's videos are shown: the portal's, and that of its customer."""
    own = urlsplit(public_url("/")).hostname or ""
    return [host for host in (own, room.customer.hostname or "") if host]


def player_of(video: RoomVideo) -> tuple[str, str]:
    """The origin and the address of the frame that plays a video which a service holds. Raises `ProviderError`."""
    assert video.held is not None
    service = service_of_video(video.held)
    embed = vault.unseal(video.held.embed, purpose=_EMBED) if video.held.embed else ""
    return service.player_origin, service.player_address(video.held.external, embed)


def sealed_embed(embed: str) -> str:
    """What the player needs, as it is stored."""
    return vault.seal(embed, purpose=_EMBED) if embed else ""


def opened_embed(held: ServiceVideo) -> str:
    """What the player needs; "" for nothing."""
    return vault.unseal(held.embed, purpose=_EMBED) if held.embed else ""


def sealed_place(address: str) -> str:
    """The address for a file's bytes, as it is stored."""
    return vault.seal(address, purpose=_PLACE)


def place_of(upload: VideoUpload) -> str:
    """The address at a service to which the bytes go; "" where the portal takes them."""
    return vault.unseal(upload.place, purpose=_PLACE) if upload.place else ""


def delete_at_service(video_uuid: UUID) -> None:
    """Delete a video that has no room at the service that holds it, if one does. Raises `ProviderError`."""
    with transaction():
        held = session.get(ServiceVideo, video_uuid)
        if held is None:
            return
        service, external = service_of_video(held), held.external
    service.delete(external)


def tell_later(video: RoomVideo) -> None:
    """Have a service that holds the video told of its captions, after the commit. Does nothing if none does."""
    if video.held is not None:
        video.held.to_tell = True
        session.flush()
        enqueue(KEEP_EXTRAS, str(video.uuid))


def videos_to_tell() -> list[UUID]:
    """The uuids of videos that wait for that."""
    waiting = sa.select(ServiceVideo.video_uuid).where(ServiceVideo.to_tell.is_(True), ServiceVideo.arrived.is_(True))
    return list(session.scalars(waiting.limit(100)))


def count_public(provider: ServiceProvider) -> int:
    """How many of its videos the service shows to others than the portal's pages, against what was asked of it."""
    own = ServiceVideo.provider_uuid == provider.uuid
    return session.scalar(sa.select(sa.func.count()).where(own, ServiceVideo.is_private.is_(False))) or 0


def unavailable(provider: ServiceProvider, error: ProviderError) -> Unavailable:
    """What is told of a service that did not do what it was asked, in its own words where it has some for people."""
    if isinstance(error.args[0], Message):
        return Unavailable(error.args[0])
    return Unavailable(Message("%(service)s cannot be used now. Try again later.", service=provider.provider_name))

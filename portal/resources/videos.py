"""The videos of rooms, and their captions."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from portal.moments import iso_datetime
from portal.public_url import public_url
from portal.resources.columns import Column, worded
from portal.resources.declaring import Id, IdentifiedResource, Read, ResponseModel, serializer
from portal.rooms.room_read import AnyRoom
from portal.videos.models import RoomVideo, VideoCaption, VideoState, VideoUpload
from portal.videos.service_videos import name_of_service, place_of
from portal.videos.uploads import expires_at, received

UPLOADS = "/api/v1/uploads"
"""Below which programs send the files of videos."""


@dataclass(frozen=True)
class _About:
    """What else the fields of a video are read from."""

    room: AnyRoom
    upload: VideoUpload | None


class VideoUploadSchema(ResponseModel):
    """A file that is to come: HEAD and PATCH at `url` speak tus 1.0.0, with the bearer token if it is the portal's."""

    url: str
    offset: Annotated[int, Field(description="How many bytes have come.")]
    size: Annotated[int, Field(description="How many there are.")]
    expires_at: Annotated[datetime, Field(description="When it is given up, unless bytes come before.")]


class RoomVideoSchema(IdentifiedResource):
    """A video of a room of type `video`."""

    object: Literal["RoomVideo"]
    room_id: Annotated[Id, Read(lambda _, about: about.room.id)]
    name: Annotated[str, worded(RoomVideo.name)]
    description: str
    state: Annotated[
        VideoState,
        Field(description="How far its newest file is. One that failed is watched on if it was replaced."),
        Column(RoomVideo.state),
    ]
    progress: Annotated[
        int | None,
        Field(description="In percent, while it is being prepared."),
        Read(lambda video, _: _progress(video)),
    ]
    playable: Annotated[
        bool, Field(description="Whether it can be watched: true with its first quality."), Column(RoomVideo.playable)
    ]
    published: Annotated[bool, Column(RoomVideo.published)]
    published_from: Annotated[datetime | None, Column(RoomVideo.published_from)]
    position: Annotated[
        int, Field(description="Its place among the videos of the room; 0 is the first."), Column(RoomVideo.position)
    ]
    duration: Annotated[
        float | None,
        Field(description="How long it plays, in seconds."),
        Read(lambda video, _: None if video.milliseconds is None else video.milliseconds / 1000),
    ]
    size: Annotated[
        int, Field(description="Bytes of storage that it uses, with all that was made of it."), Column(RoomVideo.size)
    ]
    views: Annotated[
        int | None,
        Field(description="How often it was watched; null where a service holds it and does not tell."),
        Read(lambda video, _: video.held.views if video.held else video.views),
    ]
    service: Annotated[
        str | None,
        Field(description="The service that holds it, such as Vimeo; null if the portal does."),
        Read(lambda video, _: name_of_service(video.held) if video.held else None),
    ]
    error: Annotated[
        str | None,
        Field(description="Why it failed, as a sentence."),
        Read(lambda video, _: video.error or None),
    ]
    poster_url: Annotated[
        str | None,
        Field(description="Its picture, for people who manage the room and are signed in; null while there is none."),
        Read(lambda video, about: _poster(video, about.room)),
    ]
    upload: Annotated[
        VideoUploadSchema | None,
        Field(description="The file that is to come; null when it has."),
        Read(lambda _, about: _upload(about.upload)),
    ]


class VideoCaptionsSchema(IdentifiedResource):
    """The captions of a video in one language, as WebVTT."""

    object: Literal["VideoCaptions"]
    video_id: Annotated[Id, Read(lambda _, video: video.id)]
    language: Annotated[str, Field(description="A tag of BCP 47, such as `pt-BR`.")]
    label: str
    default: Annotated[bool, Field(description="Whether they are shown at first.")]
    text: str


_serialize = serializer(RoomVideoSchema)
_serialize_captions = serializer(VideoCaptionsSchema)


def serialize_video(video: RoomVideo, room: AnyRoom, upload: VideoUpload | None = None) -> dict[str, Any]:
    """A video of this room, with the upload of its file, if one goes on."""
    return _serialize(video, _About(room, upload))


def serialize_captions(captions: VideoCaption, video: RoomVideo) -> dict[str, Any]:
    """The captions of this video in one language."""
    return _serialize_captions(captions, video)


def _progress(video: RoomVideo) -> int | None:
    return video.task.progress if video.state is VideoState.PREPARING and video.task is not None else None


def _poster(video: RoomVideo, room: AnyRoom) -> str | None:
    path = f"/manage/rooms/{room.id}/videos/{video.id}/poster/{video.poster}"
    return public_url(path) if video.poster else None


def _upload(upload: VideoUpload | None) -> dict[str, Any] | None:
    if upload is None:
        return None
    return {
        "url": place_of(upload) or public_url(f"{UPLOADS}/{upload.id}"),
        "offset": received(upload),
        "size": upload.size,
        "expires_at": iso_datetime(expires_at(upload)),
    }

"""The captions of a video: one text for each language, in which at most one language is shown at first."""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from babel.core import Locale, UnknownLocaleError, get_locale_identifier, parse_locale
from sqlalchemy.orm import defer

from portal.audit.operations import record_event
from portal.db import lock, session
from portal.errors import Invalid, Message, NotFound
from portal.identifiers import matches_identifier
from portal.people.actor import Actor
from portal.people.names import clean_name
from portal.videos.caption_files import Captions
from portal.videos.models import CAPTION_LABEL_LENGTH, LANGUAGE_LENGTH, RoomVideo, VideoCaption
from portal.videos.service_videos import tell_later

MOST_LANGUAGES = 50


def captions_of(video: RoomVideo) -> list[VideoCaption]:
    """Its captions, by their labels."""
    own = sa.select(VideoCaption).where(VideoCaption.video_uuid == video.uuid)
    return list(session.scalars(own.order_by(VideoCaption.label, VideoCaption.language)))


def captions_of_each(videos: Sequence[RoomVideo]) -> dict[UUID, list[VideoCaption]]:
    """The captions of each of these videos that has some, without their texts, by one statement."""
    own = sa.select(VideoCaption).where(VideoCaption.video_uuid.in_([one.uuid for one in videos]))
    found: dict[UUID, list[VideoCaption]] = {}
    for one in session.scalars(own.options(defer(VideoCaption.text)).order_by(VideoCaption.label)) if videos else ():
        found.setdefault(one.video_uuid, []).append(one)
    return found


def find_captions(video: RoomVideo, captions_id: str) -> VideoCaption:
    """The captions of this video with this id, uuid or ulid. Raises `NotFound`."""
    own = sa.select(VideoCaption).where(VideoCaption.video_uuid == video.uuid)
    found = session.scalar(own.where(matches_identifier(VideoCaption, captions_id)))
    if found is None:
        raise NotFound
    return found


def set_captions(
    *, video: RoomVideo, by: Actor, captions: Captions, language: str, label: str = "", default: bool = False
) -> VideoCaption:
    """Let the video have these captions, in place of those it has in this language.

    Without a `label` they are called as the language calls itself. Raises `Invalid` on `language` or `label`.
    """
    tag = checked_language(language)
    called = clean_name(label, field="label", longest=CAPTION_LABEL_LENGTH, required=False) or own_name(tag)
    lock(video)
    known = {one.language: one for one in captions_of(video)}
    if tag not in known and len(known) >= MOST_LANGUAGES:
        raise Invalid(language=Message("A video has captions in at most %(most)d languages.", most=MOST_LANGUAGES))
    if default:
        _show_none_at_first(video)
    made = known.get(tag) or VideoCaption(video_uuid=video.uuid, language=tag)
    made.label, made.default, made.text = called, default, captions.text
    session.add(made)
    session.flush()
    tell_later(video)
    record_event("video.captions_set", video, by=by, room=video.room_uuid, language=tag)
    return made


def delete_captions(captions: VideoCaption, *, video: RoomVideo, by: Actor) -> None:
    """Delete the captions of this video in one language."""
    lock(video)
    session.delete(captions)
    session.flush()
    tell_later(video)
    record_event("video.captions_deleted", video, by=by, room=video.room_uuid, language=captions.language)


def checked_language(text: str) -> str:
    """The tag of a language as BCP 47 writes it, such as `pt-BR`. Raises `Invalid` on `language`."""
    try:
        if len(text) > LANGUAGE_LENGTH:
            raise ValueError(text)
        tag = get_locale_identifier(parse_locale(text.strip(), sep="-"), sep="-")
        Locale.parse(tag, sep="-")
    except (ValueError, UnknownLocaleError, TypeError):
        raise Invalid(language=Message("Use the tag of a language, such as en or pt-BR.")) from None
    return tag


def own_name(tag: str) -> str:
    """What a language calls itself, such as `Deutsch`."""
    name = Locale.parse(tag, sep="-").get_display_name() or tag
    return name[:1].upper() + name[1:CAPTION_LABEL_LENGTH]


def _show_none_at_first(video: RoomVideo) -> None:
    own = VideoCaption.video_uuid == video.uuid
    session.execute(sa.update(VideoCaption).where(own, VideoCaption.default.is_(True)).values(default=False))

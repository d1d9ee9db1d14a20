"""The captions of a video: one text for each language."""

import pytest
from flask import Flask

from portal.audit.models import AuditEvent
from portal.db import session, transaction
from portal.errors import Invalid, NotFound
from portal.people.actor import actor_of
from portal.videos.caption_files import read_captions
from portal.videos.captions import captions_of, checked_language, delete_captions, find_captions, set_captions
from portal.videos.models import RoomVideo
from tests.cast import Cast

TEXT = read_captions(b"1\n00:00:01,000 --> 00:00:02,000\nHello\n")


@pytest.fixture
def video(app: Flask, cast: Cast) -> RoomVideo:
    with app.app_context(), transaction():
        made = RoomVideo(room_uuid=cast.room().uuid, name="Film")
        session.add(made)
        session.flush()
        session.expunge(made)
    return made


def test_a_language_has_one_text_and_one_language_is_shown_at_first(app: Flask, cast: Cast, video: RoomVideo) -> None:
    with app.app_context(), transaction():
        video, by = session.get_one(RoomVideo, video.uuid), actor_of(cast.user("alice"))
        first = set_captions(video=video, by=by, captions=TEXT, language="de", default=True)
        set_captions(video=video, by=by, captions=TEXT, language="pt-br", label="Brasil", default=True)
        again = set_captions(video=video, by=by, captions=TEXT, language="de", label="Deutsch (neu)")
        assert again.uuid == first.uuid
        found = [(one.language, one.label, one.default) for one in captions_of(video)]
        assert found == [("pt-BR", "Brasil", True), ("de", "Deutsch (neu)", False)]


def test_a_language_is_called_as_it_calls_itself(app: Flask, cast: Cast, video: RoomVideo) -> None:
    with app.app_context(), transaction():
        video, by = session.get_one(RoomVideo, video.uuid), actor_of(cast.user("alice"))
        labels = [set_captions(video=video, by=by, captions=TEXT, language=one).label for one in ("de", "fr", "en-GB")]
    assert labels == ["Deutsch", "Français", "English (United Kingdom)"]


def test_captions_of_another_video_are_not_found(app: Flask, cast: Cast, video: RoomVideo) -> None:
    with app.app_context(), transaction():
        mine, by = session.get_one(RoomVideo, video.uuid), actor_of(cast.user("alice"))
        other = RoomVideo(room_uuid=mine.room_uuid, name="Other")
        session.add(other)
        session.flush()
        made = set_captions(video=mine, by=by, captions=TEXT, language="en")
        assert find_captions(mine, made.id) is made
        with pytest.raises(NotFound):
            find_captions(other, made.id)
        delete_captions(made, video=mine, by=by)
        assert captions_of(mine) == []
    with app.app_context():
        noted = [one.action for one in session.query(AuditEvent).where(AuditEvent.thing == "room_videos")]
    assert sorted(noted) == ["video.captions_deleted", "video.captions_set"]


@pytest.mark.parametrize("tag", ["", "klingon", "x", "../etc", "de_DE.UTF-8", "a" * 100, "en-XX-XX-XX"])
def test_what_is_no_language_is_refused(tag: str) -> None:
    with pytest.raises(Invalid) as refused:
        checked_language(tag)
    assert "pt-BR" in str(refused.value.fields["language"])

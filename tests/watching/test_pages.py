"""The join page of a room of videos, and the page with the player."""

import json
import re
from html import unescape
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.audit.models import AuditEvent
from portal.channels.in_process import InProcess
from portal.db import db, session, transaction
from portal.people.actor import actor_of
from portal.rooms.models import Role
from portal.status.models import Ending, Participation
from portal.status.runs import end_session
from portal.videos.caption_files import read_captions
from portal.videos.captions import set_captions
from portal.videos.models import VideoState
from portal.videos.operations import change_video
from tests.cast import csrf_of
from tests.statements import statements
from tests.watching.conftest import Cinema


def listed(page: str) -> list[dict[str, Any]]:
    return [json.loads(unescape(found)) for found in re.findall(r'data-video="([^"]+)"', page)]


def names(app: Flask) -> list[str]:
    with app.app_context(), transaction():
        return list(session.scalars(sa.select(Participation.name).order_by(Participation.entered_at)))


def test_the_door_asks_for_nothing_and_speaks_of_watching(app: Flask, cinema: Cinema) -> None:
    browser = cinema.cast.browser()
    page = browser.get(cinema.links[Role.GUEST], follow_redirects=True).text
    assert 'name="name"' not in page
    assert ">Watch</button>" in page
    assert "nobody sees or hears you" in page
    assert "amera" not in page
    assert browser.send(cinema.path).status_code == 303
    assert names(app) == ["Viewer"]


def test_the_door_asks_for_a_name_where_the_room_wants_one(app: Flask, cinema: Cinema) -> None:
    with app.app_context(), transaction():
        cinema.room().room_settings = {"ask_name": True}
    browser = cinema.cast.browser()
    assert 'name="name"' in browser.get(cinema.links[Role.GUEST], follow_redirects=True).text
    assert browser.send(cinema.path).status_code == 422
    assert browser.send(cinema.path, name="Vera").status_code == 303
    assert names(app) == ["Vera"]


def test_a_member_watches_under_his_name(app: Flask, cinema: Cinema) -> None:
    alice = cinema.cast.sign_in("alice")
    answer = alice.send(f"/rooms/{cinema.room_id}/-/entry")
    assert answer.location.endswith("/-/watch")
    assert names(app) == ["Alice Moreau"]
    assert [one["name"] for one in listed(alice.get(cinema.page).text)] == ["Film", "Rushes"]


def test_the_list_has_what_is_published_in_its_order(cinema: Cinema) -> None:
    page = cinema.viewer().get(cinema.page).text
    assert [(one["name"], one["hidden"], one["download"]) for one in listed(page)] == [("Film", False, "")]
    for_moderators = listed(cinema.viewer(Role.MODERATOR).get(cinema.page).text)
    assert [(one["name"], one["hidden"]) for one in for_moderators] == [("Film", False), ("Rushes", True)]


def test_captions_come_with_the_video(app: Flask, cinema: Cinema) -> None:
    captions = read_captions(b"1\n00:00:01,000 --> 00:00:02,000\nHello\n")
    with app.app_context(), transaction():
        by = actor_of(cinema.room().owner)
        set_captions(video=cinema.video(), by=by, captions=captions, language="en", default=True)
    viewer = cinema.viewer()
    page = viewer.get(cinema.page).text
    [told] = listed(page)[0]["captions"]
    assert (told["language"], told["label"], told["default"]) == ("en", "English", True)
    assert f'<track kind="captions" src="{told["src"]}" srclang="en" label="English" default>' in page
    answer = viewer.get(told["src"])
    assert (answer.mimetype, answer.text) == ("text/vtt", captions.text)
    assert cinema.cast.browser().get(told["src"]).status_code == 404


def test_what_was_sent_is_saved_only_where_the_room_allows_it(app: Flask, cinema: Cinema) -> None:
    viewer = cinema.viewer()
    path = f"{cinema.page}/videos/{cinema.film}/file"
    assert viewer.get(path).status_code == 404
    with app.app_context(), transaction():
        cinema.room().room_settings = {"allow_download": True}
        cinema.video().file_name = 'Fü"r\\..mp4'
    [film] = listed(viewer.get(cinema.page).text)
    assert film["download"] == path
    answer = viewer.get(path)
    assert (answer.status_code, answer.data, answer.mimetype) == (200, b"the whole film", "application/octet-stream")
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
    assert "filename*=UTF-8''F%C3%BC" in answer.headers["Content-Disposition"]
    with app.app_context(), transaction():  # another file that nobody watches yet
        video = cinema.video()
        video.prepared_source, video.prepared_file_name = video.source, "first.mp4"
        video.source, video.file_name, video.state = "source2", "second.mp4", VideoState.PREPARING
    answer = viewer.get(path)
    assert (answer.status_code, answer.data) == (200, b"the whole film")
    assert "first.mp4" in answer.headers["Content-Disposition"]
    assert viewer.get(f"{cinema.page}/videos/{cinema.hidden}/file").status_code == 404
    assert cinema.cast.browser().get(path).status_code == 404


def test_a_sign_of_life_tells_whether_the_list_has_changed(app: Flask, cinema: Cinema) -> None:
    viewer = cinema.viewer()
    page = viewer.get(cinema.page).text
    version = re.search(r'data-version="([^"]+)"', page)
    assert version is not None
    headers = {"X-CSRFToken": proof_in(page)}
    answer = viewer.post(f"{cinema.page}/presence", json={}, headers=headers)
    assert (answer.status_code, answer.json) == (200, {"videos": version[1]})
    with app.app_context(), transaction():
        change_video(cinema.video(cinema.hidden), by=actor_of(cinema.room().owner), published=True)
    assert viewer.post(f"{cinema.page}/presence", json={}, headers=headers).json != {"videos": version[1]}
    piece = viewer.get(f"{cinema.page}/videos").text
    assert [one["name"] for one in listed(piece)] == ["Film", "Rushes"]


def test_a_page_that_nobody_sees_may_be_silent_for_longer(
    app: Flask, cinema: Cinema, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer = cinema.viewer()
    headers = {"X-CSRFToken": proof_in(viewer.get(cinema.page).text)}
    told: list[float] = []
    monkeypatch.setattr(InProcess, "set_present", lambda _self, *sent: told.append(sent[-1]))
    for hidden in (True, False, "yes"):
        viewer.post(f"{cinema.page}/presence", json={"hidden": hidden}, headers=headers)
    assert told == [75, 12, 12]


def test_signs_of_life_need_the_proof_and_an_open_participation(cinema: Cinema) -> None:
    viewer = cinema.viewer()
    assert viewer.post(f"{cinema.page}/presence", json={}).status_code == 400
    assert cinema.cast.browser().post(f"{cinema.page}/presence", json={}).status_code == 410
    page = viewer.get(cinema.page).text
    left = viewer.send(f"{cinema.page}/departure", page=cinema.page)
    assert left.location.endswith("/-/left")
    ended = viewer.post(f"{cinema.page}/presence", json={}, headers={"X-CSRFToken": proof_in(page)})
    assert (ended.status_code, ended.json and ended.json["error"]) == (410, "ended")
    after = viewer.get(left.location).text
    assert "You left the room." in after
    assert "Watch again" in after
    assert viewer.get(cinema.page).location.endswith("/-/left")


def test_whoever_was_sent_out_is_told_of_no_conversation(app: Flask, cinema: Cinema) -> None:
    viewer = cinema.viewer()
    with app.app_context(), transaction():
        end_session(cinema.room(), ending=Ending.ENDED, by=actor_of(cinema.room().owner))
    page = viewer.get(f"/rooms/{cinema.room_id}/-/left").text
    assert "It was ended for everyone." in page
    assert "conversation" not in page


def test_pages_of_conversations_are_not_those_of_videos(cinema: Cinema) -> None:
    viewer = cinema.viewer()
    page = viewer.get(cinema.page).text
    assert viewer.get(f"/rooms/{cinema.room_id}/-/conference").status_code == 404
    headers = {"X-CSRFToken": proof_in(page)}
    body = {"text": "hello", "tab": "a"}
    assert viewer.post(f"/rooms/{cinema.room_id}/-/conference/messages", json=body, headers=headers).status_code == 404
    talker = cinema.cast.join()
    assert talker.get(f"/rooms/{cinema.cast.board}/-/watch").status_code == 404


def test_a_room_without_videos_says_so(app: Flask, cinema: Cinema) -> None:
    with app.app_context(), transaction():
        change_video(cinema.video(), by=actor_of(cinema.room().owner), published=False)
    page = cinema.viewer().get(cinema.page).text
    assert "No video can be watched yet" in page
    assert listed(page) == []


def test_nobody_new_is_let_in_past_the_last_place_and_a_reload_keeps_it(app: Flask, cinema: Cinema) -> None:
    with app.app_context(), transaction():
        cinema.room().room_features = {"max_viewers": 1}
    first, second = cinema.viewer(), cinema.cast.browser()
    second.get(cinema.links[Role.GUEST])
    refused = second.send(cinema.path)
    assert (refused.status_code, "full" in refused.text) == (403, True)
    assert first.send(cinema.path).status_code == 303
    assert first.get(cinema.page).status_code == 200
    first.send(f"{cinema.page}/departure", page=cinema.page)
    assert second.send(cinema.path).status_code == 303
    with app.app_context():
        refusals = session.scalars(sa.select(AuditEvent).where(AuditEvent.action == "participant.refused")).all()
        assert len(refusals) == 1


def proof_in(page: str) -> str:
    found = re.search(r'data-csrf="([^"]+)"', page)
    assert found is not None
    assert csrf_of(page) == found[1]
    return found[1]


def test_a_closed_page_counts_no_more_after_a_moment(cinema: Cinema) -> None:
    from portal.channels import channels

    viewer = cinema.viewer()
    page = viewer.get(cinema.page).text
    sent = viewer.post(f"{cinema.page}/closing", data={"csrf_token": proof_in(page)})
    assert sent.status_code == 204
    with cinema.cast.app.app_context(), transaction():
        [value] = channels().presence(str(cinema.room().uuid)).values()
    assert "leaving" in value


def test_a_sign_of_life_asks_for_the_state_of_the_list_by_one_statement(app: Flask, cinema: Cinema) -> None:
    viewer = cinema.viewer()
    page = viewer.get(cinema.page).text
    headers = {"X-CSRFToken": proof_in(page)}
    with app.app_context(), transaction():
        captions = read_captions(b"1\n00:00:01,000 --> 00:00:02,000\nHello\n")
        set_captions(video=cinema.video(), by=actor_of(cinema.room().owner), captions=captions, language="de")
    version = viewer.post(f"{cinema.page}/presence", json={}, headers=headers).json
    assert version != {"videos": re.findall(r'data-version="([^"]+)"', page)[0]}
    assert version == {"videos": re.findall(r'data-version="([^"]+)"', viewer.get(cinema.page).text)[0]}
    with app.app_context():
        engine = db.engine
    with statements(engine) as seen:
        viewer.post(f"{cinema.page}/presence", json={}, headers=headers)
    assert len([one for one in seen if "room_videos" in one]) == 1
    assert not any("video_captions.text" in one for one in seen)

"""The door of chunks: who may send, what may come, and how one moderator follows another."""

from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from portal.broadcasts import connections
from portal.broadcasts.connections import MOST_OF_CHUNK
from portal.broadcasts.models import BroadcastConnection, BroadcastState, ConnectionEnding
from portal.channels import channels
from portal.clock import now
from portal.db import session, transaction
from portal.rooms.models import Role
from portal.status.models import Ending, Participation
from tests.conftest import BOTH
from tests.live_room import Stage, Studio, new_stage, proof_of

BEGINNING = b"\x1a\x45\xdf\xa3" + b"x" * 96


@pytest.fixture
def studio(stage: Stage) -> Studio:
    return Studio(stage, stage.come(Role.MODERATOR))


@BOTH
def test_chunks_are_appended_by_their_offset(stage: Stage, studio: Studio) -> None:
    assert studio.go_live().status_code == 201
    assert studio.chunk(BEGINNING).headers["Upload-Offset"] == "100"
    assert studio.chunk(b"y" * 50).headers["Upload-Offset"] == "150"
    asked = studio.browser.get(studio.chunks)
    assert (asked.status_code, asked.headers["Upload-Offset"]) == (204, "150")
    with stage.app.app_context(), transaction():
        [connection] = stage.connections()
        assert connections.received(connection.uuid) == 150


@pytest.mark.parametrize("offset", [0, 99, 101, 1_000_000])
def test_a_chunk_that_came_already_or_too_early_is_told_what_is_here(studio: Studio, offset: int) -> None:
    studio.go_live()
    studio.chunk(BEGINNING)
    answer = studio.chunk(b"z", offset=offset)
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (409, "100")
    assert studio.chunk(b"z").status_code == 204


@pytest.mark.parametrize("offset", ["", "-1", "x", "1" * 30, "١"])
def test_a_chunk_that_says_nothing_sensible_is_refused(studio: Studio, offset: str) -> None:
    studio.go_live()
    headers = {"X-CSRFToken": studio._proof, "Upload-Offset": offset.encode().decode("latin-1")}
    assert studio.browser.patch(studio.chunks, data=BEGINNING, headers=headers).status_code == 409


def test_what_is_no_recording_is_refused_with_a_sentence(studio: Studio) -> None:
    studio.go_live()
    for nonsense in (b"hello, is anybody there", b"#EXTM3U\n#EXTINF:2,\n", b"x"):
        answer = studio.chunk(nonsense)
        assert answer.status_code == 422
        assert "no picture and no sound" in answer.json["message"]  # type: ignore[index]
    assert studio.chunk(BEGINNING[:1]).status_code == 204  # as some browsers begin
    assert studio.chunk(BEGINNING[1:]).status_code == 204


def test_too_much_at_once_or_too_fast_is_refused(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    studio.go_live()
    assert studio.chunk(BEGINNING + b"x" * MOST_OF_CHUNK).status_code == 413
    monkeypatch.setattr(connections, "BYTES_AT_ONCE", 120)
    monkeypatch.setattr(connections, "BYTES_A_SECOND", 1)
    assert studio.chunk(BEGINNING).status_code == 204
    fast = studio.chunk(b"y" * 500)
    assert fast.status_code == 429
    assert int(fast.headers["Retry-After"]) > 60


@pytest.mark.parametrize("role", [Role.ATTENDEE, Role.GUEST])
def test_only_moderators_send_and_stop(stage: Stage, studio: Studio, role: Role) -> None:
    studio.go_live()
    other = Studio(stage, stage.come(role))
    assert other.go_live().status_code == 403
    assert other.post("/ending").status_code == 403
    assert other.chunk(BEGINNING, to=studio.chunks, offset=0).status_code == 403
    assert other.browser.get(studio.chunks).status_code == 403


def test_nobody_sends_for_another_person_run_or_room(stage: Stage, studio: Studio) -> None:
    studio.go_live()
    other = Studio(stage, stage.come(Role.MODERATOR))
    assert other.chunk(BEGINNING, to=studio.chunks, offset=0).status_code == 404
    elsewhere = new_stage(stage.app, stage.cast, name="Elsewhere")
    foreign = Studio(elsewhere, elsewhere.come(Role.MODERATOR))
    foreign.go_live()
    crossed = foreign.chunks.rpartition("/")[0] + "/" + studio.chunks.rpartition("/")[2]
    assert foreign.chunk(BEGINNING, to=crossed, offset=0).status_code == 404
    assert foreign.chunk(BEGINNING, to=studio.chunks, offset=0).status_code in {404, 410}
    assert stage.cast.browser().patch(studio.chunks, data=BEGINNING).status_code in {404, 410}


def test_a_chunk_needs_the_proof_of_origin(studio: Studio) -> None:
    studio.go_live()
    assert studio.chunk(BEGINNING, proof="").status_code == 400
    assert studio.chunk(BEGINNING).status_code == 204


def test_viewers_wait_until_a_moderator_has_opened_the_room(stage: Stage) -> None:
    early = stage.cast.browser()
    early.get(stage.links[Role.GUEST])
    assert early.send(stage.path).status_code != 303
    studio = Studio(stage, stage.come(Role.MODERATOR))
    assert early.send(stage.path).status_code == 303
    assert studio.browser.get(stage.page).status_code == 200


def test_a_second_moderator_is_offered_to_take_over_and_the_first_is_told(stage: Stage, studio: Studio) -> None:
    studio.go_live()
    studio.chunk(BEGINNING)
    other = Studio(stage, stage.come(Role.MODERATOR))
    refused = other.go_live()
    assert (refused.status_code, refused.json["error"], refused.json["name"]) == (409, "somebody sends", "")  # type: ignore[index]
    with stage.app.app_context(), transaction():
        stage.room().room_settings = {"ask_name": True}
    assert other.go_live().json["name"] == "Moderator"  # type: ignore[index]
    assert studio.chunk(b"y").status_code == 204
    assert other.go_live(take_over=True).status_code == 201
    over = studio.chunk(b"y")
    assert (over.status_code, over.json["ending"]) == (410, ConnectionEnding.TAKEN_OVER)  # type: ignore[index]
    with stage.app.app_context(), transaction():
        first, second = stage.connections()
        assert (first.ending, second.number, second.ended_at) == (ConnectionEnding.TAKEN_OVER, 2, None)
        assert first.participation is not None
        [told] = channels().messages(f"participation:{first.participation.id}", "")
        assert told.body == {"event": "taken over", "name": "Moderator"}


def test_who_comes_back_goes_on_without_taking_over_and_so_does_another_after_silence(
    stage: Stage, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    studio.go_live()
    before = studio.chunks
    studio.chunk(BEGINNING)
    assert studio.go_live().status_code == 201
    assert studio.chunk(b"y", to=before, offset=100).json["ending"] == ConnectionEnding.REPLACED  # type: ignore[index]
    assert studio.chunk(BEGINNING).status_code == 204
    monkeypatch.setattr(connections, "SILENT", timedelta(seconds=-1))
    other = Studio(stage, stage.come(Role.MODERATOR))
    assert other.go_live().status_code == 201


def test_at_most_one_sends_in_a_run_by_the_word_of_the_database(stage: Stage, studio: Studio) -> None:
    studio.go_live()
    with stage.app.app_context():
        copy = {"session_uuid": stage.connections()[0].session_uuid, "number": 9, "mime": "video/webm"}
        session.add(BroadcastConnection(**copy, width=1, height=1, error="", size=0, started_at=now()))
        with pytest.raises(IntegrityError):
            session.commit()
        session.rollback()


@pytest.mark.parametrize(
    "about", [{"mime": ""}, {"mime": "text/html"}, {"mime": "video/" + "x" * 200}, {"width": 0}, {"height": "tall"}]
)
def test_what_no_browser_records_opens_nothing(stage: Stage, studio: Studio, about: dict[str, object]) -> None:
    body = {"mime": "video/webm", "width": 160, "height": 90, **about}
    assert studio.post("/connections", json=body).status_code == 422
    with stage.app.app_context(), transaction():
        assert stage.connections() == []


@BOTH
def test_stopping_ends_the_connection_and_nothing_can_be_sent_after_it(stage: Stage, studio: Studio) -> None:
    studio.go_live()
    studio.chunk(BEGINNING)
    assert studio.post("/ending").status_code == 204
    assert studio.post("/ending").status_code == 204
    assert studio.chunk(b"y").status_code == 410
    assert studio.go_live().status_code == 409
    with stage.app.app_context(), transaction():
        assert stage.broadcast().state is BroadcastState.ENDING
        assert stage.connections()[0].size == 100


def test_who_is_removed_sends_nothing_more(stage: Stage, studio: Studio) -> None:
    studio.go_live()
    with stage.app.app_context(), transaction():
        for one in session.query(Participation).filter_by(session_uuid=stage.run().uuid):
            one.left_at, one.ending = now(), Ending.REMOVED
    assert studio.chunk(BEGINNING).status_code == 410
    assert proof_of(studio.browser, stage.page) == ""

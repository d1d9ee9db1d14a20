"""What owners choose for a live room, and what it changes; and what is left of a run when it is over."""

from datetime import timedelta

import pytest

from portal.broadcasts import leftovers, producing
from portal.broadcasts.models import Broadcast, JournalSegment
from portal.clock import now
from portal.db import session, transaction
from portal.providers.broadcast.adapter import BroadcastService
from portal.providers.broadcast.settings import SETTINGS
from portal.rooms.models import Role
from tests.api.conftest import NewProgram, program
from tests.live_room import Stage, Studio, proof_of

__all__ = ["program"]

DEFAULTS = {one.name: one.default for one in SETTINGS}


@pytest.mark.parametrize(
    ("chosen", "plan"),
    [
        ({}, (1000, 10, 60)),
        ({"latency": "steady"}, (2000, 10, 60)),
        ({"dvr": 0, "grace": 600}, (1000, 0, 600)),
    ],
)
def test_settings_become_a_plan(chosen: dict[str, object], plan: tuple[int, int, int]) -> None:
    made = BroadcastService().ingest_plan(DEFAULTS | chosen)
    assert (made.segment_milliseconds, made.dvr_minutes, made.grace_seconds) == plan


def test_what_is_chosen_counts_for_the_whole_of_the_run(stage: Stage) -> None:
    with stage.app.app_context(), transaction():
        stage.room().room_settings = {"latency": "steady", "dvr": 30, "grace": 5}
    stage.come(Role.MODERATOR)
    with stage.app.app_context(), transaction():
        stage.room().room_settings = {}
    stage.come(Role.GUEST)
    with stage.app.app_context(), transaction():
        kept = stage.broadcast()
        assert (kept.segment_milliseconds, kept.dvr_minutes, kept.grace_seconds) == (2000, 30, 5)


@pytest.mark.parametrize("who", ["nothing", "number"])
def test_viewers_read_when_it_starts_and_how_many_watch_if_they_may(stage: Stage, who: str) -> None:
    with stage.app.app_context(), transaction():
        stage.room().room_settings = {"starts_at": "2030-01-02T18:00:00Z", "who_is_in": who}
    studio = Studio(stage, stage.come(Role.MODERATOR))
    viewer = stage.come(Role.GUEST)
    page = viewer.get(stage.page).text
    assert "Starts at" in page
    assert 'datetime="2030-01-02T18:00:00+00:00"' in page
    told = viewer.post(f"{stage.page}/presence", headers={"X-CSRFToken": proof_of(viewer, stage.page)})
    assert told.json == {"state": "starting", "play": False} | ({"viewers": 1} if who == "number" else {})
    assert studio.post("/presence", json={}).json["viewers"] == 1  # type: ignore[index]


def test_attendees_are_asked_for_a_name_only_if_that_is_set(stage: Stage) -> None:
    stage.come(Role.MODERATOR)
    guest = stage.cast.browser()
    guest.get(stage.links[Role.GUEST])
    assert 'name="name"' not in guest.get(stage.path).text
    with stage.app.app_context(), transaction():
        stage.room().room_settings = {"ask_name": True}
    assert 'name="name"' in guest.get(stage.path).text


def test_segments_go_some_time_after_the_run_has_ended_and_folders_that_no_run_names(stage: Stage) -> None:
    studio = Studio(stage, stage.come(Role.MODERATOR))
    studio.go_live()
    studio.chunk(b"\x1a\x45\xdf\xa3" + b"x" * 96)
    files = stage.app.config["SETTINGS"].files
    with stage.app.app_context():
        with transaction():
            run, [connection] = stage.run(), stage.connections()
            broadcast = stage.broadcast()
            folder, chunks = files / producing.folder_of(run.uuid), files / "uploads" / str(connection.uuid)
            session.add(
                JournalSegment(
                    session_uuid=run.uuid,
                    sequence=0,
                    connection_uuid=connection.uuid,
                    name="1_00000.ts",
                    milliseconds=1000,
                    at=now(),
                    breaks=0,
                    size=9,
                )
            )
            broadcast.size = 9
            folder.mkdir(parents=True)
            (folder / "1_00000.ts").write_bytes(b"123456789")
        leftovers.sweep_broadcasts()
        assert folder.exists()
        with transaction():
            run, broadcast = stage.run(), stage.broadcast()
            run.ended_at, broadcast.lease_until = now() - timedelta(minutes=11), None
        assert chunks.exists()
        leftovers.sweep_broadcasts()
        assert not folder.exists()
        assert not chunks.exists()
        with transaction():
            assert session.query(JournalSegment).count() == 0
            assert session.query(Broadcast).one().size == 0


def test_a_program_starts_and_ends_a_live_room_and_a_moderator_goes_on_with_that_run(
    stage: Stage, program: NewProgram
) -> None:
    alice = program("alice")
    room = f"/api/v1/rooms/{stage.room_id}"
    assert alice.call("POST", f"{room}/start").json["data"]["state"] == "starting"
    with stage.app.app_context(), transaction():
        run = stage.run().uuid
        assert stage.broadcast().lease_until is not None
    stage.come(Role.GUEST)
    studio = Studio(stage, stage.come(Role.MODERATOR))
    assert studio.go_live().status_code == 201
    with stage.app.app_context(), transaction():
        assert stage.run().uuid == run
    assert alice.call("POST", f"{room}/end").status_code == 200
    assert studio.chunk(b"\x1a\x45\xdf\xa3" + b"x" * 96).status_code == 410
    with stage.app.app_context(), transaction():
        assert stage.run().ended_at is not None

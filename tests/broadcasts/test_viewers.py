"""Viewers: who may fetch playlist and segments, for how long, and what it costs when two hundred do."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.admission.models import RoomToken
from portal.admission.tokens import revoke_token
from portal.broadcasts import leases, presence, producing
from portal.broadcasts.journal import Journals, whole_playlist
from portal.broadcasts.models import Broadcast, BroadcastState
from portal.broadcasts.producing import MadeSegment
from portal.channels import channels
from portal.clock import now
from portal.db import db, session, transaction
from portal.edge import broadcast_guard
from portal.people.actor import actor_of
from portal.rooms.models import Role, RoomStatusWord
from portal.watching.gate import Gate
from tests.cast import Client
from tests.conftest import BOTH
from tests.live_room import Stage, Studio, new_stage, proof_of
from tests.statements import statements
from tests.watching.conftest import Clock


@dataclass
class Show:
    """A live room on air, with some segments that no player would take for any."""

    stage: Stage
    run: UUID
    base: str
    claimed: leases.ClaimedBroadcast
    connection: UUID

    def add(self, *names: str) -> None:
        """Append segments of a second to the journal, and store their files."""
        folder = self.stage.app.config["SETTINGS"].files / producing.folder_of(self.run)
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            (folder / name).write_bytes(b"segment " + name.encode())
        made = [MadeSegment(name, 1000, 10) for name in names]
        with self.stage.app.app_context(), transaction():
            assert producing.append(self.claimed, self.connection, made)
        broadcast_guard.JOURNALS._kept.clear()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """What the gate takes for the time."""
    clock = Clock()
    monkeypatch.setattr(broadcast_guard, "GATE", Gate(clock))
    return clock


@pytest.fixture
def show(stage: Stage, clock: Clock) -> Show:
    studio = Studio(stage, stage.come(Role.MODERATOR))
    studio.go_live()
    with stage.app.app_context(), transaction():
        run = stage.run()
        claimed = leases.claim(run.uuid)
        assert claimed is not None
        found = Show(stage, run.uuid, f"{stage.page}/{run.id}", claimed, stage.connections()[0].uuid)
    found.add("1_00000.ts", "1_00001.ts")
    return found


def status_of(client: Client, path: str) -> int:
    return client.get(path).status_code


@pytest.mark.parametrize("role", list(Role))
def test_who_is_in_gets_the_playlist_and_its_segments(show: Show, role: Role) -> None:
    viewer = show.stage.come(role)
    answer = viewer.get(f"{show.base}/live.m3u8")
    assert (answer.status_code, answer.mimetype) == (200, "application/vnd.apple.mpegurl")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.text.splitlines()[-1] == "1_00001.ts"
    segment = viewer.get(f"{show.base}/1_00001.ts")
    assert (segment.status_code, segment.data, segment.mimetype) == (200, b"segment 1_00001.ts", "video/mp2t")
    assert segment.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert segment.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("name", ["1_00009.ts", "..%2f..%2ffoyer.db", "1_00000.ts%00", "list.m3u8", "x.ts", "-"])
def test_nothing_else_is_there(show: Show, name: str) -> None:
    assert status_of(show.stage.come(Role.GUEST), f"{show.base}/{name}") == 404


def test_who_is_not_in_gets_nothing(show: Show) -> None:
    followed = show.stage.cast.browser()
    followed.get(show.stage.links[Role.GUEST])
    elsewhere = new_stage(show.stage.app, show.stage.cast, name="Elsewhere")
    Studio(elsewhere, elsewhere.come(Role.MODERATOR))
    foreign = elsewhere.come(Role.GUEST)
    in_meeting = show.stage.cast.sign_in("alice")
    for somebody in (show.stage.cast.browser(), followed, foreign, in_meeting):
        for name in ("live.m3u8", "1_00000.ts"):
            assert status_of(somebody, f"{show.base}/{name}") == 404
    crossed = show.base.replace(show.stage.room_id, elsewhere.room_id)
    assert status_of(foreign, f"{crossed}/1_00000.ts") == 404


def _revoke(show: Show) -> None:
    for one in session.scalars(sa.select(RoomToken).where(RoomToken.room_uuid == show.stage.room().uuid)):
        revoke_token(one, by=actor_of(show.stage.room().owner), remove_people=True)


def _close(show: Show) -> None:
    show.stage.room().status = RoomStatusWord.INACTIVE


def _trash(show: Show) -> None:
    show.stage.room().trashed_at = now()


@pytest.mark.parametrize("change", [_revoke, _close, _trash])
def test_what_ends_the_right_ends_the_show_within_five_seconds(
    show: Show, clock: Clock, change: Callable[[Show], None]
) -> None:
    viewer = show.stage.come(Role.GUEST)
    assert status_of(viewer, f"{show.base}/1_00000.ts") == 200
    with show.stage.app.app_context(), transaction():
        change(show)
    clock.at += 5
    assert status_of(viewer, f"{show.base}/1_00000.ts") == 404
    assert status_of(viewer, f"{show.base}/live.m3u8") == 404


def test_who_leaves_gets_nothing_more(show: Show, clock: Clock) -> None:
    viewer = show.stage.come(Role.GUEST)
    proof = proof_of(viewer, show.stage.page)
    assert viewer.post(f"{show.stage.page}/departure", data={"csrf_token": proof}).status_code == 303
    clock.at += 5
    assert status_of(viewer, f"{show.base}/live.m3u8") == 404


@BOTH
def test_two_hundred_who_follow_ask_the_database_no_more_than_one(
    app: Flask, show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once each is judged, which counts for seconds, all playlists of a moment together take two statements."""
    viewer = show.stage.come(Role.GUEST)
    with app.app_context():
        engine = db.engine
        journals, at = Journals(lambda: at[0]), [0.0]
        journals.playlist(show.run)
        session.remove()
        at[0] = 1.0
        show.add("1_00002.ts")
        with statements(engine) as seen:
            texts = {journals.playlist(show.run) for _ in range(200)}
        assert len(seen) == 2
        [text] = texts
        assert text is not None
        assert text.splitlines()[-1] == "1_00002.ts"
        at[0] = 2.0
        with statements(engine) as seen:
            journals.playlist(show.run)
        assert len(seen) == 1  # nothing was added
        session.remove()
    status_of(viewer, f"{show.base}/1_00000.ts")
    with statements(engine) as seen:
        for _ in range(20):
            assert status_of(viewer, f"{show.base}/1_00000.ts") == 200
    assert seen == []


def test_viewers_go_back_as_far_as_the_room_lets_them_and_the_whole_is_kept(app: Flask, show: Show) -> None:
    show.add(*[f"1_{number:05}.ts" for number in range(2, 100)])
    with app.app_context():
        with transaction():
            session.get_one(Broadcast, show.run).dvr_minutes = 1
        with transaction():
            text, whole = Journals().playlist(show.run), whole_playlist(show.run)
            assert text is not None
            assert whole is not None
            assert (text.count("#EXTINF"), whole.count("#EXTINF")) == (60, 100)
            assert "#EXT-X-MEDIA-SEQUENCE:40\n" in text
            assert "#EXT-X-PLAYLIST-TYPE:EVENT\n" in whole
            session.get_one(Broadcast, show.run).state = BroadcastState.ENDED
        with transaction():
            ended = whole_playlist(show.run)
            assert ended is not None
            assert ended.endswith("#EXT-X-ENDLIST\n")


def test_who_fetches_the_playlist_watches_and_keeps_his_place(app: Flask, show: Show) -> None:
    viewer = show.stage.come(Role.GUEST)
    with app.app_context(), transaction():
        [watcher] = [one for one in show.stage.people() if one.role is Role.GUEST]
        room_uuid = show.stage.room().uuid
    before = presence.followers(room_uuid)
    assert watcher.id not in before.now
    status_of(viewer, f"{show.base}/live.m3u8")
    assert watcher.id in presence.followers(room_uuid).now
    channels().set_present(str(room_uuid), watcher.id, {"at": 1.0}, 60)
    later = presence.followers(room_uuid)
    assert watcher.id in later.kept
    assert watcher.id not in later.now


@BOTH
def test_of_twenty_who_press_watch_at_once_as_many_get_in_as_there_are_places(app: Flask, show: Show) -> None:
    with app.app_context(), transaction():
        show.stage.room().room_features = {"max_viewers": 3}
    browsers = [show.stage.cast.browser() for _ in range(20)]
    for one in browsers:
        one.get(show.stage.links[Role.GUEST])
    tokens = [one.token(show.stage.path) for one in browsers]

    def press(one: Client, token: str) -> int:
        return one.post(show.stage.path, data={"csrf_token": token}).status_code

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(press, browsers, tokens))
    assert sorted(answers).count(303) == 3
    assert set(answers) <= {303, 403}
    show.stage.come(Role.MODERATOR)  # who is no viewer
    with app.app_context(), transaction():
        assert session.scalar(sa.select(sa.func.count()).select_from(Broadcast)) == 1

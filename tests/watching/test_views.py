"""What is known of who has watched how much: bounded by the server's clock, counted once."""

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from portal.clock import now
from portal.db import db, session, transaction
from portal.status.models import Participation
from portal.videos.models import RoomVideo
from portal.videos.totals import totals_of
from portal.watching.figures import figures_of, watched_in
from portal.watching.models import PARTS, VideoView
from portal.watching.views import Stretch, report, settle
from tests.cast import Client
from tests.conftest import BOTH
from tests.statements import statements
from tests.watching.conftest import Cinema
from tests.watching.test_pages import proof_in


class Watcher:
    """Somebody who is in, and whose reports come when the test says."""

    def __init__(self, app: Flask, cinema: Cinema, travel: time_machine.Traveller) -> None:
        self._app, self._cinema, self._clock = app, cinema, travel
        travel.shift(1)
        cinema.viewer()
        with app.app_context(), transaction():
            self.uuid = session.scalars(sa.select(Participation.uuid).order_by(Participation.entered_at.desc())).first()
            cinema.video().milliseconds = 100_000

    def plays(self, *played: Stretch, after: float, position: float = 0.0) -> None:
        self._clock.shift(after)
        with self._app.app_context(), transaction():
            person = session.get_one(Participation, self.uuid)
            report(person, self._cinema.video(), position=position, played=list(played))

    def view(self) -> VideoView:
        with self._app.app_context(), transaction():
            own = VideoView.participation_uuid == self.uuid
            view = session.scalars(sa.select(VideoView).where(own)).one()
            session.expunge(view)
            return view

    def video(self) -> RoomVideo:
        with self._app.app_context(), transaction():
            video = self._cinema.video()
            session.expunge(video)
            return video


@pytest.fixture
def travel() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(now(), tick=False) as coordinates:
        yield coordinates


@pytest.fixture
def watcher(app: Flask, cinema: Cinema, travel: time_machine.Traveller) -> Watcher:
    return Watcher(app, cinema, travel)


def test_seconds_and_parts_add_up(watcher: Watcher) -> None:
    watcher.plays((0, 8), after=8, position=8)
    watcher.plays((8, 18), after=10, position=18)
    view = watcher.view()
    assert (view.seconds, view.position, view.parts.count("1")) == (18, 18, 18)
    assert watcher.video().views == 1


def test_what_cannot_have_been_played_does_not_count(watcher: Watcher) -> None:
    watcher.plays((0, 100), (0, 100), (-5, 3), (90, 5000), after=8, position=5000)
    view = watcher.view()
    assert (view.seconds, view.position) == (10, 100)
    assert view.parts.count("1") == 20


def test_many_reports_do_not_add_up_to_more_time_than_has_passed(watcher: Watcher) -> None:
    for number in range(50):
        watcher.plays((number * 2, number * 2 + 2), after=0.1)
    view = watcher.view()
    assert view.seconds <= 8
    assert view.parts.count("1") <= 19


def test_a_moment_of_each_part_is_not_the_whole_of_it(watcher: Watcher) -> None:
    watcher.plays(*[(part + 0.4, part + 0.6) for part in range(50)], after=5)
    watcher.plays(*[(part + 0.4, part + 0.6) for part in range(50, 100)], after=5)
    view = watcher.view()
    assert view.seconds <= 13
    assert view.parts.count("1") <= 29


def test_a_report_that_comes_late_tells_of_no_more_than_a_minute(watcher: Watcher) -> None:
    watcher.plays((0, 100), after=3600)
    assert watcher.view().seconds == 60


def test_twice_the_speed_shows_twice_as_much_in_the_same_time(watcher: Watcher) -> None:
    watcher.plays((0, 20), after=10)
    view = watcher.view()
    assert (view.seconds, view.parts.count("1")) == (12, 20)


def test_a_view_is_counted_after_ten_seconds_and_again_after_half_an_hour(watcher: Watcher) -> None:
    watcher.plays((0, 5), after=5)
    assert watcher.video().views == 0
    watcher.plays((5, 15), after=10)
    watcher.plays((15, 25), after=10)
    assert watcher.video().views == 1
    watcher.plays((0, 5), after=31 * 60)
    watcher.plays((5, 15), after=10)
    assert watcher.video().views == 2


def test_of_a_short_video_half_is_enough(app: Flask, cinema: Cinema, watcher: Watcher) -> None:
    with app.app_context(), transaction():
        cinema.video().milliseconds = 4000
    watcher.plays((0, 2), after=2)
    assert watcher.video().views == 1


@BOTH
def test_seconds_are_added_to_the_video_once(app: Flask, cinema: Cinema, travel: time_machine.Traveller) -> None:
    watchers = [Watcher(app, cinema, travel) for _ in range(3)]
    for number, one in enumerate(watchers):
        one.plays((0, 10 + number), after=20)
    with app.app_context():
        for _ in range(2):
            with transaction():
                settle()
        with transaction():
            assert cinema.video().seconds_watched == 33
            assert totals_of(cinema.room()) == {"views": 3, "hours": 0, "videos": 2}
            assert totals_of(cinema.cast.room()) == {}
    before = watchers[0].video().updated_at
    watchers[0].plays((10, 20), after=10)
    with app.app_context(), transaction():
        settle()
        assert cinema.video().seconds_watched == 43
    assert watchers[0].video().updated_at == before


def test_figures_tell_the_part_seen_and_where_people_left(app: Flask, cinema: Cinema, watcher: Watcher) -> None:
    watcher.plays((0, 50), after=50, position=50)
    with app.app_context(), transaction():
        figures = figures_of(cinema.video())
        assert (figures.people, figures.average, figures.views) == (1, 50, 1)
        assert figures.seconds == 50  # although they are not added to the video yet
        assert [bar.seen for bar in figures.bars] == [1] * 5 + [0] * 5
        assert [bar.left for bar in figures.bars].index(1) == 5
        person = session.get_one(Participation, watcher.uuid)
        [told] = watched_in(person.run)[person.id]
        assert (told.name, told.percent, told.seconds) == ("Film", 50, 50)
    assert len(watcher.view().parts) == PARTS


def test_views_go_with_the_participation(app: Flask, watcher: Watcher) -> None:
    watcher.plays((0, 10), after=10)
    with app.app_context(), transaction():
        session.execute(sa.delete(Participation))
        assert session.scalars(sa.select(VideoView)).all() == []


def send(viewer: Client, cinema: Cinema, body: Any) -> int:
    headers = {"X-CSRFToken": proof_in(viewer.get(cinema.page).text)}
    return viewer.post(f"{cinema.page}/reports", json=body, headers=headers).status_code


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({}, 204),
        ({"played": []}, 204),
        ({"video": "2222222222"}, 404),
        ({"video": ""}, 422),
        ({"position": "NaN"}, 422),
        ({"position": None}, 422),
        ({"position": 1e300}, 422),
        ({"position": 10**400}, 422),
        ({"played": [[0, 10**400]]}, 422),
        ({"played": [[0, float("nan")]]}, 422),
        ({"played": [[0, "1"]]}, 422),
        ({"played": [[0, 1, 2]]}, 422),
        ({"played": [[0, 1]] * 51}, 422),
        ({"played": "all"}, 422),
    ],
)
def test_reports_are_checked(app: Flask, cinema: Cinema, change: dict[str, Any], status: int) -> None:
    body = {"video": cinema.film, "position": 2, "played": [[0, 2]], **change}
    assert send(cinema.viewer(), cinema, body) == status


def test_reports_are_of_what_somebody_may_watch(cinema: Cinema) -> None:
    viewer = cinema.viewer()
    assert send(viewer, cinema, {"video": cinema.hidden, "position": 0, "played": []}) == 404
    page = viewer.get(cinema.page).text
    assert viewer.post(f"{cinema.page}/reports", json={}).status_code == 400
    viewer.send(f"{cinema.page}/departure", page=cinema.page)
    late = viewer.post(f"{cinema.page}/reports", json={"video": cinema.film}, headers={"X-CSRFToken": proof_in(page)})
    assert late.status_code == 410


def test_a_report_takes_few_statements(app: Flask, cinema: Cinema) -> None:
    viewer = cinema.viewer()
    body = {"video": cinema.film, "position": 2, "played": [[0, 2]]}
    assert send(viewer, cinema, body) == 204
    headers = {"X-CSRFToken": proof_in(viewer.get(cinema.page).text)}
    with app.app_context():
        engine = db.engine
    with statements(engine) as seen:
        assert viewer.post(f"{cinema.page}/reports", json=body, headers=headers).status_code == 204
    assert len(seen) <= 6


def test_the_status_of_a_room_of_videos(app: Flask, cinema: Cinema) -> None:
    with app.app_context(), transaction():
        cinema.video().views, cinema.video().seconds_watched = 7, 5400
    alice = cinema.cast.sign_in("alice")
    status = f"/manage/rooms/{cinema.room_id}/status"
    idle = alice.get(status).text
    assert "Hours watched" in idle
    assert "Moderators" not in idle
    cinema.viewer()
    with app.app_context(), transaction():
        stored = session.execute(sa.text("SELECT counts FROM room_statuses ORDER BY version DESC")).scalar()
    assert "watching" in str(stored)
    assert "participants" not in str(stored)
    assert alice.get(f"/manage/rooms/{cinema.room_id}/videos/{cinema.film}/figures").status_code == 200


def test_sessions_tell_who_has_watched_how_much_of_what(app: Flask, cinema: Cinema, watcher: Watcher) -> None:
    watcher.plays((0, 50), after=50, position=50)
    with app.app_context(), transaction():
        run_id = session.get_one(Participation, watcher.uuid).run.id
    alice = cinema.cast.sign_in("alice")
    page = alice.get(f"/manage/rooms/{cinema.room_id}/sessions/{run_id}").text
    assert "Film: 50 %" in page
    assert "Film: 50 %" in alice.get(f"/manage/rooms/{cinema.room_id}/sessions/{run_id}/attendance.csv").text


def test_only_who_may_read_reports_sees_figures(cinema: Cinema, app: Flask) -> None:
    page = f"/manage/rooms/{cinema.room_id}/videos/{cinema.film}/figures"
    assert cinema.cast.sign_in("charlie").get(page).status_code == 404
    assert cinema.cast.sign_in("admin").get(page).status_code == 200
    table = cinema.cast.sign_in("alice").get(f"{page}/figures.csv")
    assert (table.mimetype, table.text.count("\n")) == ("text/csv", 11)

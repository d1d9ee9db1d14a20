"""The gate: each file of a video, for each who might ask for it, before and after it changes who may."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.admission.models import RoomToken
from portal.admission.tokens import revoke_token
from portal.clock import now
from portal.customers.models import CustomerStatus
from portal.db import db, session, transaction
from portal.people.actor import actor_of
from portal.permissions.operations import add_member, members_of, remove_member
from portal.rooms.models import Role, RoomStatusWord
from portal.videos.operations import change_video, trash_video
from portal.watching.gate import TRUSTED, Gate
from tests.cast import Client
from tests.conftest import BOTH
from tests.statements import statements
from tests.video_room import FILES, FOLDER, new_ready_video, new_video_room, store_files
from tests.watching.conftest import Cinema, Clock

TYPES = {
    "master.m3u8": "application/vnd.apple.mpegurl",
    "240p.m3u8": "application/vnd.apple.mpegurl",
    "init_240p.mp4": "video/mp4",
    "240p_00000.m4s": "video/iso.segment",
    "sprites.vtt": "text/vtt",
    "sprite_1.jpg": "image/jpeg",
}


def status_of(client: Client, path: str) -> int:
    return client.get(path).status_code


@pytest.mark.parametrize("role", list(Role))
def test_who_is_in_gets_every_file_of_what_is_published(cinema: Cinema, role: Role) -> None:
    viewer = cinema.viewer(role)
    for name, content in FILES.items():
        answer = viewer.get(cinema.file(name))
        assert (answer.status_code, answer.data) == (200, content), name
        assert answer.mimetype == TYPES[name]
        expected = "no-store" if name.endswith("m3u8") else "private, max-age=31536000, immutable"
        assert answer.headers["Cache-Control"] == expected
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    poster = viewer.get(f"/rooms/{cinema.room_id}/-/media/{cinema.film}/poster/poster.jpg")
    assert (poster.status_code, poster.data) == (200, b"a picture")


@pytest.mark.parametrize(("role", "expected"), [(Role.GUEST, 404), (Role.ATTENDEE, 404), (Role.MODERATOR, 200)])
def test_what_is_hidden_only_moderators_get(cinema: Cinema, role: Role, expected: int) -> None:
    assert status_of(cinema.viewer(role), cinema.file(video=cinema.hidden)) == expected


def test_who_is_not_in_gets_nothing(app: Flask, cinema: Cinema) -> None:
    followed = cinema.cast.browser()
    followed.get(cinema.links[Role.GUEST])
    people = [cinema.cast.browser(), followed, cinema.cast.sign_in("alice"), cinema.cast.join()]
    with app.app_context(), transaction():
        other = new_video_room(name="Others", owner="alice@demo.example", is_public=True)
        new_ready_video(app, other)
        other_id, other_path = other.id, other.path
    elsewhere = cinema.cast.browser()
    elsewhere.get(other_path)
    assert elsewhere.send(other_path).status_code == 303
    for somebody in [*people, elsewhere]:
        assert status_of(somebody, cinema.file()) == 404
    assert status_of(elsewhere, f"/rooms/{other_id}/-/media/{cinema.film}/{FOLDER}/240p_00000.m4s") == 404


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("attempt2", "master.m3u8"),
        ("..", "source1"),
        (FOLDER, "../source1"),
        (FOLDER, "..%2Fsource1"),
        (FOLDER, "%2e%2e%2fsource1"),
        (FOLDER, "240p_00009.m4s"),
        (FOLDER, "source1"),
        (FOLDER, "master.m3u8%00"),
        ("poster", "source1"),
        ("poster", "other.jpg"),
        ("captions", "2222222222.vtt"),
    ],
)
def test_what_is_no_file_of_it_is_not_found(cinema: Cinema, folder: str, name: str) -> None:
    viewer = cinema.viewer()
    assert status_of(viewer, cinema.file(name, folder=folder)) == 404
    assert status_of(viewer, cinema.file()) == 200


def test_a_guessed_or_foreign_video_is_not_found(cinema: Cinema) -> None:
    assert status_of(cinema.viewer(), cinema.file(video="2222222222")) == 404


def test_what_appears_while_somebody_watches_is_sent_at_once(app: Flask, cinema: Cinema) -> None:
    viewer = cinema.viewer()
    assert status_of(viewer, cinema.file()) == 200
    with app.app_context(), transaction():
        cinema.video(cinema.hidden).published = True
        film = cinema.video()
        film.folder, film.poster = "attempt2", "poster2.jpg"
        store_files(app, film, FILES)
    poster = f"/rooms/{cinema.room_id}/-/media/{cinema.film}/poster/poster2.jpg"
    for path in (cinema.file(video=cinema.hidden), cinema.file(folder="attempt2"), poster):
        assert status_of(viewer, path) == 200
    assert status_of(viewer, cinema.file()) == 404


def test_a_part_of_a_file_is_sent_on_request(cinema: Cinema) -> None:
    viewer = cinema.viewer()
    answer = viewer.get(cinema.file(), headers={"Range": "bytes=10-19"})
    assert (answer.status_code, answer.data) == (206, b"0123456789")
    assert answer.headers["Content-Range"] == "bytes 10-19/100"
    assert viewer.get(cinema.file(), headers={"Range": "bytes=100-"}).status_code == 416


def test_files_take_no_statement_until_it_is_judged_anew(app: Flask, cinema: Cinema, clock: Clock) -> None:
    viewer = cinema.viewer()
    assert status_of(viewer, cinema.file()) == 200
    with app.app_context():
        engine = db.engine
    with statements(engine) as seen:
        for name in FILES:
            assert status_of(viewer, cinema.file(name)) == 200
    assert seen == []
    clock.at += TRUSTED
    with statements(engine) as seen:
        assert status_of(viewer, cinema.file()) == 200
    assert len(seen) == 2


def _remove(cinema: Cinema) -> None:
    token = session.scalars(sa.select(RoomToken).where(RoomToken.room_uuid == cinema.room().uuid)).all()
    for one in token:
        revoke_token(one, by=actor_of(cinema.room().owner), remove_people=True)


def _close_room(cinema: Cinema) -> None:
    cinema.room().status = RoomStatusWord.INACTIVE


def _terminate(cinema: Cinema) -> None:
    cinema.room().customer.status = CustomerStatus.TERMINATED


def _trash_room(cinema: Cinema) -> None:
    cinema.room().trashed_at = now()


def _hide(cinema: Cinema) -> None:
    change_video(cinema.video(), by=actor_of(cinema.room().owner), published=False)


def _publish_later(cinema: Cinema) -> None:
    change_video(cinema.video(), by=actor_of(cinema.room().owner), published_from=now() + timedelta(hours=1))


def _trash(cinema: Cinema) -> None:
    trash_video(cinema.video(), by=actor_of(cinema.room().owner))


def _replace(cinema: Cinema) -> None:
    cinema.video().folder = "attempt2"


@pytest.mark.parametrize(
    "change", [_remove, _close_room, _terminate, _trash_room, _hide, _publish_later, _trash, _replace]
)
def test_what_ends_the_right_ends_the_files_within_five_seconds(
    app: Flask, cinema: Cinema, clock: Clock, change: Callable[[Cinema], None]
) -> None:
    viewer = cinema.viewer()
    assert status_of(viewer, cinema.file()) == 200
    with app.app_context(), transaction():
        change(cinema)
    clock.at += 5
    assert status_of(viewer, cinema.file()) == 404


def test_a_member_who_is_none_any_more_gets_nothing_more(app: Flask, cinema: Cinema, clock: Clock) -> None:
    with app.app_context(), transaction():
        room = cinema.room()
        add_member(room=room, permissions=[], by=None, email="bob@demo.example")
    bob = cinema.cast.sign_in("bob")
    assert bob.send(f"/rooms/{cinema.room_id}/-/entry").location.endswith("/-/watch")
    assert status_of(bob, cinema.file()) == 200
    with app.app_context(), transaction():
        room = cinema.room()
        [member] = members_of(room)
        remove_member(member, room=room, by=actor_of(room.owner))
    clock.at += 5
    assert status_of(bob, cinema.file()) == 404


def test_who_leaves_gets_nothing_more(cinema: Cinema, clock: Clock) -> None:
    viewer = cinema.viewer()
    assert viewer.send(f"{cinema.page}/departure", page=cinema.page).status_code == 303
    clock.at += 5
    assert status_of(viewer, cinema.file()) == 404


def test_an_expired_link_stops_new_entries_only(app: Flask, cinema: Cinema, clock: Clock) -> None:
    viewer = cinema.viewer()
    with app.app_context(), transaction():
        session.execute(sa.update(RoomToken).values(expires_at=now() - timedelta(minutes=1)))
    clock.at += 5
    assert status_of(viewer, cinema.file()) == 200
    late = cinema.cast.browser()
    late.get(cinema.links[Role.GUEST], follow_redirects=True)
    assert status_of(late, cinema.file()) == 404


def test_refusals_are_not_remembered_and_answers_are_few() -> None:
    clock = Clock()
    gate: Gate[dict[str, object]] = Gate(clock)
    asked: list[int] = []

    def refuse() -> dict[str, object]:
        asked.append(1)
        raise LookupError

    for _ in range(2):
        with pytest.raises(LookupError):
            gate.grant("who", refuse)  # type: ignore[arg-type]
    assert len(asked) == 2
    for number in range(20_050):
        gate.grant(number, dict)
    assert len(gate._known) <= 20_000
    clock.at += 5
    gate.grant("who", dict)
    assert len(gate._known) == 1


@BOTH
def test_of_twenty_who_press_watch_at_once_as_many_get_in_as_there_are_places(app: Flask, cinema: Cinema) -> None:
    with app.app_context(), transaction():
        cinema.room().room_features = {"max_viewers": 3}
    browsers = [cinema.cast.browser() for _ in range(20)]
    for one in browsers:
        one.get(cinema.links[Role.GUEST])
    tokens = [one.token(cinema.path) for one in browsers]

    def press(one: Client, token: str) -> int:
        return one.post(cinema.path, data={"csrf_token": token}).status_code

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(press, browsers, tokens))
    assert sorted(answers).count(303) == 3
    assert set(answers) <= {303, 403}

"""A form that makes something makes it once, however often it is sent."""

import re
import threading
from html import unescape

import pytest
import sqlalchemy as sa

from portal.admission.models import AccessCode, RoomToken
from portal.clock import now
from portal.db import session, transaction
from portal.idempotency import forms
from portal.idempotency.forms import SubmittedForm
from portal.permissions.members import RoomMember
from portal.rooms.models import Room
from tests.cast import Cast, Client
from tests.conftest import BOTH

FORMS: list[tuple[str, dict[str, str], type]] = [
    ("/manage/rooms/new", {"room_name": "Twice"}, Room),
    ("/manage/rooms/{board}/links/new", {"role": "guest", "label": "Twice"}, RoomToken),
    ("/manage/rooms/{board}/codes/new", {"role": "guest", "code": "TWICE"}, AccessCode),
    ("/manage/rooms/{board}/people/new", {"email": "charlie@demo.example"}, RoomMember),
]


def fields_of(client: Client, path: str) -> dict[str, str]:
    """The hidden fields of the form as it was given out."""
    html = client.get(path).text
    form = re.search(r'<form method="post" class="card form-card".*?</form>', html, re.S)
    assert form
    return {name: unescape(value) for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form[0])}


@BOTH
@pytest.mark.parametrize(("path", "typed", "kind"), FORMS, ids=[path for path, _, _ in FORMS])
def test_a_form_sent_twice_acts_once_and_leads_to_the_same_page(
    cast: Cast, path: str, typed: dict[str, str], kind: type
) -> None:
    alice = cast.sign_in("alice")
    path = path.format(board=cast.board)
    fields = fields_of(alice, path) | typed
    before = _count(cast, kind)
    answers = [alice.post(path, data=fields) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [303] * 3
    assert len({answer.location for answer in answers}) == 1
    assert _count(cast, kind) == before + 1


@BOTH
def test_two_sendings_at_the_same_moment_make_one(cast: Cast) -> None:
    alice = cast.sign_in("alice")
    fields = fields_of(alice, "/manage/rooms/new") | {"room_name": "Twice"}
    cookie = alice.get_cookie("foyer")
    assert cookie
    answers: list[tuple[int, str | None]] = []
    together = threading.Barrier(2)

    def send() -> None:
        client = cast.browser()
        client.set_cookie("foyer", cookie.value)
        together.wait(10)
        answer = client.post("/manage/rooms/new", data=fields)
        answers.append((answer.status_code, answer.location))

    senders = [threading.Thread(target=send) for _ in range(2)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert [status for status, _ in answers] == [303, 303]
    assert len(set(answers)) == 1
    assert _count(cast, Room) == 3


def test_another_form_another_word_or_other_contents_act(cast: Cast) -> None:
    alice = cast.sign_in("alice")
    fields = fields_of(alice, "/manage/rooms/new")
    for typed in ("One", "Two"):  # Back, and something else typed
        assert alice.post("/manage/rooms/new", data=fields | {"room_name": typed}).status_code == 303
    again = fields_of(alice, "/manage/rooms/new")
    assert alice.post("/manage/rooms/new", data=again | {"room_name": "One"}).status_code == 303
    assert _count(cast, Room) == 5


def test_what_was_refused_may_be_sent_again(cast: Cast) -> None:
    alice = cast.sign_in("alice")
    path = f"/manage/rooms/{cast.board}/links/new"
    fields = fields_of(alice, path)
    for _ in range(2):
        assert alice.post(path, data=fields | {"role": "guest", "max_uses": "-1"}).status_code == 422
    assert alice.post(path, data=fields | {"role": "guest"}).status_code == 303


def test_sendings_are_forgotten_after_a_day(cast: Cast) -> None:
    with cast.app.app_context():
        with transaction():
            assert forms.record_submission("today", "/a")
            session.add(SubmittedForm(key="old", redirect="/b", at=now() - forms.RETENTION * 2))
        with transaction():
            forms.sweep_submissions()
        assert session.scalars(sa.select(SubmittedForm.key)).all() == ["today"]


def _count(cast: Cast, kind: type) -> int:
    with cast.app.app_context():
        return session.scalar(sa.select(sa.func.count()).select_from(kind)) or 0

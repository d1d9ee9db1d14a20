"""Pieces that are kept: whatever a page says is read anew, and nobody is shown what is somebody else's."""

import dataclasses
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from jinja2 import meta, nodes

from portal.admission.models import RoomToken
from portal.clock import now
from portal.customers.models import Customer
from portal.db import session, transaction
from portal.people.models import User
from portal.permissions.members import RoomMember
from portal.providers.base import LiveState
from portal.rooms.models import Role, Room
from portal.status.models import RoomStatus
from portal.web import fragment_cache
from portal.web.fragment_cache import Fragment
from portal.web.join import join_page
from portal.web.manage import room_list, room_rows
from portal.web.reader import Reader
from tests.cast import Cast, Client

Change = Callable[[Cast], None]


@pytest.fixture(autouse=True)
def _believed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in production: what is kept is shown."""
    monkeypatch.setattr(fragment_cache, "VERIFY", False)


def cached(app: Flask) -> dict[Any, Fragment]:
    return app.extensions["made"]._fragments  # type: ignore[no-any-return]


def room(**values: Any) -> Change:
    def change(cast: Cast) -> None:
        for name, value in values.items():
            setattr(cast.room(), name, value)

    return change


def of(model: type[Any], **values: Any) -> Change:
    def change(_cast: Cast) -> None:
        session.execute(sa.update(model).values(**values))

    return change


def live(_cast: Cast) -> None:
    session.execute(sa.update(RoomStatus).values(state=LiveState.LIVE, count=7))


def asked(client: Client, cast: Cast) -> str:
    return str(client.get(cast.board_path).text)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (room(room_name="Another name"), "Another name"),
        (room(room_settings={"description": "Bring your own tea"}), "Bring your own tea"),
        (of(User, name="Somebody Else"), "Somebody Else invites you"),
        (of(Customer, company_name="Initech"), "Initech"),
        (live, "7 people are in"),
        (room(room_settings={"wait_for_host": True}), "The host is not here yet"),
        (of(RoomToken, person="Dr. No"), "You join as"),
    ],
    ids=["name", "description", "owner", "customer", "live", "host", "person"],
)
def test_the_join_page_says_what_is_so_now(app: Flask, cast: Cast, change: Change, words: str) -> None:
    guest = cast.follow(Role.GUEST)
    cast.join(Role.GUEST, name="Gus")  # so that there is a status
    assert words not in asked(guest, cast)
    with app.app_context(), transaction():
        change(cast)
    assert words in asked(guest, cast)


def names_read_by(app: Flask, template: str) -> set[str]:
    """The variables that a template and its parts read from what it is rendered with."""
    source = app.jinja_env.loader.get_source(app.jinja_env, template)[0]  # type: ignore[union-attr]
    tree = app.jinja_env.parse(source)
    imports = list(tree.find_all((nodes.FromImport, nodes.Import)))
    assert not [part for part in imports if part.with_context], f"{template} lets macros read what they are not given"  # type: ignore[attr-defined]
    read = set(meta.find_undeclared_variables(tree)) - set(app.jinja_env.globals)
    for part in meta.find_referenced_templates(tree):
        assert part is not None, f"{template} chooses a part by a name that is not written down"
        read |= names_read_by(app, part)
    own = {node.name for node in tree.find_all(nodes.Name) if node.ctx == "store"}
    own |= {macro.name for macro in tree.find_all(nodes.Macro)}
    return read - own - {name for node in tree.find_all(nodes.FromImport) for name in node.names}


@pytest.mark.parametrize(
    ("template", "given"),
    [
        (join_page.TEMPLATE, {"page", "form", "proof"}),
        ("manage/rooms/index.html", {"rooms", "sells", "unsold", "reader", "nav"}),
        ("manage/rooms/_rows.html", {"rows", "end_of_row"}),
    ],
)
def test_a_cached_page_is_given_its_key_and_nothing_else(app: Flask, template: str, given: set[str]) -> None:
    assert names_read_by(app, template) <= given


@pytest.mark.parametrize("key", [join_page.JoinPage, room_list.RoomFrame, room_rows.Row, Reader])
def test_every_fact_of_a_cached_page_is_in_its_key(key: type[Any]) -> None:
    assert key.__dataclass_params__.frozen
    assert [field.name for field in dataclasses.fields(key) if not field.compare or field.hash is False] == []


def test_two_visitors_get_one_page_with_a_proof_each(app: Flask, cast: Cast) -> None:
    first, second = cast.follow(Role.GUEST), cast.follow(Role.GUEST)
    first_page, before = asked(first, cast), len(cached(app))
    second_page = asked(second, cast)
    assert len(cached(app)) == before  # the second was not made
    proofs = [first.token(cast.board_path), second.token(cast.board_path)]
    assert proofs[0] != proofs[1]
    assert first_page.replace(proofs[0], "") == second_page.replace(proofs[1], "")
    assert not any(proof.encode() in b"".join(one.texts) for proof in proofs for one in cached(app).values())
    assert second.send(cast.board_path, name="Gus").status_code == 303


def test_the_name_and_the_sign_in_of_one_device_are_not_shown_to_another(cast: Cast) -> None:
    plain = cast.follow(Role.GUEST)
    assert "Have an account?" in asked(plain, cast)
    bob = cast.sign_in("bob")
    bob.get(cast.links[Role.GUEST])
    assert "You are signed in." in asked(bob, cast)
    assert "Bob Fischer" in asked(bob, cast)
    assert "Bob Fischer" not in asked(plain, cast)
    assert "Have an account?" in asked(plain, cast)


def test_of_two_by_one_name_only_the_other_one_is_signed_in(app: Flask, cast: Cast) -> None:
    with app.app_context():
        name = cast.user("charlie").name
    plain = cast.join(Role.GUEST, name=name)
    player = f"/rooms/{cast.board}/-/conference"
    plain.post(f"{player}/departure", data={"csrf_token": plain.token(player)})
    charlie = cast.sign_in("charlie")
    charlie.get(cast.links[Role.GUEST])
    for client, offered in ((plain, True), (charlie, False)):
        page = asked(client, cast)
        assert f'value="{name}"' in page
        assert ("Have an account?" in page) is offered


def test_a_proof_in_somebodys_words_stays_what_it_was(app: Flask, cast: Cast) -> None:
    """Whoever writes his own proof into a name must not have that of others shown in its place."""
    host, guest = cast.follow(Role.MODERATOR), cast.follow(Role.GUEST)
    asked(host, cast)
    proof = host.token(cast.board_path)
    with app.app_context(), transaction():
        room(room_name=proof)(cast)
    assert f">{proof}</h1>" in asked(host, cast)
    assert f">{proof}</h1>" in asked(guest, cast)


def test_a_list_is_each_readers_own(app: Flask, cast: Cast) -> None:
    """Two who see no room see the same list, and each his own name above it."""
    with app.app_context(), transaction():
        session.execute(sa.delete(RoomMember))
    bob, charlie = cast.sign_in("bob"), cast.sign_in("charlie")
    with app.app_context(), transaction():
        of(Customer, owner_uuid=cast.user("alice").uuid)(cast)
        session.execute(sa.update(Room).values(owner_uuid=cast.user("alice").uuid))
    for client, name in ((bob, "Bob Fischer"), (charlie, "Charlie"), (bob, "Bob Fischer")):
        page = client.get("/manage/rooms").text
        assert f"Account of {name}" in page
    with app.app_context(), transaction():
        session.execute(sa.update(User).where(User.name == "Bob Fischer").values(name="Robert Fischer"))
    assert "Account of Robert Fischer" in bob.get("/manage/rooms").text


def test_a_row_counts_days_where_the_reader_is(app: Flask, cast: Cast) -> None:
    cast.join(Role.GUEST, name="Gus")
    used = now().replace(hour=12, minute=0) + timedelta(days=1)  # nobody travels to before he signed in
    with app.app_context(), transaction():
        of(RoomStatus, state=LiveState.IDLE, last_live_at=used)(cast)
        of(User, timezone="UTC")(cast)
    alice = cast.sign_in("alice")
    with time_machine.travel(used + timedelta(minutes=5), tick=False):
        assert "today, 12:00" in alice.get("/manage/rooms").text
        with app.app_context(), transaction():
            of(User, timezone="Asia/Tokyo")(cast)
        assert "today, 21:00" in alice.get("/manage/rooms").text
    with time_machine.travel(used + timedelta(hours=20), tick=False):
        assert "yesterday, 21:00" in alice.get("/manage/rooms").text


def test_a_live_row_goes_on_counting(app: Flask, cast: Cast) -> None:
    cast.join(Role.GUEST, name="Gus")
    alice, at = cast.sign_in("alice"), now()
    with app.app_context(), transaction():
        of(RoomStatus, since=at - timedelta(minutes=3), checked_at=at)(cast)
    with time_machine.travel(at + timedelta(seconds=4), tick=False):
        page = alice.get("/manage/rooms").text
        assert re.search(r'for <time [^>]*data-for="184">3 min</time>', page)
        assert "4 s ago" in page
        overview = alice.get(f"/manage/rooms/{cast.board}").text
        assert re.search(r'since [^<]*, for <time [^>]*data-for="184">3 min</time>', overview)
    with time_machine.travel(at + timedelta(minutes=2), tick=False):
        page = alice.get("/manage/rooms").text
        assert re.search(r'for <time [^>]*data-for="300">5 min</time>', page)
        assert "2 min ago" in page


def test_what_was_done_is_said_once(cast: Cast) -> None:
    alice = cast.sign_in("alice")
    alice.get("/manage/rooms")
    undone = alice.send(f"/manage/rooms/{cast.board}/deletion")
    assert "Undo" in alice.get(undone.location).text
    assert "Undo" not in alice.get("/manage/rooms").text


def test_what_was_not_asked_for_longest_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fragment_cache, "CAPACITY", 10)
    kept = fragment_cache.FragmentCache()
    a, b, c, d = (Fragment.of(name * 4) for name in "abcd")
    kept.keep("a", a)
    kept.keep("b", b)
    assert kept.find("a") is a
    kept.keep("c", c)
    assert (kept.find("a"), kept.find("b"), kept.find("c")) == (a, None, c)
    kept.keep("c", Fragment.of("cc"))
    kept.keep("d", d)
    assert kept.find("a") is a


def test_what_fills_a_gap_is_escaped_and_what_nothing_fills_is_empty() -> None:
    text = f"<p>{fragment_cache.gap('name')}, é {fragment_cache.gap('age')}</p>"
    filled = Fragment.of(text).filled({"name": fragment_cache.words("<Zoë>")})
    assert filled.decode() == "<p>&lt;Zoë&gt;, é </p>"

"""A stay hangs on the right by which somebody came; links do what they allow, and no more."""

import re
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.admission.models import AccessCode, RoomToken
from portal.audit.models import AuditEvent
from portal.db import session, transaction
from portal.permissions.members import RoomMember
from portal.rooms.models import Role
from portal.status.models import Participation, RoomStatus
from tests.cast import CODE, Cast, Client, csrf_of


def first(pattern: str, page: str) -> str:
    found = re.search(pattern, page)
    assert found, page
    return str(found[1])


class Stay:
    """Somebody's player page."""

    def __init__(self, client: Client, room_id: str) -> None:
        self.client, self.base = client, f"/rooms/{room_id}/-/conference"
        page = client.get(self.base).text
        self.id = re.findall(r'data-id="(\w+)"', page)[0]
        self.proof = csrf_of(page)

    def alive(self) -> int:
        return int(self.post("presence", tab=self.id).status_code)

    def post(self, what: str, **body: Any) -> Any:
        return self.client.post(f"{self.base}/{what}", json=body, headers={"X-CSRFToken": self.proof})

    def remove(self, other: "Stay") -> int:
        return int(self.post("signals", tab=self.id, to=other.id, kind="remove").status_code)

    @property
    def role(self) -> str:
        return first(r'data-role="(\w+)"', self.client.get(self.base).text)


@pytest.fixture
def alice(cast: Cast) -> Client:
    return cast.sign_in("alice")


@pytest.fixture
def people(cast: Cast) -> str:
    return f"/manage/rooms/{cast.board}/people"


@pytest.fixture
def bob_id(app: Flask, cast: Cast) -> str:
    with app.app_context():
        return session.scalars(sa.select(RoomMember.id)).one()


def enter(cast: Cast, client: Client) -> Stay:
    assert client.send(f"/rooms/{cast.board}/-/entry").status_code == 303
    return Stay(client, cast.board)


def cookie(cast: Cast, client: Client) -> str:
    held = client.get_cookie("admission", path=f"/rooms/{cast.board}")
    assert held is not None
    return held.value


def test_a_used_up_link_lets_nobody_in_who_is_inside_by_another(app: Flask, cast: Cast) -> None:
    with app.app_context(), transaction():
        cast.token(Role.MODERATOR).max_uses = 1
    cast.join(Role.MODERATOR, name="First")
    guest = cast.join(Role.GUEST)
    proof = Stay(guest, cast.board).proof
    cast.follow(Role.MODERATOR, guest)
    assert guest.post(cast.board_path, data={"csrf_token": proof, "name": "Gus"}).status_code == 403
    with app.app_context():
        assert cast.token(Role.MODERATOR).use_count == 1
        assert session.scalars(sa.select(Participation.role).where(Participation.name == "Gus")).one() is Role.GUEST


def test_a_change_of_links_counts_a_use_and_a_reload_does_not(app: Flask, cast: Cast) -> None:
    guest = cast.join(Role.GUEST)
    cast.follow(Role.MODERATOR, guest)
    for _ in range(2):
        assert guest.send(cast.board_path, name="Gus").status_code == 303
    with app.app_context():
        assert (cast.token(Role.GUEST).use_count, cast.token(Role.MODERATOR).use_count) == (1, 1)


def test_an_older_cookie_keeps_no_members_stay(cast: Cast, alice: Client, people: str, bob_id: str) -> None:
    bob = cast.sign_in("bob")
    cast.follow(Role.GUEST, bob)
    bob.send(cast.board_path, name="Bob")
    older = cookie(cast, bob)
    stay = enter(cast, bob)
    assert stay.alive() == 200
    newer = cookie(cast, bob)
    bob.set_cookie("admission", older, path=f"/rooms/{cast.board}")
    assert stay.alive() == 410
    bob.set_cookie("admission", newer, path=f"/rooms/{cast.board}")
    assert stay.alive() == 200
    cast.follow(Role.GUEST, bob)  # a link afterwards keeps it neither
    assert stay.alive() == 410
    bob.set_cookie("admission", newer, path=f"/rooms/{cast.board}")
    alice.post(f"{people}/{bob_id}/removal", data={"csrf_token": alice.token("/me")})
    assert stay.alive() == 410


def test_following_the_same_link_again_keeps_the_stay(cast: Cast) -> None:
    guest = cast.join(Role.GUEST)
    stay = Stay(guest, cast.board)
    cast.follow(Role.GUEST, guest)
    assert stay.alive() == 200


def test_whose_right_to_moderate_is_taken_goes_on_as_attendee(
    app: Flask, cast: Cast, alice: Client, people: str, bob_id: str
) -> None:
    alice.send(f"{people}/{bob_id}/edit", permissions=["room:moderate"])
    bob, guest = enter(cast, cast.sign_in("bob")), Stay(cast.join(Role.GUEST), cast.board)
    assert (bob.alive(), bob.role) == (200, "moderator")
    alice.send(f"{people}/{bob_id}/edit", permissions=["status:view"])
    assert (bob.remove(guest), guest.alive()) == (403, 200)
    assert (bob.alive(), bob.role) == (200, "attendee")
    with app.app_context():
        assert session.scalars(sa.select(RoomStatus.counts)).one() == {
            "participants": 2,
            "moderators": 0,
            "attendees": 1,
            "guests": 1,
        }


def test_whose_link_changes_goes_on_in_the_new_role(app: Flask, cast: Cast, alice: Client) -> None:
    chair, guest = Stay(cast.join(Role.MODERATOR), cast.board), Stay(cast.join(Role.GUEST), cast.board)
    chair.alive()
    alice.send(f"/manage/rooms/{cast.board}/links/{cast.link_ids[Role.MODERATOR]}/edit", role="guest")
    with app.app_context():
        assert session.scalars(sa.select(RoomStatus.counts)).one() == {
            "participants": 2,
            "moderators": 0,
            "attendees": 0,
            "guests": 2,
        }
    assert (chair.remove(guest), chair.role) == (403, "guest")


def test_who_was_removed_stays_out_without_the_cookie_too(app: Flask, cast: Cast) -> None:
    with app.app_context(), transaction():
        cast.token(Role.GUEST).person = "Paula"
    chair = Stay(cast.join(Role.MODERATOR), cast.board)
    paula, bob = Stay(cast.join(Role.GUEST), cast.board), enter(cast, cast.sign_in("bob"))
    chair.alive()
    assert (chair.remove(paula), chair.remove(bob)) == (202, 202)
    assert "You were removed" in cast.follow(Role.GUEST).get(cast.board_path).text
    assert cast.sign_in("bob").send(f"/rooms/{cast.board}/-/entry").status_code == 409


def test_removal_with_a_link_is_not_held_against_people(cast: Cast, alice: Client) -> None:
    link = f"/manage/rooms/{cast.board}/links/{cast.link_ids[Role.GUEST]}"
    for ending, undoing in (("revocation", "reinstatement"), ("pause", "resumption")):
        guest = cast.join(Role.GUEST)
        stay = Stay(guest, cast.board)
        assert "in the room by this link right now" in alice.get(f"{link}/{ending}").text
        alice.send(f"{link}/{ending}", people="remove")
        assert stay.alive() == 410
        assert "The link you came by was ended" in guest.get(stay.base, follow_redirects=True).text
        alice.post(f"{link}/{undoing}", data={"csrf_token": alice.token("/me")})
        assert guest.send(cast.board_path, name="Gus").status_code == 303


@pytest.mark.parametrize("right", ["tokens:view", "tokens:manage"])
def test_nobody_hands_out_a_moderator_link_who_may_not_moderate(
    app: Flask, cast: Cast, alice: Client, bob_id: str, right: str
) -> None:
    alice.send(f"/manage/rooms/{cast.board}/people/{bob_id}/edit", permissions=[right])
    bob, links = cast.sign_in("bob"), f"/manage/rooms/{cast.board}/links"
    with app.app_context():
        secret = cast.token(Role.MODERATOR).token
    ledger = bob.get(links).text
    assert "Chair" in ledger
    assert secret not in ledger
    assert "Copy guest link" in ledger
    moderator, guest = cast.link_ids[Role.MODERATOR], cast.link_ids[Role.GUEST]
    if right == "tokens:manage":
        assert 'value="moderator"' not in bob.get(f"{links}/new").text
        assert bob.send(f"{links}/new", role="moderator").status_code == 422
        assert bob.send(f"{links}/{guest}/edit", role="moderator").status_code == 422
        assert bob.get(f"{links}/{moderator}/edit").status_code == 403
        assert bob.send(f"{links}/new", role="guest").status_code == 303
    with app.app_context():
        made = sa.select(sa.func.count()).where(RoomToken.role == Role.MODERATOR)
        assert session.scalar(made) == 1


def test_who_holds_rights_that_the_remover_lacks_cannot_be_removed(
    cast: Cast, alice: Client, people: str, bob_id: str
) -> None:
    alice.send(f"{people}/new", email="charlie@demo.example", permissions=["members:manage", "status:view"])
    alice.send(f"{people}/{bob_id}/edit", permissions=["codes:manage"])
    charlie = cast.sign_in("charlie")
    assert f"{bob_id}/removal" not in charlie.get(people).text
    assert charlie.post(f"{people}/{bob_id}/removal", data={"csrf_token": charlie.token("/me")}).status_code == 403
    alice.send(f"{people}/{bob_id}/edit", permissions=["status:view"])
    assert charlie.post(f"{people}/{bob_id}/removal", data={"csrf_token": charlie.token("/me")}).status_code == 303


def undo_of(page: str) -> str:
    return first(r'action="([^"]+/restoration[^"]*)"', page).replace("&amp;", "&")


def test_removing_a_person_and_deleting_a_code_can_be_undone(
    app: Flask, cast: Cast, alice: Client, people: str, bob_id: str
) -> None:
    token = {"csrf_token": alice.token("/me")}
    alice.post(f"{people}/{bob_id}/removal", data=token)
    alice.post(undo_of(alice.get(people).text), data=token)
    with app.app_context():
        code = session.scalars(sa.select(AccessCode)).one().id
        assert set(session.scalars(sa.select(RoomMember)).one().permissions) == {"room:view", "status:view"}
    codes = f"/manage/rooms/{cast.board}/codes"
    alice.post(f"{codes}/{code}/deletion", data=token)
    page = alice.get(codes).text
    assert "It was the last for attendees" in page
    undo = undo_of(page)
    assert CODE not in undo
    other = undo.replace(cast.board, cast.open_house)
    alice.post(other, data=token)
    alice.post(undo, data=token)
    with app.app_context():
        kept = session.scalars(sa.select(AccessCode)).one()
        assert (kept.id, kept.code, kept.role, kept.room_uuid) == (code, CODE, Role.ATTENDEE, cast.room().uuid)


def test_an_ended_link_does_not_tell_the_rooms_new_name(app: Flask, cast: Cast, alice: Client) -> None:
    guest = cast.follow(Role.GUEST)
    alice.send(f"/manage/rooms/{cast.board}/links/{cast.link_ids[Role.GUEST]}/revocation", people="stay")
    with app.app_context(), transaction():
        cast.room().slug = "secret-merger"
    for browser in (guest, cast.browser()):
        answer = browser.get(cast.links[Role.GUEST], follow_redirects=True)
        assert "no longer works" in answer.text
        assert "secret-merger" not in answer.text + answer.request.path
        assert "secret-merger" not in browser.get(f"/rooms/{cast.board}/x", follow_redirects=True).text


@pytest.mark.parametrize("settled", ["full", "waiting"])
def test_the_right_code_costs_no_try_though_the_room_says_no(
    app: Flask, cast: Cast, alice: Client, settled: str
) -> None:
    with app.app_context(), transaction():
        if settled == "full":
            cast.room().room_features = {"max_participants": 1}
        else:
            cast.room().room_settings = {"wait_for_host": True}
    if settled == "full":
        cast.join(Role.GUEST)
    for _ in range(12):
        answer = cast.follow(Role.ATTENDEE).send(cast.board_path, name="Att", code=CODE)
        assert answer.status_code == 403
        assert "Too many" not in answer.text


def test_many_known_devices_guess_no_more_than_one_network_may(app: Flask, cast: Cast) -> None:
    devices = [cast.join(Role.ATTENDEE, name=f"Device {n}") for n in range(4)]
    compared = 0
    for device in devices:
        for number in range(5):
            answer = device.send(cast.board_path, name="x", code=f"guess {number}")
            compared += "does not fit" in answer.text
    assert compared == 10


def test_guests_of_one_network_do_not_lock_its_moderator_out(app: Flask, cast: Cast, alice: Client) -> None:
    codes = f"/manage/rooms/{cast.board}/codes/new"
    alice.send(codes, role="guest", code="GUEST-999")
    alice.send(codes, role="moderator", code="MODS-1234")
    for number in range(11):
        answer = cast.follow(Role.GUEST).send(cast.board_path, name="x", code=f"guess {number}")
    assert "Too many" in answer.text
    assert cast.follow(Role.MODERATOR).send(cast.board_path, name="Chair", code="MODS-1234").status_code == 303


def test_refusals_and_departures_are_written_down_without_the_code(app: Flask, cast: Cast) -> None:
    with app.app_context(), transaction():
        cast.room().room_features = {"max_participants": 1}
    cast.follow(Role.ATTENDEE).send(cast.board_path, name="Att", code="my-guess")
    chair = Stay(cast.join(Role.MODERATOR), cast.board)
    cast.follow(Role.GUEST).send(cast.board_path, name="Gus")
    chair.client.post(f"{chair.base}/departure", data={"csrf_token": chair.proof})
    with app.app_context():
        lines = session.execute(sa.select(AuditEvent.action, AuditEvent.details).order_by(AuditEvent.uuid)).all()
    refused = [(facts["reason"], facts["role"]) for action, facts in lines if action == "participant.refused"]
    assert refused == [("code wrong", "attendee"), ("full", "guest")]
    assert {"participant.left", "room.ended"} <= {action for action, _ in lines}
    assert "my-guess" not in str(lines)


def test_a_missing_name_and_a_missing_code_are_told_together_and_the_first_has_the_focus(cast: Cast) -> None:
    guest = cast.follow(Role.ATTENDEE)
    assert re.search(r'<input[^>]*autofocus[^>]*id="name"', guest.get(cast.board_path).text)
    answer = guest.send(cast.board_path, name="", code="")
    assert 'id="error-name"' in answer.text
    assert 'id="error-code"' in answer.text
    answer = guest.send(cast.board_path, name="Att", code="wrong")
    assert re.search(r'<input[^>]*autofocus[^>]*id="code"', answer.text)
    assert answer.text.count("autofocus") == 1


def test_signing_in_elsewhere_leaves_a_guests_player_alone(cast: Cast) -> None:
    guest = cast.join(Role.GUEST)
    stay = Stay(guest, cast.board)
    guest.send("/sign-in", email="bob@demo.example", password="demo-demo-demo")
    assert stay.alive() == 200
    other = Stay(cast.join(Role.GUEST), cast.board)
    stay.proof = other.proof  # made for another device
    assert stay.alive() == 400


def test_plain_members_are_not_told_what_is_wrong_with_the_plan(app: Flask, cast: Cast, alice: Client) -> None:
    with app.app_context(), transaction():
        session.execute(sa.text("UPDATE subscriptions SET status = 'inactive'"))
    entry = f"/rooms/{cast.board}/-/entry"
    assert "not available right now" in cast.sign_in("bob").get(entry).text
    assert "The subscription is not active" in alice.get(entry).text

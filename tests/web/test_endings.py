"""The end of a stay: what the page after says happened, which ways it offers, and that no place stays behind."""

import sqlalchemy as sa
from flask import Flask

from portal import channels
from portal.admission.tokens import revoke_token
from portal.db import session, transaction
from portal.people.actor import actor_of
from portal.people.models import User
from portal.permissions.members import RoomMember
from portal.rooms.models import Role
from portal.status.models import Ending, Participation
from portal.status.operations import leave_session
from tests.cast import Cast, Client
from tests.web.player import Player

NO_WAY = ("Rejoin", "Enter again", "Sign in again")


def member(cast: Cast, who: str) -> Client:
    """Somebody who is in the board room by their sign-in."""
    client = cast.sign_in(who)
    assert client.send(f"/rooms/{cast.board}/-/entry").status_code == 303
    return client


def after(cast: Cast, client: Client, room: str = "") -> str:
    """The page that somebody lands on whose player is over."""
    answer = client.get(f"/rooms/{room or cast.board}/-/conference")
    assert answer.status_code == 303
    return client.get(answer.location).text


def sign_out(client: Client) -> None:
    client.post("/sign-out", data={"csrf_token": client.token("/me")})


def open_stays(app: Flask) -> int:
    with app.app_context():
        return session.scalar(sa.select(sa.func.count()).where(Participation.left_at.is_(None))) or 0


def test_who_signs_out_leaves_and_can_sign_in_and_enter_again(cast: Cast, app: Flask) -> None:
    alice = member(cast, "alice")
    old = Player(alice, cast.board, "old-tab")
    old.alive()
    sign_out(alice)
    ended = old.alive()
    assert (ended.status_code, ended.json["reason"]) == (410, "signed out")
    assert open_stays(app) == 0
    with app.app_context():
        assert session.scalars(sa.select(Participation)).one().ending is Ending.LEFT
    page = after(cast, alice)
    assert "You signed out, so you left the room." in page
    assert f"/sign-in?next=/rooms/{cast.board}/-/entry" in page
    assert "Rejoin" not in page
    alice.send("/sign-in", email="alice@demo.example", password="demo-demo-demo")
    assert "Enter again" in after(cast, alice)
    alice.send(f"/rooms/{cast.board}/-/entry")
    assert Player(alice, cast.board, "new-tab").alive().status_code == 200


def test_entering_again_takes_the_place_over_from_a_page_that_is_still_open(cast: Cast) -> None:
    guest = cast.join(Role.GUEST)
    old = Player(guest, cast.board, "old-tab")
    old.alive()
    guest.send(cast.board_path, name="Gus")
    new = Player(guest, cast.board, "new-tab")
    assert new.alive().status_code == 200
    assert old.alive().status_code == 409
    [letter] = channels.channels().messages(f"participation:{old.id}", "")
    assert (letter.body["reason"], letter.body["tab"]) == ("elsewhere", "old-tab")


def test_a_place_that_was_taken_over_outlives_the_sign_in_that_it_was_taken_from(cast: Cast, app: Flask) -> None:
    """The old page's stream still comes with the old ticket: it is over there, and only there."""
    alice = member(cast, "alice")
    cookie = alice.get_cookie("admission", path=f"/rooms/{cast.board}")
    assert cookie is not None
    sign_out(alice)
    alice.send("/sign-in", email="alice@demo.example", password="demo-demo-demo")
    alice.send(f"/rooms/{cast.board}/-/entry")
    late = cast.browser()
    late.set_cookie("admission", cookie.value, path=f"/rooms/{cast.board}")
    assert late.get(f"/rooms/{cast.board}/-/conference").status_code == 303
    assert open_stays(app) == 1


def test_who_was_removed_is_not_offered_to_rejoin(cast: Cast, app: Flask) -> None:
    cast.join(Role.MODERATOR, name="Mo")
    guest = cast.join(Role.GUEST)
    with app.app_context(), transaction():
        leave_session(
            session.scalars(sa.select(Participation).where(Participation.name == "Gus")).one(), ending=Ending.REMOVED
        )
    page = after(cast, guest)
    assert "A moderator removed you from the room." in page
    assert "You can come again when the next conversation starts." in page
    assert not any(words in page for words in NO_WAY)


def test_whose_link_was_ended_is_told_whom_to_ask(cast: Cast, app: Flask) -> None:
    guest = cast.join(Role.GUEST)
    with app.app_context(), transaction():
        revoke_token(cast.token(Role.GUEST), by=actor_of(cast.user("alice")), remove_people=True)
    page = after(cast, guest)
    assert "The link you came by was ended or paused." in page
    assert "Ask whoever sent it for a new one." in page
    assert not any(words in page for words in NO_WAY)


def test_who_lost_the_membership_is_out_at_once_and_offered_nothing(cast: Cast, app: Flask) -> None:
    bob = member(cast, "bob")
    with app.app_context(), transaction():
        session.execute(sa.delete(RoomMember))
    page = after(cast, bob)
    assert "You are no longer a member of this room." in page
    assert not any(words in page for words in NO_WAY)
    assert "Go to your rooms" in page
    assert open_stays(app) == 0


def test_where_the_member_was_deleted_the_page_still_says_something_true(cast: Cast, app: Flask) -> None:
    bob = member(cast, "bob")
    with app.app_context(), transaction():
        session.execute(sa.delete(RoomMember))
        session.execute(sa.update(Participation).values(user_uuid=None))
        session.execute(sa.update(User).where(User.name.startswith("Bob")).values(email="gone@demo.example"))
    page = after(cast, bob)
    assert "You are no longer in the room." in page
    assert not any(words in page for words in NO_WAY)


def test_members_come_back_by_their_own_entrance(cast: Cast) -> None:
    alice = member(cast, "alice")
    player = Player(alice, cast.board, "tab")
    assert f'data-entrance="/rooms/{cast.board}/-/entry"' in alice.get(player.base).text
    left = alice.post(f"{player.base}/departure", data={"csrf_token": player.csrf})
    page = alice.get(left.location).text
    assert "You left the room." in page
    assert f'href="/rooms/{cast.board}/-/entry"' in page


def test_the_page_after_leaving_carries_the_brand_and_names_the_room(cast: Cast) -> None:
    guest = cast.join(Role.GUEST)
    player = Player(guest, cast.board, "tab")
    left = guest.post(f"{player.base}/departure", data={"csrf_token": player.csrf})
    page = guest.get(left.location).text
    assert "Acme" in page
    assert "Board meeting" in page


def test_the_page_after_leaving_believes_the_record_and_not_its_address(cast: Cast) -> None:
    guest = cast.join(Role.GUEST)
    page = guest.get(f"/rooms/{cast.board}/-/left?reason=removed").text
    assert "You are in the room in another tab." in page
    assert f"/rooms/{cast.board}/-/conference#takeover" in page


def test_a_member_who_signed_out_may_join_a_public_room_as_a_guest(cast: Cast) -> None:
    alice = cast.sign_in("alice")
    alice.send(f"/rooms/{cast.open_house}/-/entry")
    sign_out(alice)
    assert "signed out" in after(cast, alice, cast.open_house)
    assert alice.send(cast.open_path, name="Alice").status_code == 303
    page = alice.get(f"/rooms/{cast.open_house}/-/conference")
    assert page.status_code == 200
    assert 'data-role="guest"' in page.text


def test_a_link_for_one_use_lets_its_device_come_back_into_the_running_session(cast: Cast, app: Flask) -> None:
    with app.app_context(), transaction():
        cast.token(Role.GUEST).max_uses = 1
    cast.join(Role.MODERATOR, name="Mo")
    guest = cast.join(Role.GUEST)
    player = Player(guest, cast.board, "tab")
    left = guest.post(f"{player.base}/departure", data={"csrf_token": player.csrf})
    assert "Rejoin" in guest.get(left.location).text
    assert guest.send(cast.board_path, name="Gus").status_code == 303
    assert "used up" in cast.follow(Role.GUEST).get(cast.board_path).text
    with app.app_context():
        assert cast.token(Role.GUEST).use_count == 1


def test_what_others_write_before_the_stream_is_open_is_not_lost(cast: Cast) -> None:
    moderator = Player(cast.join(Role.MODERATOR, name="Mo"), cast.board, "mo-tab")
    guest = Player(cast.join(Role.GUEST), cast.board, "gus-tab")
    guest.alive()
    guest.say("signals", to=moderator.id, to_tab="mo-before", kind="offer", data={"sdp": "v=1"})
    mark = moderator.alive(first=True).json["mark"]
    guest.say("signals", to=moderator.id, to_tab="mo-tab", kind="offer", data={"sdp": "v=0"})
    heard = moderator.hear(2, after=mark)
    assert [(name, detail.get("data")) for name, detail in heard] == [("signal", {"sdp": "v=0"}), ("roster", None)]
    assert "mark" not in moderator.alive().json


def test_the_name_is_filled_in_for_a_visitor_who_is_signed_in(cast: Cast) -> None:
    charlie = cast.sign_in("charlie")
    with cast.app.app_context():
        name = cast.user("charlie").name
    assert f'value="{name}"' in cast.follow(Role.GUEST, charlie).get(cast.board_path).text
    charlie.send(cast.board_path, name="Incognito")
    assert 'value="Incognito"' in charlie.get(cast.board_path).text

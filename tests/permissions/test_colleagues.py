"""Naming somebody tells nothing of people elsewhere, and nobody grants for longer than he has."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.accounts.permission import AccountPermission as In
from portal.clock import now
from portal.db import db, session, transaction
from portal.errors import Invalid
from portal.people.actor import Actor, actor_of
from portal.people.models import User
from portal.people.operations import create_user
from portal.permissions.members import RoomMember
from portal.permissions.memberships import add_membership, change_membership
from portal.permissions.operations import add_member, change_member, remove_member
from portal.permissions.permission import Permission
from tests.api.conftest import NewProgram, program
from tests.cast import Cast
from tests.conftest import BOTH

__all__ = ["program"]

ELSEWHERE, NOBODY = "zoe@elsewhere.example", "nobody@elsewhere.example"


@pytest.fixture
def zoe(app: Flask) -> str:
    """The id of somebody who has an account here and belongs to no customer."""
    with app.app_context(), transaction():
        return create_user(email=ELSEWHERE, name="Zoe Elsewhere").id


@BOTH
def test_an_address_elsewhere_is_answered_like_an_unknown_one(cast: Cast, program: NewProgram, zoe: str) -> None:
    alice, api = cast.sign_in("alice"), program("alice")
    path, users = f"/manage/rooms/{cast.board}/people/new", f"/rooms/{cast.board}/users"
    pages, bodies, counts = set(), set(), []
    for email in (ELSEWHERE, NOBODY, "no address"):
        statements: list[str] = []
        with cast.app.app_context():
            engine = db.engine

        def note(*call: object, into: list[str] = statements) -> None:
            into.append(str(call[2]).split(" ", maxsplit=1)[0])

        sa.event.listen(engine, "before_cursor_execute", note)
        answer = api.post(users, {"email": email, "permissions": ["status:view"]})
        sa.event.remove(engine, "before_cursor_execute", note)
        assert answer.status_code == 422
        bodies.add(str(answer.json["errors"]))
        counts.append(statements)
        page = alice.send(path, email=email, permissions=["status:view"])
        assert page.status_code == 422
        pages.add(page.text[page.text.index('id="error-email"') :].split("</p>")[0])
    assert len(bodies) == len(pages) == 1
    assert "Nobody with this address belongs to Acme." in bodies.pop()
    assert counts[0] == counts[1]
    ids = {str(api.post(users, {"user_id": one}).json["errors"]) for one in (zoe, "1111111111", "x")}
    assert len(ids) == 1
    assert "Nobody with this id belongs to Acme." in ids.pop()
    with cast.app.app_context():
        members = sa.select(sa.func.count()).select_from(RoomMember).join(RoomMember.user)
        assert session.scalar(members.where(User.email == ELSEWHERE)) == 0


@BOTH
@pytest.mark.usefixtures("in_app")
def test_people_of_the_customer_are_added_however_they_belong_to_it(cast: Cast) -> None:
    account, alice = cast.room().account, actor_of(cast.user("alice"))
    people = {name: create_user(email=f"{name}@elsewhere.example", name=name) for name in ("of", "in", "at", "was")}
    add_membership(place=account.customer, email=people["of"].email, permissions=[], by=None)
    add_membership(place=account, email=people["in"].email, permissions=[], by=None)
    session.add(RoomMember(room=cast.room(cast.open_house), user=people["at"], permissions=["room:view"]))
    add_membership(place=account, email=people["was"].email, permissions=[], by=None, until=now())
    for name in ("of", "in", "at"):
        member = add_member(room=cast.room(), email=people[name].email.upper(), permissions=[], by=alice)
        assert member.user is people[name]
        if name != "at":
            continue
        remove_member(member, room=cast.room(), by=alice)
        assert add_member(room=cast.room(), user_id=people[name].id, permissions=[], by=alice).user is people[name]
    with pytest.raises(Invalid):
        add_member(room=cast.room(), email=people["was"].email, permissions=[], by=alice)


def test_a_list_is_searched_by_every_spelling_of_an_address(cast: Cast, app: Flask, program: NewProgram) -> None:
    with app.app_context(), transaction():
        create_user(email="weiß@köln.example", name="Weiß")
        add_member(room=cast.room(), email="weiß@köln.example", permissions=[], by=None)
    alice, users = program("alice"), f"/rooms/{cast.board}/users?search=email:"
    for email in ("weiß@köln.example", "weiß@xn--kln-sna.example"):
        assert [one["name"] for one in alice.get(f"{users}{email}").json["data"]] == ["Weiß"]
    assert alice.get(f"{users}weiss@köln.example").json["data"] == []


@pytest.mark.usefixtures("in_app")
@pytest.mark.parametrize("email", [ELSEWHERE, NOBODY])
def test_accounts_and_customers_tell_as_little(cast: Cast, zoe: str, email: str) -> None:
    alice, account = actor_of(cast.user("alice")), cast.room().account
    for place in (account, account.customer):
        with pytest.raises(Invalid) as refused:
            add_membership(place=place, email=email, permissions=[], by=alice)
        assert str(refused.value.fields["email"]).startswith("Nobody with this address belongs to Acme.")


@pytest.mark.usefixtures("in_app")
def test_who_holds_a_right_for_a_time_grants_it_for_no_longer(cast: Cast) -> None:
    room, end = cast.room(), now() + timedelta(days=2)
    bob, member = _bob(cast, [Permission.MEMBERS_MANAGE, Permission.STATUS_VIEW], end)
    for until in (None, end + timedelta(seconds=1)):
        with pytest.raises(Invalid) as refused:
            add_member(room=room, email="charlie@demo.example", permissions=[], by=bob, until=until)
        assert list(refused.value.fields) == ["until"]
    added = add_member(room=room, email="charlie@demo.example", permissions=[], by=bob, until=end)
    with pytest.raises(Invalid):
        change_member(added, room=room, permissions=[Permission.STATUS_VIEW], by=bob)
    change_member(added, room=room, permissions=[Permission.STATUS_VIEW], by=bob, until=end - timedelta(days=1))
    alice = actor_of(cast.user("alice"))
    change_member(added, room=room, permissions=[Permission.STATUS_VIEW], by=alice)
    change_member(added, room=room, permissions=[], by=bob)  # taking away grants nothing
    member.until = None
    change_member(added, room=room, permissions=[Permission.STATUS_VIEW], by=bob)


@pytest.mark.usefixtures("in_app")
def test_so_does_who_holds_rights_in_an_account(cast: Cast) -> None:
    account, end = cast.room().account, now() + timedelta(days=2)
    bob = actor_of(cast.user("bob"))
    own = add_membership(place=account, email=bob.user.email, permissions=[In.USAGE_VIEW], by=None, until=end)
    bob.memberships[account.uuid] = own
    with pytest.raises(Invalid):
        add_membership(place=account, email="charlie@demo.example", permissions=[In.USAGE_VIEW], by=bob)
    added = add_membership(place=account, email="charlie@demo.example", permissions=[In.USAGE_VIEW], by=bob, until=end)
    with pytest.raises(Invalid):
        change_membership(added, permissions=[In.USAGE_VIEW], by=bob)


def _bob(cast: Cast, permissions: list[Permission], until: object) -> tuple[Actor, RoomMember]:
    member = session.scalars(sa.select(RoomMember)).one()
    member.permissions, member.until = [*permissions, Permission.ROOM_VIEW], until  # type: ignore[assignment]
    session.flush()
    bob = actor_of(cast.user("bob"))
    bob.memberships[member.room_uuid] = member
    return bob, member

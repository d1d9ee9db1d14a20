"""The list of rooms by status, account and order: it shows what fits, and nothing that its reader may not know."""

import re
from html import unescape
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.accounts.models import Account
from portal.accounts.operations import create_account
from portal.clock import now
from portal.customers.models import Customer
from portal.db import db, session, transaction
from portal.keyset import keyset
from portal.people.actor import actor_of
from portal.people.models import PlatformRole
from portal.permissions import account_filter
from portal.permissions.members import RoomMember
from portal.permissions.permission import Permission
from portal.rooms.models import Room, RoomStatusWord
from portal.web.manage import room_list
from portal.web.manage.room_filter import RoomFilter, RoomOrder, StatusFilter
from portal.web.manage.room_list import RoomPage, cursor_after, page_of_rooms
from tests.cast import Cast, csrf_of, new_room
from tests.conftest import BOTH
from tests.web.test_room_list import more_rooms, names, status_of

ROOMS = "/manage/rooms"


def page(cast: Cast, name: str, after: str = "", **asked: str) -> RoomPage:
    """What this one of the cast gets for these words of the address."""
    return page_of_rooms(
        actor_of(cast.user(name)), after=after, asked=RoomFilter.read(lambda word: asked.get(word, ""))
    )


def shown(cast: Cast, name: str, **asked: str) -> list[str]:
    found = page(cast, name, **asked)
    return names([*found.live, *found.others])


def named(name: str) -> Room:
    return session.scalars(sa.select(Room).where(Room.room_name == name)).one()


def account_of(cast: Cast, name: str) -> Account:
    owned = sa.select(Account).where(Account.owner_uuid == cast.user(name).uuid).order_by(Account.uuid)
    return session.scalars(owned).unique().first()  # type: ignore[return-value]


def events(cast: Cast, room: str = "Gala") -> Account:
    """A second account of Alice's, with one room."""
    account = create_account(subscription=account_of(cast, "alice").subscription, account_name="Events")
    new_room(account=account, room_name=room, by=actor_of(cast.user("alice")))
    session.flush()
    return account


def deactivate(*rooms: str) -> None:
    session.execute(sa.update(Room).where(Room.room_name.in_(rooms)).values(status=RoomStatusWord.INACTIVE))


@BOTH
@pytest.mark.parametrize("order", RoomOrder)
def test_rooms_by_their_status(app: Flask, cast: Cast, order: RoomOrder) -> None:
    with app.app_context(), transaction():
        more_rooms(cast, ["Aula", "Zoo"])
        deactivate("Aula", "Open house")
        session.add_all([status_of(named("Zoo")), status_of(named("Open house"))])
        session.flush()
        found = {status: sorted(shown(cast, "alice", status=status, sort=order)) for status in StatusFilter}
        staff = {status: sorted(shown(cast, "admin", status=status, sort=order)) for status in StatusFilter}
    assert (
        found
        == staff
        == {
            "all": ["Aula", "Board meeting", "Open house", "Zoo"],
            "live": ["Open house", "Zoo"],
            "active": ["Board meeting", "Zoo"],
            "inactive": ["Aula", "Open house"],
        }
    )


@BOTH
def test_who_may_not_see_the_status_learns_nothing_by_asking_for_live_rooms(app: Flask, cast: Cast) -> None:
    with app.app_context(), transaction():
        more_rooms(cast, ["Aula"])
        session.add(RoomMember(room=named("Aula"), user=cast.user("bob"), permissions=[Permission.ROOM_VIEW.value]))
        session.add_all([status_of(named("Aula")), status_of(cast.room())])
        session.flush()
        assert shown(cast, "bob", status="live") == ["Board meeting"]
        assert "Aula" in shown(cast, "bob")
        assert shown(cast, "charlie", status="live") == []


@BOTH
def test_all_live_rooms_are_found_however_many(app: Flask, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room_list, "MOST_LIVE", 3)
    monkeypatch.setattr(room_list, "PAGE", 2)
    room_list._page.cache_clear()
    classes = [f"Class {number}" for number in range(8)]
    with app.app_context(), transaction():
        more_rooms(cast, classes, live=True)
        found = page(cast, "alice", status="live")
        seen = names([*found.live, *found.others])
        while found.next:
            found = page(cast, "alice", found.next, status="live")
            seen += names(found.others)
    room_list._page.cache_clear()
    assert sorted(seen) == classes


@BOTH
@pytest.mark.parametrize("who", ["alice", "admin"])
def test_rooms_of_one_account(app: Flask, cast: Cast, who: str) -> None:
    with app.app_context(), transaction():
        account = events(cast)
        session.add(status_of(cast.room()))
        assert shown(cast, who, account=account.id) == ["Gala"]
        assert shown(cast, who, account=account_of(cast, "alice").id) == ["Board meeting", "Open house"]
        assert shown(cast, who, account=account.id, search="board") == []
        assert shown(cast, who, account=account.id, status="inactive") == []


@BOTH
def test_accounts_are_offered_to_who_sees_them_whole(app: Flask, cast: Cast) -> None:
    with app.app_context(), transaction():
        account = events(cast)
        account.owner = cast.user("bob")  # and is Alice's still, by her customer
        session.flush()
        offered = {who: [one.name for one in page(cast, who).accounts] for who in ("alice", "bob", "charlie", "admin")}
    acme = ["Acme · Events", "Acme · Main"]
    assert offered == {"alice": acme, "bob": acme[:1], "charlie": ["Globex · Main"], "admin": [*acme, "Globex · Main"]}


@BOTH
def test_an_account_that_somebody_may_not_see_whole_changes_nothing(app: Flask, cast: Cast) -> None:
    with app.app_context(), transaction():
        acme = account_of(cast, "alice").id
        for who in ("bob", "charlie"):
            found = page(cast, who, account=acme)
            assert found.asked.account == ""
            assert found == page(cast, who)
        assert shown(cast, "bob", account=acme) == ["Board meeting"]


@BOTH
def test_who_may_make_rooms_anywhere_is_offered_no_account_for_that(app: Flask, cast: Cast) -> None:
    with app.app_context(), transaction():
        role = PlatformRole(name="Makers", builtin=False, permissions=["staff:rooms:create"])
        cast.user("bob").platform_roles = [role]
        session.flush()
        found = page(cast, "bob", account=account_of(cast, "alice").id)
    assert (found.may_create, found.accounts, found.asked.account) == (True, (), "")


@BOTH
@pytest.mark.parametrize("who", ["alice", "admin"])
def test_of_too_many_accounts_only_the_one_in_the_address_is_offered(
    app: Flask, cast: Cast, monkeypatch: pytest.MonkeyPatch, who: str
) -> None:
    monkeypatch.setattr(account_filter, "MOST", 1)
    account_filter._statement.cache_clear()
    with app.app_context(), transaction():
        account = events(cast)
        assert page(cast, who).accounts == ()
        found = page(cast, who, account=account.id)
    account_filter._statement.cache_clear()
    assert ([one.name for one in found.accounts], names(found.others)) == (["Acme · Events"], ["Gala"])


@BOTH
@pytest.mark.parametrize("who", ["alice", "admin"])
def test_newest_first_page_by_page(app: Flask, cast: Cast, monkeypatch: pytest.MonkeyPatch, who: str) -> None:
    monkeypatch.setattr(room_list, "PAGE", 2)
    room_list._page.cache_clear()
    made = ["Zoo", "Aula", "Lab", "Gym"]
    with app.app_context(), transaction():
        more_rooms(cast, made)
        session.execute(sa.update(Room).values(created_at=now()))  # all at once: who comes later still is newer
        found = page(cast, who, sort="newest")
        seen = names(found.others)
        while found.next:
            found = page(cast, who, found.next, sort="newest")
            seen += names(found.others)
    room_list._page.cache_clear()
    assert seen[:4] == made[::-1]
    assert sorted(seen) == sorted([*made, "Board meeting", "Open house"])


@BOTH
def test_a_cursor_of_another_order_starts_at_the_beginning(app: Flask, cast: Cast) -> None:
    with app.app_context(), transaction():
        by_name = cursor_after(("board meeting", cast.room().uuid))
        by_age = cursor_after((now(), cast.room().uuid), RoomOrder.NEWEST)
        assert page(cast, "alice", by_name).first is False
        assert page(cast, "alice", by_age, sort="newest").first is False
        for after, order in ((by_age, "name"), (by_name, "newest"), ("nonsense", "newest")):
            found = page(cast, "alice", after, sort=order)
            assert (found.first, sorted(names(found.others))) == (True, ["Board meeting", "Open house"])


@pytest.mark.parametrize(
    "words", ["status=idle", "status=ACTIVE", "sort=age", "sort=", "account=nobody", "account=1111111111", "status=%00"]
)
def test_words_that_say_nothing_are_as_if_they_were_not_there(cast: Cast, words: str) -> None:
    alice = cast.sign_in("alice")
    asked, plain = (alice.get(address).text for address in (f"{ROOMS}?{words}", ROOMS))
    assert asked.replace(csrf_of(asked), "") == plain.replace(csrf_of(plain), "")


def test_what_is_asked_for_goes_along_from_page_to_page(
    app: Flask, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room_list, "PAGE", 1)
    room_list._page.cache_clear()
    with app.app_context(), transaction():
        account = events(cast, "Gala one")
        new_room(account=account, room_name="Gala two", by=actor_of(cast.user("alice")))
        asked = {"search": "gala", "status": "active", "account": account.id, "sort": "newest"}
    alice = cast.sign_in("alice")
    first = alice.get(ROOMS, query_string=asked).text
    second = alice.get(leads(first, "Next")).text
    room_list._page.cache_clear()
    assert "Gala two" in first
    assert "Gala two" not in second
    assert "Gala one" in second
    assert words_of(leads(second, "First page")) == asked
    assert words_of(leads(first, "Next")).keys() == asked.keys() | {"after"}


def test_what_fits_nothing_says_so_and_can_be_cleared(cast: Cast) -> None:
    alice = cast.sign_in("alice")
    none = alice.get(f"{ROOMS}?status=inactive&sort=newest").text
    assert "No room fits the filter" in none
    assert words_of(leads(none, "Clear filter")) == {"sort": "newest"}
    assert "No room is live now" in alice.get(f"{ROOMS}?status=live").text
    both = alice.get(f"{ROOMS}?status=inactive&search=board").text
    assert "No room matches “board”" in both
    assert "Inactive rooms are included" not in both
    assert words_of(leads(both, "Clear filter")) == {"search": "board"}
    assert words_of(leads(both, "Clear search")) == {"status": "inactive"}
    assert "Board meeting" in alice.get(leads(both, "Clear filter")).text


RELATIONS = [None, Room.owner_uuid, Room.account_uuid, Room.customer_uuid]


@BOTH
@pytest.mark.parametrize("relation", RELATIONS, ids=["all", "owner", "account", "customer"])
def test_inactive_rooms_and_the_newest_are_read_by_an_index(
    app: Flask, cast: Cast, relation: sa.orm.InstrumentedAttribute[UUID] | None
) -> None:
    of = f"{relation.key}_" if relation is not None else ""
    indexes = {
        RoomFilter(status=StatusFilter.INACTIVE): f"ix_rooms_inactive_{of}sort_name_uuid",
        RoomFilter(status=StatusFilter.INACTIVE, order=RoomOrder.NEWEST): f"ix_rooms_inactive_{of}created_at_uuid",
        RoomFilter(order=RoomOrder.NEWEST): f"ix_rooms_{of}created_at_uuid",
    }
    with app.app_context(), transaction():
        for asked, index in indexes.items():
            seen = sa.select(Room.uuid).where(Room.trashed_at.is_(None))
            if relation is not None:
                seen = seen.where(relation == getattr(cast.room(), relation.key))
            plan = plan_of(keyset(room_list._fitting(seen, asked), room_list.ORDERS[asked.order]).limit(26))
            assert re.search(rf"\b{index}\b", plan)
            assert not re.search("Sort|TEMP B-TREE", plan)


def plan_of(query: sa.Select[UUID]) -> str:
    """How the database finds this, if it must neither read everything nor sort."""
    bound = query.compile(db.engine, compile_kwargs={"literal_binds": True})
    if db.engine.dialect.name == "sqlite":
        return "\n".join(row[3] for row in session.execute(sa.text(f"EXPLAIN QUERY PLAN {bound}")))
    for way in ("seqscan", "sort", "bitmapscan"):
        session.execute(sa.text(f"SET LOCAL enable_{way} = off"))
    return "\n".join(session.scalars(sa.text(f"EXPLAIN {bound}")))


def test_the_form_shows_what_was_asked_for(app: Flask, cast: Cast) -> None:
    alice = cast.sign_in("alice")
    plain = alice.get(ROOMS).text
    assert 'name="account"' not in plain  # there is but one
    assert not re.search(r'<details class="narrow"[^>]*open', plain)
    with app.app_context(), transaction():
        account = events(cast).id
    asked = alice.get(f"{ROOMS}?status=active&account={account}&sort=newest").text
    assert re.search(r'<details class="narrow"[^>]*open', asked)
    assert re.findall(r"<option[^>]* selected>([^<]*)<", asked) == ["Active", "Acme · Events", "Newest first"]
    with app.app_context(), transaction():
        session.execute(sa.update(Customer).where(Customer.company_name == "Acme").values(company_name="Initech"))
    again = alice.get(f"{ROOMS}?status=active&account={account}&sort=newest").text
    assert "Initech · Events" in re.findall(r"<option[^>]* selected>([^<]*)<", again)


def leads(page: str, words: str) -> str:
    """Where the link with these words leads."""
    found = re.search(rf'<a [^>]*href="([^"]*)"[^>]*>{words}</a>', page)
    assert found, page
    return unescape(found[1])


def words_of(address: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}

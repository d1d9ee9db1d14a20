"""A link to set the first password: once, for a week, for whoever has none; and what a first page says."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask, request

from portal import revisions
from portal.accounts.operations import sell_package
from portal.app import create_app
from portal.clock import now
from portal.customers.operations import create_customer_with_owner
from portal.db import db, session, transaction
from portal.edge import device_cookie
from portal.errors import Conflict, NotFound
from portal.people import passwords
from portal.people.models import PasswordLink, PlatformRole, User
from portal.people.operations import create_user, find_by_email, make_admin, set_password
from portal.people.password_links import issue_password_link, sweep_password_links, use_password_link
from portal.people.staff import StaffPermission
from portal.rooms.models import Room
from portal.subscriptions.presets import PRESETS, package_of
from tests.cast import Cast, Client
from tests.conftest import BOTH, settings_for

PAGE = "/sign-in/set-password"
EMAIL, PASSWORD = "eva@köln.example", "evas-own-password"


@pytest.fixture
def link(app: Flask) -> str:
    with app.app_context(), transaction():
        customer = create_customer_with_owner(company_name="Kölsch", owner_email=EMAIL, owner_name="Eva")
        sell_package(customer=customer, package=package_of(PRESETS["small"]))
        return issue_password_link(customer.owner).path


def set_by(client: Client, link: str, password: str = PASSWORD, **fields: str) -> int:
    token = link.partition("token=")[2]
    sent = {"token": token, "password": password, "again": password, **fields}
    return client.send(PAGE, link, **sent).status_code


@BOTH
def test_an_owner_sets_a_password_and_makes_a_room(cast: Cast, link: str) -> None:
    eva = cast.browser()
    opened = eva.get(link)
    assert (opened.status_code, opened.location) == (303, PAGE)
    page = eva.get(PAGE)
    assert page.status_code == 200
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert EMAIL in page.text
    assert set_by(eva, link, timezone="Europe/Berlin") == 303
    first = eva.get("/manage/rooms")
    assert "Make your first room" in first.text
    assert eva.send("/manage/rooms/new", room_name="Stammtisch").status_code == 303
    assert cast.browser().send("/sign-in", email="eva@xn--kln-sna.example", password=PASSWORD).status_code == 303
    with cast.app.app_context():
        room = session.scalars(sa.select(Room).where(Room.room_name == "Stammtisch")).one()
        assert (room.owner.email, room.owner.timezone) == (EMAIL, "Europe/Berlin")


def test_a_link_works_once_and_looking_at_it_changes_nothing(cast: Cast, link: str) -> None:
    for _ in range(3):
        assert cast.browser().get(link, follow_redirects=True).status_code == 200
    assert set_by(cast.browser(), link) == 303
    late = cast.browser()
    assert late.get(link).status_code == 404
    assert "This link no longer works" in late.get(link).text
    assert set_by(late, link, password="another-password") == 404
    assert cast.browser().send("/sign-in", email=EMAIL, password=PASSWORD).status_code == 303


def test_setting_a_password_makes_the_browser_a_known_device_beside_others(cast: Cast, link: str) -> None:
    shared = cast.sign_in("alice")
    assert set_by(shared, link) == 303
    assert shared.get(PAGE).status_code == 404
    cookie = shared.get_cookie("device", path="/sign-in")
    assert cookie is not None
    with cast.app.test_request_context(headers={"Cookie": f"device={cookie.value}"}):
        device = device_cookie.read(request)
        assert device is not None
        assert device.users == (_eva().uuid, cast.user("alice").uuid)


def test_a_page_without_an_opened_link_shows_nobody(cast: Cast) -> None:
    browser = cast.browser()
    assert browser.get(PAGE).status_code == 404
    browser.set_cookie("password_link", "pw_" + "a" * 38, path=PAGE)
    assert browser.get(PAGE).status_code == 404


def test_a_password_that_is_too_short_or_mistyped_spends_nothing(cast: Cast, link: str) -> None:
    eva = cast.browser()
    assert set_by(eva, link, password="short") == 422
    assert set_by(eva, link, again="something-else") == 422
    assert set_by(eva, link) == 303


@pytest.mark.parametrize("token", ["", "pw_", "pw_" + "a" * 38, "rt_x", "é"])
def test_other_tokens_are_answered_like_used_ones(cast: Cast, token: str) -> None:
    answer = cast.browser().get(f"/set-password?token={token}")
    assert answer.status_code == 404
    assert "This link no longer works" in answer.text


def test_a_link_ends_after_a_week_by_a_newer_one_and_by_a_password(cast: Cast, link: str) -> None:
    with time_machine.travel(now() + timedelta(days=7, seconds=1), tick=False):
        assert cast.browser().get(link).status_code == 404
        with cast.app.app_context(), transaction():
            sweep_password_links()
            assert session.scalars(sa.select(PasswordLink)).all() == []
    with cast.app.app_context(), transaction():
        user = _eva()
        first, second = issue_password_link(user).path, issue_password_link(user).path
    assert [cast.browser().get(path).status_code for path in (link, first, second)] == [404, 404, 303]
    with cast.app.app_context(), transaction():
        set_password(_eva(), passwords.checked_hash("set-by-the-operator"))
    assert cast.browser().get(second).status_code == 404
    with cast.app.app_context(), transaction(), pytest.raises(Conflict, match="has a password already"):
        issue_password_link(_eva())


@BOTH
@pytest.mark.usefixtures("in_app")
def test_of_two_who_use_one_link_the_second_is_refused(link: str) -> None:
    token = link.partition("token=")[2]
    with transaction():
        use_password_link(token=token, password=PASSWORD, network="192.0.2.1")
    with pytest.raises(NotFound), transaction():
        use_password_link(token=token, password="another-password", network="192.0.2.2")


def test_guesses_are_throttled(cast: Cast, link: str) -> None:
    client = cast.browser()
    assert {set_by(client, link, token="pw_" + "a" * 38) for _ in range(30)} == {404}
    assert set_by(client, link) == 429
    elsewhere = cast.browser()
    elsewhere.environ_base["REMOTE_ADDR"] = "192.0.2.7"
    assert set_by(elsewhere, link) == 303


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Flask]:
    """A portal that was migrated, and nothing else."""
    app = create_app(settings_for(f"sqlite:///{tmp_path / 'bare.db'}", tmp_path))
    app.test_client_class = Client
    with app.app_context():
        revisions.upgrade()
    yield app
    with app.app_context():
        session.remove()
        db.engine.dispose()


def test_the_first_page_says_what_to_do_next(bare: Flask) -> None:
    visited = bare.test_client().get("/sign-in").text
    assert "Nobody has an account here yet. Ask whoever runs this portal." in visited
    assert "portal user create" not in visited
    with bare.app_context(), transaction():
        hashed = passwords.checked_hash(PASSWORD)
        make_admin(create_user(email="root@x.example", name="Root", password_hash=hashed))
        create_user(email="zoe@x.example", name="Zoe", password_hash=hashed)
    pages = {}
    for name in ("root", "zoe"):
        client = bare.test_client()
        assert isinstance(client, Client)
        assert "Nobody has an account here yet" not in client.get("/sign-in").text
        assert client.send("/sign-in", email=f"{name}@x.example", password=PASSWORD).status_code == 303
        pages[name] = client.get("/manage/rooms").text
    assert "Begin on Home" in pages["root"]
    assert "ask whoever runs this portal" in pages["zoe"]
    assert "Begin on Home" not in pages["zoe"]


def test_staff_without_rooms_read_whether_somebody_can_make_one(bare: Flask) -> None:
    with bare.app_context(), transaction():
        role = PlatformRole(name="sales", permissions=[StaffPermission.CUSTOMERS_CREATE])
        sales = create_user(email="sam@x.example", name="Sam", password_hash=passwords.checked_hash(PASSWORD))
        sales.platform_roles.append(role)
        customer = create_customer_with_owner(company_name="Kölsch", owner_email=EMAIL, owner_name="Eva")
    client = bare.test_client()
    assert isinstance(client, Client)
    client.send("/sign-in", email="sam@x.example", password=PASSWORD)
    assert "Nobody can make a room yet" in client.get("/manage/rooms").text
    with bare.app_context(), transaction():
        sell_package(customer=session.merge(customer), package=package_of(PRESETS["small"]))
    page = client.get("/manage/rooms").text
    assert "Nobody can make a room yet" not in page
    assert "their owners can make rooms" in page
    assert "ask whoever runs this portal" not in page


def _eva() -> User:
    found = find_by_email(EMAIL)
    assert found is not None
    return found

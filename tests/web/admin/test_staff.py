"""The pages of staff and roles: what people do there, and what they are told."""

import re
from html import unescape

import pytest
import sqlalchemy as sa

from portal.db import lock, session, transaction
from portal.people.models import PlatformRole, User, user_platform_roles
from portal.people.operations import create_user, make_admin
from portal.people.staff import StaffPermission
from portal.web import edit_forms
from tests.cast import Cast, Client, csrf_of
from tests.conftest import BOTH
from tests.web.admin.staffing import with_role

S = StaffPermission
SALES = ["staff:customers:read", "staff:customers:create", "staff:packages:read"]


def make_role(client: Client, name: str = "sales-team", *permissions: str) -> str:
    """The address of the page of a new role."""
    answer = client.send("/admin/roles/new", name=name, display_name="Sales team", permissions=[*permissions])
    assert answer.status_code == 303, answer.text
    return answer.location


def hire(client: Client, role: str, email: str = "eve@x.example") -> str:
    """The text of the page after making somebody a member of the staff with this role."""
    answer = client.send("/admin/staff/new", email=email, name="Eve Sales", roles=[role.rpartition("/")[2]])
    assert answer.status_code in {201, 303}, answer.text
    return answer.text


def person(client: Client, name: str) -> str:
    """The address of the page of somebody in the list of staff."""
    found = re.search(rf'href="(/admin/staff/\w+)">{name}<', client.get("/admin/staff").text)
    assert found
    return found[1]


def checked(html: str) -> list[str]:
    boxes = re.findall(r'<input class="form-check-input"[^>]*>', html)
    return [re.search('value="([^"]+)"', box)[1] for box in boxes if " checked" in box]  # type: ignore[index]


def test_from_a_role_to_somebody_who_works_with_it(cast: Cast) -> None:
    """The link for the password is shown once, and whoever uses it sees what the role lets him see."""
    ada = cast.sign_in("admin")
    role = make_role(ada, "sales-team", *SALES)
    assert set(checked(ada.get(role).text)) == {"dashboard:access", *SALES}
    page = hire(ada, role)
    link = unescape(re.search(r'value="http://[^/]+(/set-password[^"]+)"', page)[1])  # type: ignore[index]
    eve, chosen = cast.browser(), "a good long password"
    proof = csrf_of(eve.get(link, follow_redirects=True).text)
    sent = {"csrf_token": proof, "token": link.partition("token=")[2], "password": chosen, "again": chosen}
    assert eve.post("/sign-in/set-password", data=sent).status_code == 303
    assert eve.get("/admin").status_code == 200
    assert eve.get("/admin/staff").status_code == 403
    assert "Can sign in" in ada.get(person(ada, "Eve Sales")).text


@BOTH
def test_of_two_who_change_roles_at_once_the_second_keeps_what_the_first_did(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = cast.sign_in("admin")
    sales, support = make_role(ada, "sales-team", *SALES), make_role(ada, "support", *SALES)
    with_role(cast, "bob", S.DASHBOARD_ACCESS)
    page = f"{person(ada, 'Bob Fischer')}/roles"
    first, second = (one.rpartition("/")[2] for one in (sales, support))
    version = unescape(re.search('name="version" value="([^"]*)"', ada.get(page).text)[1])  # type: ignore[index]

    def wait_for_another(thing: User, **options: bool) -> None:
        """Another administrator takes the one role and gives the first, and this one waits for him."""
        new_role = sa.select(PlatformRole.uuid).where(PlatformRole.id == first).scalar_subquery()
        own = user_platform_roles.c.user_uuid == thing.uuid
        session.execute(sa.update(user_platform_roles).where(own).values(platform_role_uuid=new_role))
        lock(thing, **options)

    monkeypatch.setattr(edit_forms, "lock", wait_for_another)
    assert ada.send(page, roles=[second], version=version).status_code == 303
    assert set(checked(ada.get(page).text)) == {first, second}


def test_a_user_who_has_a_password_gets_no_link(cast: Cast) -> None:
    ada = cast.sign_in("admin")
    assert "set-password" not in hire(ada, make_role(ada), "bob@demo.example")
    assert "Sales team" in ada.get(person(ada, "Bob Fischer")).text


def test_whoever_only_makes_people_gets_no_link_of_somebody_who_was_there(cast: Cast) -> None:
    hires = with_role(cast, "bob", S.DASHBOARD_ACCESS, S.USERS_READ, S.USERS_CREATE)
    role = make_role(cast.sign_in("admin"))
    with cast.app.app_context(), transaction():
        create_user(email="owner@x.example", name="Olga Owner")
        make_admin(create_user(email="boss@x.example", name="Boss"))
    answer = hires.send("/admin/staff/new", email="boss@x.example", name="Eve", roles=[role.rpartition("/")[2]])
    assert (answer.status_code, "set-password" in answer.text) == (403, False)
    assert "set-password" not in hire(hires, role, "owner@x.example")
    assert "set-password" in hire(hires, role)


def test_a_member_of_the_staff_has_a_role(cast: Cast) -> None:
    answer = cast.sign_in("admin").send("/admin/staff/new", email="eve@x.example", name="Eve")
    assert (answer.status_code, "Choose at least one" in answer.text) == (422, True)


def test_what_is_missing_in_the_grid_is_said_beside_it(cast: Cast) -> None:
    ada = cast.sign_in("admin")
    answer = ada.send("/admin/roles/new", name="blind", display_name="Blind", permissions=["staff:rooms:update"])
    assert answer.status_code == 422
    assert "“Rooms: change” needs “Rooms: read”, too." in unescape(answer.text)
    assert set(checked(answer.text)) == {"dashboard:access", "staff:rooms:update"}


def test_a_role_is_changed_and_deleted_when_nobody_holds_it(cast: Cast) -> None:
    ada = cast.sign_in("admin")
    role = make_role(ada, "sales-team", *SALES)
    hire(ada, role)
    answer = ada.send(role, display_name="Sellers", description="They sell.", permissions=SALES[:1])
    assert answer.status_code == 303
    assert set(checked(ada.get(role).text)) == {"dashboard:access", SALES[0]}
    assert "A role can be deleted when nobody holds it" in ada.get(role).text
    refused = ada.send(f"{role}/deletion", role)
    assert "Somebody holds this role" in ada.get(refused.location).text
    answer = ada.send(f"{person(ada, 'Eve Sales')}/roles", roles=[])
    assert answer.status_code == 303
    assert ada.send(f"{role}/deletion").location == "/admin/roles"
    assert ada.get(role).status_code == 404


def test_deactivating_ends_the_sign_in_and_activating_lets_in_again(cast: Cast) -> None:
    ada = cast.sign_in("admin")
    hire(ada, make_role(ada), "bob@demo.example")
    bob, page = cast.sign_in("bob"), person(ada, "Bob Fischer")
    ada.send(f"{page}/deactivation", page)
    assert bob.get("/admin").status_code == 303
    assert "Inactive since" in ada.get(page).text
    ada.send(f"{page}/activation", page)
    assert cast.sign_in("bob").get("/admin").status_code == 200


def test_a_deleted_person_is_gone_from_every_page(cast: Cast) -> None:
    ada = cast.sign_in("admin")
    hire(ada, make_role(ada))
    page = person(ada, "Eve Sales")
    assert "Delete Eve Sales?" in ada.get(f"{page}/deletion").text
    assert ada.send(f"{page}/deletion").location == "/admin/staff"
    ada.get("/admin/staff")  # says so
    assert "Eve" not in ada.get("/admin/staff").text
    assert "eve@" not in ada.get(page).text


def test_the_page_offers_nobody_what_he_may_not_do(cast: Cast) -> None:
    ada = cast.sign_in("admin")
    own = ada.get(person(ada, "Ada Admin")).text
    assert "This is you." in own
    clerk = with_role(cast, "bob", S.DASHBOARD_ACCESS, S.USERS_READ, S.USERS_UPDATE, S.ROLES_READ)
    above = clerk.get(person(clerk, "Ada Admin"))
    assert "may do more here than you" in unescape(above.text)
    for html in (own, above.text):
        assert not re.search(r"/(roles|deactivation|deletion|password-link)\"", html)
    refused = clerk.send(f"{above.request.path}/deactivation", "/admin/staff")
    assert "may do more here than you" in unescape(clerk.get(refused.location).text)
    for of, words in (
        (person(clerk, "Bob Fischer"), "This is you."),
        (above.request.path, "may do more here than you"),
    ):
        page = unescape(clerk.get(f"{of}/roles").text)
        assert words in page
        assert 'type="submit">Save<' not in page
    own_deletion = ada.get(f"{person(ada, 'Ada Admin')}/deletion").text
    assert "This is you." in own_deletion
    assert "Delete person" not in own_deletion
    with cast.app.app_context():
        boxes = clerk.get(f"/admin/staff/{cast.user('charlie').id}/roles").text
    assert re.search(r"disabled><span\s+class=\"form-check-label\"><bdi>Administrator", boxes)


def test_a_role_that_the_reader_cannot_give_stays_as_it_is(cast: Cast) -> None:
    clerk = with_role(cast, "bob", S.DASHBOARD_ACCESS, S.USERS_READ, S.USERS_UPDATE)
    with cast.app.app_context(), transaction():
        own = PlatformRole(name="audit", permissions=["dashboard:access", "staff:audit:read"])
        charlie, helpers = cast.user("charlie"), cast.user("bob").platform_roles[0]
        charlie.platform_roles = [own]
        session.flush()
        address, given, forged = f"/admin/staff/{charlie.id}/roles", helpers.id, own.id
    assert clerk.send(address, roles=[given]).status_code == 303
    with cast.app.app_context():
        assert sorted(role.name for role in cast.user("charlie").platform_roles) == ["audit", "helpers"]
        address = f"/admin/staff/{cast.user('alice').id}/roles"
    assert clerk.send(address, roles=[forged]).status_code == 403


@pytest.mark.parametrize("path", ["/admin/staff/new", "/admin/roles/new"])
def test_the_first_field_of_a_form_has_the_focus(cast: Cast, path: str) -> None:
    html = cast.sign_in("admin").get(path).text
    assert len(re.findall(r"\sautofocus\b", html)) == 1

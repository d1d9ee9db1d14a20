"""The pages of the people of customers and accounts: who may open them, and where each right comes from."""

from typing import Any

import pytest
import sqlalchemy as sa

from portal.accounts.models import AccountMember
from portal.customers.models import CustomerMember
from portal.db import db, session, transaction
from portal.people.models import User
from portal.people.operations import create_user
from portal.people.staff import StaffPermission
from tests.cast import Cast
from tests.statements import statements
from tests.web.admin.staffing import with_role


@pytest.fixture
def acme(cast: Cast) -> str:
    with cast.app.app_context():
        return f"/manage/customers/{cast.room().customer.id}/people"


@pytest.fixture
def main(cast: Cast) -> str:
    """The people of Acme's account."""
    with cast.app.app_context():
        return f"/manage/accounts/{cast.room().account.id}/people"


def grant(cast: Cast, name: str, *, account: tuple[str, ...] = (), customer: tuple[str, ...] = ()) -> str:
    """Give somebody rights in Acme's account and at Acme; returns his id."""
    with cast.app.app_context(), transaction():
        user, room = cast.user(name), cast.room()
        session.execute(sa.delete(CustomerMember).where(CustomerMember.user_uuid == user.uuid))
        if account:
            session.add(AccountMember(account=room.account, user=user, permissions=list(account)))
        session.add(CustomerMember(customer=room.customer, user=user, permissions=list(customer)))
        return user.id


def members(cast: Cast, kind: Any) -> dict[str, list[str]]:
    with cast.app.app_context():
        return {one.user.email.partition("@")[0]: one.permissions for one in session.scalars(sa.select(kind)).unique()}


def test_an_owner_adds_changes_and_removes_a_member(cast: Cast, main: str) -> None:
    bob, alice = grant(cast, "bob"), cast.sign_in("alice")
    assert alice.send(f"{main}/new", email="bob@demo.example", permissions=["rooms:create"]).status_code == 303
    assert members(cast, AccountMember)["bob"] == ["rooms:create"]
    page = alice.get(main).text
    assert "Bob Fischer" in page
    assert "Create rooms" in page
    answer = alice.send(f"{main}/{bob}/edit", permissions=["usage:view"], version="{}")
    assert answer.status_code == 303, answer.text
    assert members(cast, AccountMember)["bob"] == ["usage:view"]
    assert alice.send(f"{main}/{bob}/removal", page=main).status_code == 303
    assert "bob" not in members(cast, AccountMember)


@pytest.mark.parametrize("name", ["bob", "charlie"])
def test_a_stranger_and_who_belongs_without_rights_find_nothing(cast: Cast, acme: str, main: str, name: str) -> None:
    somebody = cast.sign_in(name)
    assert {somebody.get(path).status_code for path in (acme, main, f"{acme}/new", f"{main}/owner")} == {404}
    assert somebody.post(f"{acme}/new", data={"csrf_token": somebody.token("/me")}).status_code == 404


def test_the_list_loads_the_customers_of_all_accounts_at_once(cast: Cast) -> None:
    bob = with_role(cast, "bob", StaffPermission.DASHBOARD_ACCESS, StaffPermission.ACCOUNTS_READ)
    bob.get("/manage/places")
    with cast.app.app_context(), statements(db.engine) as seen:
        page = bob.get("/manage/places").text
    assert "Acme" in page
    assert "Globex" in page
    assert len([one for one in seen if one.startswith("SELECT customers.") and "FROM customers" in one]) == 1, seen


def test_a_member_without_the_right_is_told_so(cast: Cast, acme: str, main: str) -> None:
    grant(cast, "bob", account=("rooms:create",), customer=("usage:view",))
    bob = cast.sign_in("bob")
    assert {bob.get(path).status_code for path in (acme, main)} == {403}
    assert "Ask the owner, Alice Moreau." in bob.get(main).text
    assert "Acme" in bob.get("/manage/places").text


def test_who_manages_people_grants_no_more_than_he_has(cast: Cast, main: str) -> None:
    grant(cast, "bob", account=("members:manage", "usage:view"))
    bob = cast.sign_in("bob")
    refused = bob.send(f"{main}/new", email="charlie@demo.example", permissions=["rooms:create"])
    assert refused.status_code == 403
    assert "You cannot grant" in refused.text
    assert bob.send(f"{main}/new", email="charlie@demo.example", permissions=["usage:view"]).status_code == 303
    assert "Hand over" not in bob.get(main).text
    assert bob.send(f"{main}/owner", page="/me", email="x").status_code in {403, 422}


def test_rights_from_the_customer_are_shown_in_its_accounts(cast: Cast, main: str) -> None:
    grant(cast, "charlie", customer=("rooms:create", "customer:edit"))
    page = cast.sign_in("alice").get(main).text
    assert "from Acme" in page
    assert "Change the customer" not in page


def test_an_owner_hands_a_customer_over(cast: Cast, acme: str) -> None:
    bob, alice = grant(cast, "bob"), cast.sign_in("alice")
    assert alice.send(f"{acme}/owner", email="").status_code == 422
    assert alice.send(f"{acme}/owner", email=bob).status_code == 303
    with cast.app.app_context():
        assert cast.room().customer.owner.name == cast.room().owner.name == "Bob Fischer"
    assert "customer:edit" in members(cast, CustomerMember)["alice"]


def test_staff_add_anybody_who_is_a_user(cast: Cast, acme: str) -> None:
    with cast.app.app_context(), transaction():
        create_user(email="zoe@demo.example", name="Zoe")
    new: dict[str, Any] = {"email": "zoe@demo.example", "permissions": ["usage:view"]}
    assert cast.sign_in("alice").send(f"{acme}/new", **new).status_code == 422
    assert cast.sign_in("admin").send(f"{acme}/new", **new).status_code == 201
    assert members(cast, CustomerMember)["zoe"] == ["usage:view"]


def test_staff_add_somebody_new_and_get_the_link_for_the_first_password(cast: Cast, acme: str, main: str) -> None:
    ada = cast.sign_in("admin")
    refused = ada.send(f"{acme}/new", email="nina@acme.example")
    assert refused.status_code == 422
    assert "Fill in the name to add somebody new." in refused.text
    made = ada.send(f"{acme}/new", email="nina@acme.example", name="Nina New", permissions=["rooms:create"])
    assert made.status_code == 201
    assert "/set-password?token=pw_" in made.text
    assert members(cast, CustomerMember)["nina"] == ["rooms:create"]
    with cast.app.app_context():
        nina = session.scalars(sa.select(User).where(User.email == "nina@acme.example")).unique().one()
        assert (nina.name, nina.password_hash) == ("Nina New", None)
    assert "New password link for Nina New" in ada.get(acme).text
    again = ada.send(f"{acme}/{nina.id}/password-link", page=acme)
    assert again.status_code == 201
    assert "/set-password?token=pw_" in again.text
    alice = cast.sign_in("alice")
    assert 'name="name"' not in alice.get(f"{acme}/new").text
    stranger = alice.send(f"{acme}/new", email="new@acme.example", name="Not By Me")
    assert "Ask whoever runs this portal to add them." in stranger.text
    assert alice.send(f"{acme}/{nina.id}/password-link", page=acme).status_code == 403
    assert ada.send(f"{main}/new", email="omar@acme.example", name="Omar").status_code == 201
    assert "omar" in members(cast, AccountMember)


def test_a_password_link_is_for_whoever_has_none(cast: Cast, acme: str) -> None:
    bob, ada = grant(cast, "bob"), cast.sign_in("admin")
    assert "New password link" not in ada.get(acme).text
    assert ada.send(f"{acme}/{bob}/password-link", page=acme).status_code == 403


def test_who_may_see_usage_finds_it_with_his_own_account_only(cast: Cast, acme: str, main: str) -> None:
    of_customer, of_account = (f"{path.removesuffix('/people')}/usage" for path in (acme, main))
    alice = cast.sign_in("alice")
    listed = alice.get("/manage/places").text
    assert f'href="{of_customer}"' in listed
    assert f'href="{of_account}"' in listed
    page = alice.get(of_customer).text
    assert "2 of 10" in page
    assert "<bdi>Main</bdi>" in page
    grant(cast, "bob", account=("usage:view",))
    bob = cast.sign_in("bob")
    page = bob.get(of_account).text
    assert "2 rooms in this account" in page
    assert "2 of 10" in page
    assert "Used by" not in page
    assert bob.get(of_customer).status_code == 404
    grant(cast, "charlie", account=("rooms:create",))
    assert cast.sign_in("charlie").get(of_account).status_code == 403

"""A customer's own people make and delete accounts in the browser, where they may and their plan lets them."""

import pytest
import sqlalchemy as sa

from portal.accounts.models import Account
from portal.audit.models import AuditEvent
from portal.customers.models import CustomerMember, CustomerStatus
from portal.db import session, transaction
from portal.status.customer_lifecycle import change_customer_status
from portal.subscriptions.models import SubscriptionFeature
from tests.cast import Cast
from tests.conftest import BOTH

PLACES = "/manage/places"


@pytest.fixture
def page(cast: Cast) -> str:
    """The path of the page on which an account of Acme is made."""
    with cast.app.app_context():
        return f"/manage/customers/{cast.room().customer.id}/accounts/new"


def let(cast: Cast, *, allowed: bool = True) -> str:
    """Let Acme's people make accounts, or not; the id of its subscription."""
    with cast.app.app_context(), transaction():
        subscription = cast.room().subscription
        subscription.features.append(SubscriptionFeature(code="allow_create_account", switch=allowed))
        return subscription.id


def grant(cast: Cast, name: str, *permissions: str) -> None:
    with cast.app.app_context(), transaction():
        session.add(CustomerMember(customer=cast.room().customer, user=cast.user(name), permissions=list(permissions)))


@BOTH
def test_the_owner_makes_an_account_where_the_plan_lets_him(cast: Cast, page: str) -> None:
    alice, subscription = cast.sign_in("alice"), let(cast)
    assert f'href="{page}"' in alice.get(PLACES).text
    fields = {"account_name": "Events", "subscription_id": subscription, "email": "charlie@demo.example"}
    assert alice.send(page, **fields).status_code == 303
    assert "Events" in alice.get(PLACES).text
    with cast.app.app_context():
        account = session.scalars(sa.select(Account).where(Account.account_name == "Events")).one()
        assert account.owner.email == "charlie@demo.example"
        line = session.scalars(sa.select(AuditEvent).where(AuditEvent.thing_uuid == account.uuid)).one()
        assert line.on_behalf_of_uuid is None, "she acts in her own right"


def test_without_the_feature_the_page_says_whom_to_ask(cast: Cast, page: str) -> None:
    alice, subscription = cast.sign_in("alice"), let(cast, allowed=False)
    assert f'href="{page}"' not in alice.get(PLACES).text
    assert "This plan does not let you make accounts yourself." in alice.get(page).text
    fields = {"account_name": "Events", "subscription_id": subscription, "email": ""}
    assert alice.send(page, **fields).status_code == 422
    with cast.app.app_context():
        assert len(session.scalars(sa.select(Account)).all()) == 2


def test_a_member_who_may_make_accounts_does_not_choose_another_owner(cast: Cast, page: str) -> None:
    subscription = let(cast)
    grant(cast, "bob", "accounts:create")
    bob = cast.sign_in("bob")
    assert f'href="{page}"' in bob.get(PLACES).text
    assert 'name="email"' not in bob.get(page).text
    fields = {"account_name": "Events", "subscription_id": subscription, "email": "bob@demo.example"}
    assert bob.send(page, **fields).status_code == 303
    with cast.app.app_context():
        account = session.scalars(sa.select(Account).where(Account.account_name == "Events")).one()
        assert account.owner.email == "alice@demo.example"


def test_others_do_not_get_there(cast: Cast, page: str) -> None:
    let(cast)
    grant(cast, "bob", "rooms:create")
    bob = cast.sign_in("bob")
    assert f'href="{page}"' not in bob.get(PLACES).text
    assert bob.get(page).status_code == 403
    assert bob.send(page, PLACES, account_name="Events").status_code == 403
    with cast.app.app_context():
        globex = page.replace(cast.room().customer.id, session.scalars(sa.select(Account)).all()[1].customer.id)
    assert cast.sign_in("alice").get(globex).status_code == 404


def test_where_nothing_new_can_be_made_people_read_why(cast: Cast, page: str) -> None:
    let(cast)
    with cast.app.app_context(), transaction():
        change_customer_status(cast.room().customer, CustomerStatus.SUSPENDED)
    places = cast.sign_in("alice").get(PLACES).text
    assert f'href="{page}"' not in places
    assert "This customer is suspended" in places


def deletion(cast: Cast, *, allowed: bool) -> str:
    """Let Acme's people delete accounts, or not; the path of the page that deletes theirs."""
    with cast.app.app_context(), transaction():
        room = cast.room()
        room.subscription.features.append(SubscriptionFeature(code="allow_delete_account", switch=allowed))
        return f"/manage/accounts/{room.account.id}/deletion"


@BOTH
def test_the_owner_deletes_an_account_where_the_plan_lets_him(cast: Cast) -> None:
    alice, path = cast.sign_in("alice"), deletion(cast, allowed=True)
    assert f'href="{path}"' in alice.get(PLACES).text
    active = alice.get(path).text
    assert "is active. Set its status to inactive first." in active
    assert alice.send(path).status_code == 409
    assert alice.send(path.replace("deletion", "deactivation"), path).location == path
    assert "With it go its rooms" in alice.get(path).text
    assert alice.send(path).location == PLACES
    assert f'href="{path}"' not in alice.get(PLACES).text
    with cast.app.app_context():
        line = session.scalars(sa.select(AuditEvent).where(AuditEvent.action == "account.deleted")).one()
        assert line.on_behalf_of_uuid is None, "she acts in her own right"


def test_where_the_plan_does_not_let_people_delete_the_page_says_whom_to_ask(cast: Cast) -> None:
    alice, path = cast.sign_in("alice"), deletion(cast, allowed=False)
    assert f'href="{path}"' not in alice.get(PLACES).text
    assert "This plan does not let you delete accounts yourself." in alice.get(path).text
    assert alice.send(path).status_code == 409


def test_only_who_may_delete_accounts_gets_to_that_page(cast: Cast) -> None:
    path = deletion(cast, allowed=True)
    grant(cast, "bob", "account:edit")
    bob = cast.sign_in("bob")
    assert f'href="{path}"' not in bob.get(PLACES).text
    assert bob.get(path).status_code == bob.send(path, PLACES).status_code == 403
    assert cast.sign_in("charlie").get(path).status_code == 404

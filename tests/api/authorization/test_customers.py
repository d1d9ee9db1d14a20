"""Who may do what with customers, accounts and subscriptions: owners what is theirs, staff everything."""

import pytest
import sqlalchemy as sa

from portal.accounts.models import Account, AccountMember
from portal.customers.models import CustomerMember
from portal.db import session, transaction
from portal.people.models import PlatformRole
from portal.scopes import Scope
from portal.subscriptions.models import Subscription, SubscriptionFeature
from tests.api.authorization.conftest import WITH_ADMIN, World
from tests.api.authorization.table import Line, check, each, table
from tests.api.conftest import EVERYTHING, Program

TABLE = table(
    """
    needs  method  address                               nobody  staff  ada  reader  alice  bob  lacks  charlie  client
    -      GET     /accounts                               401    200   200     200   200   200   200     200     403
    -      GET     /accounts/{account}                     401    200   404     404   200   404   404     404     403
    -      GET     /accounts/{their_account}               401    200   404     404   404   404   404     200     403
    -      GET     /subscriptions                          401    200   200     200   200   200   200     200     403
    -      GET     /subscriptions/{subscription}           401    200   404     404   200   404   404     404     403
    -      GET     /subscriptions/{their_subscription}     401    200   404     404   404   404   404     200     403
    -      GET     /features                               401    200   200     200   200   200   200     200     403
    -      GET     /audit-events                           401    200   200     200   200   200   200     200     403
    """
)
SUBSCRIPTIONS = table(
    """
    needs  method  address                                                       nobody  staff  ada  reader  alice  bob  lacks  charlie  client
    -      POST    /subscriptions                                                   401    201   404     403   404   404   404     404     403
    -      PATCH   /subscriptions/{subscription}                                    401    200   404     403   403   404   404     404     403
    -      DELETE  /subscriptions/{subscription}                                    401    409   404     403   403   404   404     404     403
    -      POST    /subscriptions/{subscription}/renew                              401    200   404     403   403   404   404     404     403
    -      POST    /subscriptions/{their_subscription}/renew                        401    409   404     403   404   404   404     403     403
    -      POST    /subscriptions/{subscription}/cancel                             401    200   404     403   403   404   404     404     403
    -      GET     /subscriptions/1111111111/usage                                  401    404   404     403   404   404   404     404     403
    -      GET     /subscriptions/{subscription}/usage                              401    200   404     403   200   404   404     404     403
    -      GET     /subscriptions/{their_subscription}/usage                        401    200   404     403   404   404   404     200     403
    -      GET     /subscriptions/{subscription}/features                           401    200   404     403   403   404   404     404     403
    -      POST    /subscriptions/{subscription}/features                           401    409   404     403   403   404   404     404     403
    -      POST    /subscriptions/{their_subscription}/features                     401    201   404     403   404   404   404     403     403
    -      GET     /subscriptions/{subscription}/features/{feature}                 401    200   404     403   403   404   404     404     403
    -      GET     /subscriptions/{their_subscription}/features/{feature}           401    404   404     403   404   404   404     403     403
    -      PATCH   /subscriptions/{subscription}/features/{feature}                 401    200   404     403   403   404   404     404     403
    -      DELETE  /subscriptions/{subscription}/features/{feature}                 401    204   404     403   403   404   404     404     403
    -      PATCH   /subscriptions/{their_subscription}/features/{feature}           401    404   404     403   404   404   404     403     403
    -      DELETE  /subscriptions/{their_subscription}/features/{feature}           401    404   404     403   404   404   404     403     403
    -      POST    /subscriptions/{subscription}/features/sync                      401    200   404     403   403   404   404     404     403
    -      GET     /subscriptions/{subscription}/providers                          401    200   404     403   403   404   404     404     403
    -      POST    /subscriptions/{subscription}/providers                          401    201   404     403   403   404   404     404     403
    -      POST    /subscriptions/{their_subscription}/providers                    401    422   404     403   404   404   404     403     403
    -      GET     /subscriptions/{subscription}/providers/{default_provider}       401    200   404     403   403   404   404     404     403
    -      GET     /subscriptions/{their_subscription}/providers/{default_provider} 401    404   404     403   404   404   404     403     403
    -      PATCH   /subscriptions/{subscription}/providers/{default_provider}       401    200   404     403   403   404   404     404     403
    -      DELETE  /subscriptions/{subscription}/providers/{default_provider}       401    409   404     403   403   404   404     404     403
    -      PATCH   /subscriptions/{their_subscription}/providers/{default_provider} 401    404   404     403   404   404   404     403     403
    -      DELETE  /subscriptions/{their_subscription}/providers/{default_provider} 401    404   404     403   404   404   404     403     403
    """,
    {
        "POST /subscriptions": {"package_id": "{sold_package}", "subscriber_id": "{customer}"},
        "PATCH /subscriptions/{subscription}": {"name": "Renamed"},
        "POST /subscriptions/{subscription}/renew": {"renew": False},
        "POST /subscriptions/{subscription}/providers": {"package_provider_id": "{spare_provider}"},
        "POST /subscriptions/{subscription}/cancel": {"cancel": False},
        "POST /subscriptions/{subscription}/features": {"service_feature_code": "{feature}", "value": 50},
        "POST /subscriptions/{their_subscription}/features": {"service_feature_code": "{feature}", "value": 50},
    },
)
CUSTOMERS = table(
    """
    needs  method  address                               nobody  staff  ada  reader  alice  bob  lacks  charlie  client
    -      GET     /customers                              401    200   200     200   200   200   200     200     403
    -      POST    /customers                              401    201   404     403   404   404   404     404     403
    -      GET     /customers/{customer}                   401    200   404     404   200   404   404     404     403
    -      PATCH   /customers/{customer}                   401    200   404     404   200   404   404     404     403
    -      DELETE  /customers/{customer}                   401    409   404     403   403   404   404     404     403
    -      GET     /customers/{their_customer}             401    200   404     404   404   404   404     200     403
    -      PATCH   /customers/{their_customer}             401    200   404     404   404   404   404     200     403
    -      DELETE  /customers/{their_customer}             401    409   404     403   404   404   404     403     403

    -      GET     /customers/{customer}/users             401    200   404     404   200   404   404     404     403
    -      POST    /customers/{customer}/users             401    201   404     404   201   404   404     404     403
    -      PATCH   /customers/{customer}/users/{charlie}   401    200   404     404   200   404   404     404     403
    -      DELETE  /customers/{customer}/users/{charlie}   401    204   404     404   204   404   404     404     403
    -      PATCH   /customers/{customer}/users/{user}      401    404   404     404   404   404   404     404     403
    -      DELETE  /customers/{customer}/users/{owner}     401    404   404     404   404   404   404     404     403
    -      GET     /customers/{their_customer}/users       401    200   404     404   404   404   404     200     403
    -      POST    /customers/{their_customer}/users       401    201   404     404   404   404   404     422     403
    -      PATCH   /customers/{their_customer}/users/{dana}    401    404   404     404   404   404   404     404     403
    -      DELETE  /customers/{their_customer}/users/{dana}    401    404   404     404   404   404   404     404     403
    """,
    {
        "POST /customers/{customer}/users": {"email": "bob@demo.example", "permissions": ["usage:view"]},
        "POST /customers/{their_customer}/users": {"email": "bob@demo.example", "permissions": []},
        "PATCH /customers/{customer}/users/{charlie}": {"permissions": ["usage:view"]},
    },
)
ACCOUNTS = table(
    """
    needs  method  address                               nobody  staff  ada  reader  alice  bob  lacks  charlie  client
    -      POST    /accounts                               401    201   422     422   409   422   422     422     403
    -      PATCH   /accounts/{account}                     401    200   404     404   200   404   404     404     403
    -      DELETE  /accounts/{account}                     401    409   404     404   409   404   404     404     403
    -      PATCH   /accounts/{their_account}               401    200   404     404   404   404   404     200     403
    -      DELETE  /accounts/{their_account}               401    409   404     404   404   404   404     409     403

    -      GET     /accounts/{account}/users               401    200   404     404   200   404   404     404     403
    -      POST    /accounts/{account}/users               401    201   404     404   201   404   404     404     403
    -      PATCH   /accounts/{account}/users/{dana}        401    200   404     404   200   404   404     404     403
    -      DELETE  /accounts/{account}/users/{dana}        401    204   404     404   204   404   404     404     403
    -      PATCH   /accounts/{their_account}/users/{dana}  401    404   404     404   404   404   404     404     403
    -      DELETE  /accounts/{their_account}/users/{dana}  401    404   404     404   404   404   404     404     403
    -      DELETE  /accounts/{account}/users/{owner}       401    404   404     404   404   404   404     404     403
    -      POST    /accounts/{their_account}/users         401    201   404     404   404   404   404     422     403
    -      GET     /accounts/{their_account}/users         401    200   404     404   404   404   404     200     403
    """,
    {
        "POST /accounts": {"subscription_id": "{subscription}", "account_name": "Events"},
        "POST /accounts/{their_account}/users": {"email": "bob@demo.example", "permissions": []},
        "POST /accounts/{account}/users": {"email": "bob@demo.example", "permissions": ["usage:view"]},
        "PATCH /accounts/{account}/users/{dana}": {"permissions": ["usage:view"]},
    },
)

PROFILES = table(
    """
    needs  method  address                                                    nobody  staff  ada  reader  alice  bob  lacks  charlie  client
    -      GET     /customers/{customer}/addresses                            401    200   404     404   200   404   404     404     403
    -      POST    /customers/{customer}/addresses                            401    201   404     404   201   404   404     404     403
    -      GET     /customers/{customer}/addresses/{address}                  401    200   404     404   200   404   404     404     403
    -      PATCH   /customers/{customer}/addresses/{address}                  401    200   404     404   200   404   404     404     403
    -      DELETE  /customers/{customer}/addresses/{address}                  401    204   404     404   204   404   404     404     403
    -      GET     /customers/{their_customer}/addresses                      401    200   404     404   404   404   404     200     403
    -      POST    /customers/{their_customer}/addresses                      401    201   404     404   404   404   404     201     403
    -      GET     /customers/{their_customer}/addresses/{their_address}      401    200   404     404   404   404   404     200     403
    -      PATCH   /customers/{their_customer}/addresses/{their_address}      401    200   404     404   404   404   404     200     403
    -      DELETE  /customers/{their_customer}/addresses/{their_address}      401    204   404     404   404   404   404     204     403
    -      GET     /customers/{their_customer}/addresses/{address}            401    404   404     404   404   404   404     404     403
    -      PATCH   /customers/{their_customer}/addresses/{address}            401    404   404     404   404   404   404     404     403
    -      DELETE  /customers/{their_customer}/addresses/{address}            401    404   404     404   404   404   404     404     403

    -      GET     /customers/{customer}/telephones                           401    200   404     404   200   404   404     404     403
    -      POST    /customers/{customer}/telephones                           401    201   404     404   201   404   404     404     403
    -      GET     /customers/{customer}/telephones/{telephone}               401    200   404     404   200   404   404     404     403
    -      PATCH   /customers/{customer}/telephones/{telephone}               401    200   404     404   200   404   404     404     403
    -      DELETE  /customers/{customer}/telephones/{telephone}               401    204   404     404   204   404   404     404     403
    -      GET     /customers/{their_customer}/telephones                     401    200   404     404   404   404   404     200     403
    -      POST    /customers/{their_customer}/telephones                     401    201   404     404   404   404   404     201     403
    -      GET     /customers/{their_customer}/telephones/{their_telephone}   401    200   404     404   404   404   404     200     403
    -      PATCH   /customers/{their_customer}/telephones/{their_telephone}   401    200   404     404   404   404   404     200     403
    -      DELETE  /customers/{their_customer}/telephones/{their_telephone}   401    204   404     404   404   404   404     204     403
    -      GET     /customers/{their_customer}/telephones/{telephone}         401    404   404     404   404   404   404     404     403
    -      PATCH   /customers/{their_customer}/telephones/{telephone}         401    404   404     404   404   404   404     404     403
    -      DELETE  /customers/{their_customer}/telephones/{telephone}         401    404   404     404   404   404   404     404     403

    -      GET     /customers/{customer}/legal-documents                      401    200   404     404   200   404   404     404     403
    -      POST    /customers/{customer}/legal-documents                      401    201   404     404   201   404   404     404     403
    -      GET     /customers/{customer}/legal-documents/{document}           401    200   404     404   200   404   404     404     403
    -      PATCH   /customers/{customer}/legal-documents/{document}           401    200   404     404   200   404   404     404     403
    -      DELETE  /customers/{customer}/legal-documents/{document}           401    204   404     404   204   404   404     404     403
    -      GET     /customers/{their_customer}/legal-documents                401    200   404     404   404   404   404     200     403
    -      POST    /customers/{their_customer}/legal-documents                401    201   404     404   404   404   404     201     403
    -      GET     /customers/{their_customer}/legal-documents/{their_document} 401    200   404     404   404   404   404     200     403
    -      PATCH   /customers/{their_customer}/legal-documents/{their_document} 401    200   404     404   404   404   404     200     403
    -      DELETE  /customers/{their_customer}/legal-documents/{their_document} 401    204   404     404   404   404   404     204     403
    -      GET     /customers/{their_customer}/legal-documents/{document}     401    404   404     404   404   404   404     404     403
    -      PATCH   /customers/{their_customer}/legal-documents/{document}     401    404   404     404   404   404   404     404     403
    -      DELETE  /customers/{their_customer}/legal-documents/{document}     401    404   404     404   404   404   404     404     403
    """
)


def test_a_member_who_may_make_accounts_makes_himself_no_owner(world: World) -> None:
    names = world.set_up(frozenset())
    with world.app.app_context(), transaction():
        charlie = world.cast.user("charlie").uuid
        sold = sa.select(Subscription.uuid).where(Subscription.id == names["subscription"])
        lets = {"subscription_uuid": session.scalars(sold).one(), "code": "allow_create_account", "switch": True}
        session.add(SubscriptionFeature(**lets))
        here = CustomerMember.user_uuid == charlie
        session.scalars(sa.select(CustomerMember).where(here)).unique().one().permissions = ["accounts:create"]
    body = {"subscription_id": names["subscription"], "account_name": "Events"}
    member, alice = (Program(world.app, world.token(name, EVERYTHING)) for name in ("charlie", "alice"))
    assert member.post("/accounts", {**body, "owner_id": names["charlie"]}).status_code == 403
    assert member.post("/accounts", {**body, "owner_id": names["dana"]}).status_code == 403
    assert member.post("/accounts", body).json["data"]["owner_id"] == names["owner"]
    assert list(alice.post("/accounts", {**body, "owner_id": "1111111111"}).json["errors"]) == ["owner_id"]
    assert alice.post("/accounts", {**body, "owner_id": names["charlie"]}).json["data"]["owner_id"] == names["charlie"]
    with world.app.app_context(), transaction():
        session.execute(sa.delete(SubscriptionFeature).where(SubscriptionFeature.code == "allow_create_account"))


def test_members_see_usage_only_if_they_may(world: World) -> None:
    names = world.set_up(frozenset())
    sold = f"/subscriptions/{names['subscription']}"
    for permissions, status in ((["rooms:create"], 404), (["usage:view"], 200)):
        with world.app.app_context(), transaction():
            here = CustomerMember.user_uuid == world.cast.user("charlie").uuid
            session.execute(sa.update(CustomerMember).where(here).values(permissions=permissions))
        charlie = Program(world.app, world.token("charlie", EVERYTHING))
        assert charlie.get(f"{sold}/usage").status_code == status
        assert charlie.get(f"{sold}/features").status_code == charlie.delete(sold).status_code == 404
        assert charlie.delete(f"/customers/{names['customer']}").status_code == 403


def test_who_owns_an_account_reads_its_subscription_but_not_what_others_use(world: World) -> None:
    names = world.set_up(frozenset())
    with world.app.app_context(), transaction():
        here = Account.id == names["account"]
        session.execute(sa.update(Account).where(here).values(owner_uuid=world.cast.user("dana").uuid))
    dana, sold = Program(world.app, world.token("dana", EVERYTHING)), f"/subscriptions/{names['subscription']}"
    assert dana.get(sold).status_code == 200
    assert dana.get(f"{sold}/usage").status_code == dana.delete(sold).status_code == 403
    with world.app.app_context(), transaction():
        session.execute(sa.update(Account).where(here).values(owner_uuid=world.cast.user("alice").uuid))


def test_members_read_a_profile_only_if_they_may_change_it(world: World) -> None:
    names = world.set_up(frozenset())
    readers = tuple(one for one in EVERYTHING if one is not Scope.CUSTOMERS_WRITE)
    for permissions, status in ((["usage:view"], 403), (["customer:edit"], 200)):
        with world.app.app_context(), transaction():
            here = CustomerMember.user_uuid == world.cast.user("charlie").uuid
            session.execute(sa.update(CustomerMember).where(here).values(permissions=permissions))
        charlie = Program(world.app, world.token("charlie", readers))
        for noun, one in (("addresses", "address"), ("telephones", "telephone"), ("legal-documents", "document")):
            path = f"/customers/{names['customer']}/{noun}"
            assert charlie.get(path).status_code == charlie.get(f"{path}/{names[one]}").status_code == status
            assert charlie.delete(f"{path}/{names[one]}").status_code == 403
            example = {"type": "other", "value": "1"}
            assert charlie.post(path, example).status_code == 403


@pytest.mark.parametrize(("place", "member"), [("customers", "charlie"), ("accounts", "dana")])
def test_the_people_of_a_place_are_listed_for_who_manages_them_and_staff_who_read_it(
    world: World, place: str, member: str
) -> None:
    names = world.set_up(frozenset())
    path = f"/{place}/{names[place.removesuffix('s')]}/users"
    kind: type[AccountMember | CustomerMember] = CustomerMember if place == "customers" else AccountMember
    readers = tuple(one for one in EVERYTHING if one is not Scope.PEOPLE_WRITE)
    for permissions, status in ((["usage:view"], 403), (["members:manage"], 200)):
        with world.app.app_context(), transaction():
            here = kind.user_uuid == world.cast.user(member).uuid
            session.execute(sa.update(kind).where(here).values(permissions=permissions))
        assert Program(world.app, world.token(member, readers)).get(path).status_code == status
    for permission, status in ((f"staff:{place}:read", 200), ("staff:rooms:update", 404)):
        with world.app.app_context(), transaction():
            role = PlatformRole(name=f"{place}-{status}", permissions=[permission])
            world.cast.user("frank").platform_roles = [role]
        assert Program(world.app, world.token("frank", WITH_ADMIN)).get(path).status_code == status
    with world.app.app_context(), transaction():
        world.cast.user("frank").platform_roles = []


@each(CUSTOMERS)
def test_customers(world: World, line: Line) -> None:
    check(world, line)


@each(PROFILES)
def test_profiles_of_customers(world: World, line: Line) -> None:
    check(world, line)


@each(SUBSCRIPTIONS)
def test_what_staff_do_with_subscriptions(world: World, line: Line) -> None:
    check(world, line)


@each(ACCOUNTS)
def test_accounts(world: World, line: Line) -> None:
    check(world, line)


@each(TABLE)
def test_accounts_and_subscriptions(world: World, line: Line) -> None:
    check(world, line)

"""Making and changing customers: what each field takes, who becomes the owner, and what only one customer can have."""

import pytest
import sqlalchemy as sa

from portal.customers.models import Customer, CustomerType
from portal.customers.operations import change_customer, create_customer
from portal.customers.search import matches
from portal.db import session
from portal.errors import Invalid
from portal.people.models import User
from portal.people.operations import find_by_email
from tests.conftest import BOTH

pytestmark = pytest.mark.usefixtures("in_app")


def refused(**fields: object) -> set[str]:
    given = {"company_name": "Initech", "email": "peter@initech.example", **fields}
    with pytest.raises(Invalid) as invalid:
        create_customer(**given)  # type: ignore[arg-type]
    return set(invalid.value.fields)


@BOTH
def test_a_customer_makes_its_owner_from_the_profile() -> None:
    made = create_customer(
        customer_type=CustomerType.PERSONAL,
        first_name=" Peter ",
        last_name="Gibbons",
        email="Peter@INITECH.example",
        country="de",
        currency="eur",
        timezone="Europe/Berlin",
        hostname="Rooms.Initech.example",
        allowed_domains_registration=["initech.example", "Initech.Example"],
        customer_metadata={"crm": {"number": "4711"}},
    )
    session.commit()
    assert (made.email, made.owner.email, made.owner.name) == ("peter@initech.example",) * 2 + ("Peter Gibbons",)
    assert made.owner.password_hash is None
    assert (made.country, made.currency, made.timezone) == ("DE", "EUR", "Europe/Berlin")
    assert (made.hostname, made.subdomain) == ("rooms.initech.example", "peter-gibbons")
    assert made.allowed_domains_registration == ["initech.example"]
    assert len(made.customer_key) == 10
    assert (made.sort_name, made.company_name) == ("peter gibbons", None)


def test_somebody_who_is_a_user_becomes_the_owner_and_keeps_his_name() -> None:
    made = create_customer(company_name="Initech", email="bob@demo.example")
    assert made.owner is find_by_email("bob@demo.example")
    assert made.owner.name == "Bob Fischer"
    count = sa.select(sa.func.count()).select_from(User).where(User.email == "bob@demo.example")
    assert session.scalar(count) == 1


def test_a_password_is_for_a_new_owner_only() -> None:
    assert refused(email="bob@demo.example", password_hash="x") == {"password"}


@BOTH
def test_what_another_customer_has_is_refused_and_nothing_is_left_of_it() -> None:
    create_customer(
        company_name="Initech", email="peter@initech.example", hostname="initech.example", subdomain="initech"
    )
    assert refused() == {"email"}
    assert refused(email="a@x.example", hostname="initech.EXAMPLE", subdomain="Initech") == {"hostname", "subdomain"}
    assert find_by_email("a@x.example") is None
    again = create_customer(company_name="Initech", email="other@x.example")
    assert again.subdomain is not None
    assert again.subdomain.startswith("initech-")
    with pytest.raises(Invalid) as invalid:
        change_customer(again, email="peter@initech.example")
    assert set(invalid.value.fields) == {"email"}
    assert again.email == "other@x.example"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "nobody"),
        ("country", "XX"),
        ("country", "EU"),
        ("currency", "DEM"),
        ("timezone", "Moon/Sea"),
        ("hostname", "no dots"),
        ("hostname", "localhost"),
        ("subdomain", "-a"),
        ("subdomain", "a.b"),
        ("customer_prefix", "12345678901"),
        ("external_id", "x" * 251),
        ("company_name", ""),
        ("first_name", "x" * 81),
        ("allowed_domains_origins", ["example.org", "no domain"]),
        ("allowed_domains_registration", ["elsewhere.example"]),
        ("customer_settings", []),
        ("customer_metadata", {"a": {"b": []}}),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(field: str, value: object) -> None:
    named = "email" if field == "allowed_domains_registration" else field
    assert refused(**{field: value}) == {named}


def test_a_setting_that_nobody_declared_is_named() -> None:
    assert refused(customer_settings={"color": "red"}) == {"customer_settings.color"}


def test_all_that_is_wrong_is_said_at_once() -> None:
    assert refused(country="XX", currency="??", email="x") == {"country", "currency", "email"}


def test_a_change_keeps_what_is_not_given() -> None:
    made = create_customer(company_name="Initech", email="peter@initech.example", external_id="4711")
    change_customer(made, company_name="Initrode", first_name="Peter")
    assert (made.company_name, made.first_name, made.external_id) == ("Initrode", "Peter", "4711")
    change_customer(made, external_id=None, customer_type=CustomerType.PERSONAL, company_name=None)
    assert (made.company_name, made.external_id, made.display_name) == (None, None, "Peter")
    with pytest.raises(Invalid):
        change_customer(made, customer_type=CustomerType.BUSINESS)


@BOTH
def test_customers_are_found_by_words_of_company_person_address_and_keys() -> None:
    made = create_customer(
        company_name="Größenwahn GmbH", first_name="Peter", email="pg@initech.example", external_id="CRM-4711"
    )
    session.flush()

    def found(text: str) -> bool:
        return made in session.scalars(sa.select(Customer).where(matches(text))).unique().all()

    texts = ("grossen gm", "pet", "pg initech", "4711", made.customer_key, "")
    assert [text for text in texts if not found(text)] == []
    assert not any(map(found, ("rößen", "acme", "?!")))
    change_customer(made, company_name="Initrode")
    assert found("initrode")
    assert not found("grossen")
    session.delete(made)
    session.flush()
    assert not found("initrode")

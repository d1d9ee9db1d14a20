"""Finding subscriptions by words, and the order of their ends, on both databases."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from portal.clock import now
from portal.customers.models import Customer
from portal.customers.operations import change_customer
from portal.db import session
from portal.keyset import Key, keyset
from portal.subscriptions.endings import end_or_never, ends_within
from portal.subscriptions.models import Subscription, SubscriptionStatus
from portal.subscriptions.search import ways_to_match
from tests.conftest import BOTH

pytestmark = pytest.mark.usefixtures("in_app")


def found(text: str) -> list[str]:
    """The names of the customers whose subscriptions match."""
    query = sa.select(Subscription).where(Subscription.uuid.in_(sa.union(*ways_to_match(text))))
    return sorted(one.customer.company_name or "" for one in session.scalars(query).unique())


def of(company_name: str) -> Subscription:
    query = sa.select(Subscription).join(Customer, Customer.uuid == Subscription.customer_uuid)
    return session.scalars(query.where(Customer.company_name == company_name)).unique().one()


@BOTH
def test_words_begin_those_of_the_subscription_or_of_its_customer() -> None:
    acme = of("Acme")
    acme.name = "Réunion Gold"
    session.flush()
    assert found("reun gol") == ["Acme"]
    assert found(acme.tag.lower()) == ["Acme"]
    assert found("ACM") == ["Acme"]
    assert found("standard acme") == found("nobody") == found("?!") == []
    change_customer(of("Globex").customer, company_name="Golden Globe")
    session.flush()
    assert found("gol") == ["Acme", "Golden Globe"]
    acme.name = "Silver"
    session.flush()
    assert found("reun") == []
    session.commit()


@BOTH
def test_what_never_ends_comes_last_and_first_from_the_end() -> None:
    acme, globex = of("Acme"), of("Globex")
    globex.ends_at = None
    acme.status, acme.ends_at, acme.cancels_at = SubscriptionStatus.CANCELED, None, now() + timedelta(days=3)
    session.flush()
    for descending, order in ((False, [acme, globex]), (True, [globex, acme])):
        keys = [Key(end_or_never(), descending), Key(Subscription.uuid, descending)]
        assert list(session.scalars(keyset(sa.select(Subscription), keys)).unique()) == order
        after = session.execute(keyset(sa.select(end_or_never(), Subscription.uuid), keys)).first()
        assert list(session.scalars(keyset(sa.select(Subscription), keys, after)).unique()) == order[1:]
    assert session.scalars(sa.select(Subscription).where(ends_within(4, now()))).unique().all() == [acme]
    assert session.scalars(sa.select(Subscription).where(ends_within(2, now()))).unique().all() == []


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
@pytest.mark.parametrize(
    ("narrowed", "index"),
    [
        (lambda query: query.order_by(end_or_never(), Subscription.uuid), "ix_subscriptions_expected_end_uuid"),
        (lambda query: query.where(ends_within(14, datetime(2027, 1, 1, tzinfo=UTC))), "expected_end_uuid"),
        (lambda query: query.where(Subscription.uuid.in_(ways_to_match("gold")[0])), "ix_subscriptions_name_words"),
    ],
    ids=["order", "soon", "words"],
)
def test_postgresql_goes_by_the_index(narrowed: Callable[..., sa.Select[str]], index: str) -> None:
    """Of an expression, which has to be written there and here alike."""
    session.execute(sa.text("SET LOCAL enable_seqscan = off"))
    session.execute(sa.text("SET LOCAL enable_sort = off"))
    literally = {"literal_binds": True}
    query = narrowed(sa.select(Subscription.id)).compile(session.connection(), compile_kwargs=literally)
    plan = session.connection().exec_driver_sql(f"EXPLAIN {query}".replace("%%", "%")).scalars()
    assert index in "\n".join(plan)

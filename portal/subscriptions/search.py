"""Searching subscriptions by the words of their name and tag, or by those of their customer."""

import sqlalchemy as sa

from portal.customers.models import Customer
from portal.customers.search import matches as customer_matches
from portal.subscriptions.models import Subscription
from portal.word_search import WordIndex

_own_words_match = WordIndex("subscription", Subscription.uuid, Subscription.name_words).matches


def matches(text: str) -> sa.ColumnElement[bool]:
    """The SQL condition that each word of a text begins one of the subscription's, or each one of its customer's.

    Each half is found by an index of its own, which an OR over both tables would keep PostgreSQL from.
    """
    own = sa.select(Subscription.uuid).where(_own_words_match(text))
    of_customers = (
        sa.select(Subscription.uuid)
        .join(Customer, Customer.uuid == Subscription.customer_uuid)
        .where(customer_matches(text))
    )
    return Subscription.uuid.in_(sa.union(own.correlate(None), of_customers.correlate(None)))

"""Searching subscriptions by the words of their name and tag, or by those of their customer.

Each half is found by an index of its own, which an OR over both tables would keep PostgreSQL from.
"""

from uuid import UUID

import sqlalchemy as sa

from portal.customers.models import Customer
from portal.customers.search import matches as customer_matches
from portal.subscriptions.models import Subscription
from portal.word_search import WordIndex

own_words_match = WordIndex("subscription", Subscription.uuid, Subscription.name_words).matches
"""The SQL condition that each word of a text begins one of the subscription's name and tag."""


def ways_to_match(text: str) -> tuple[sa.Select[UUID], sa.Select[UUID]]:
    """The uuids of subscriptions of which each word of a text begins one of their own; and one of their customer's."""
    of_customers = (
        sa.select(Subscription.uuid)
        .join(Customer, Customer.uuid == Subscription.customer_uuid)
        .where(customer_matches(text))
    )
    return sa.select(Subscription.uuid).where(own_words_match(text)), of_customers

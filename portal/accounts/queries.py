"""Finding accounts."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import contains_eager

from portal.accounts.models import Account, AccountStatus
from portal.customers.models import Customer, CustomerStatus
from portal.db import session
from portal.identifiers import matches_identifier


def account_with_id(account_id: str) -> Account | None:
    """The account with this id, uuid or ulid, with its customer and subscription; None if there is none."""
    query = (
        sa.select(Account)
        .join(Account.customer)
        .join(Account.subscription)
        .options(contains_eager(Account.customer), contains_eager(Account.subscription))
        .where(matches_identifier(Account, account_id))
    )
    return session.scalars(query).unique().one_or_none()


def usable_accounts(at: datetime) -> list[Account]:
    """All accounts in which rooms can be made at `at`: their customers and subscriptions are active, too."""
    query = (
        sa.select(Account)
        .join(Account.customer)
        .join(Account.subscription)
        .options(contains_eager(Account.customer), contains_eager(Account.subscription))
        .where(Account.status == AccountStatus.ACTIVE, Customer.status == CustomerStatus.ACTIVE)
        .order_by(Account.uuid)
    )
    return [account for account in session.scalars(query).unique() if account.subscription.is_active(at)]

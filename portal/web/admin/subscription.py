"""One subscription, as staff see it: its term, what is used of it, what it grants, its services and accounts."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from portal.accounts.models import Account
from portal.clock import now
from portal.db import session
from portal.edge.staff_guard import staff
from portal.people.staff import StaffPermission
from portal.status.subscription_lifecycle import reason_to_keep
from portal.status.subscription_usage import counted, usage_of
from portal.subscriptions.dates import has_ended
from portal.subscriptions.feature_catalog import FEATURES, Feature, Value
from portal.subscriptions.models import Subscription, SubscriptionStatus
from portal.subscriptions.phases import Phase, phase_of
from portal.subscriptions.queries import subscription_with_id
from portal.web.admin.terms_form import price_words

bp = Blueprint("admin_subscription", __name__, url_prefix="/admin/subscriptions/<id:subscription_id>")

MOST_ACCOUNTS = 50
ABSENT = object()


@dataclass(frozen=True)
class FeatureRow:
    """A feature of a subscription beside that of its package. `granted` and `sold`: whether each has it at all."""

    feature: Feature
    granted: bool
    value: Value
    sold: bool
    package_value: Value

    @property
    def differs(self) -> bool:
        """Whether syncing would change it."""
        return self.granted is not self.sold or (self.granted and self.value != self.package_value)


@dataclass(frozen=True)
class Acts:
    """What can be done with a subscription in its present status."""

    renew: bool
    cancel: bool
    uncancel: bool
    suspend: bool
    resume: bool
    terminate: bool


@bp.get("")
@staff(StaffPermission.SUBSCRIPTIONS_READ, subscription=subscription_with_id)
def show(subscription: Subscription) -> ResponseReturnValue:
    """Show the subscription."""
    rows = feature_rows(subscription)
    return render_template(
        "admin/subscriptions/show.html",
        subscription=subscription,
        phase=phase_of(subscription, now()),
        price=price_words(subscription.price, subscription.currency, subscription.period),
        usage=usage_of(subscription, counted(subscription)),
        features=rows,
        differs=any(row.differs for row in rows),
        accounts=_accounts(subscription),
        acts=acts_of(subscription),
        kept=reason_to_keep(subscription),
    )


def feature_rows(subscription: Subscription) -> list[FeatureRow]:
    """What it grants beside what its package does now, in the order of the catalogue."""
    own, sold = subscription.values, subscription.package.values
    return [
        FeatureRow(feature, code in own, own.get(code), code in sold, sold.get(code))
        for code, feature in FEATURES.items()
        if code in own or code in sold
    ]


def acts_of(subscription: Subscription) -> Acts:
    """What can be done with it now. Operations judge it once more."""
    at, status = now(), subscription.status
    running = status in {SubscriptionStatus.ACTIVE, SubscriptionStatus.CANCELED}
    ended, terminated = has_ended(subscription, at), status is SubscriptionStatus.TERMINATED
    return Acts(
        renew=not terminated and (subscription.ends_at is not None or ended or not running),
        cancel=running and (subscription.is_active(at) or phase_of(subscription, at) is Phase.PLANNED),
        uncancel=subscription.canceled_at is not None and not ended and not terminated,
        suspend=running,
        resume=status is SubscriptionStatus.SUSPENDED,
        terminate=not terminated,
    )


def _accounts(subscription: Subscription) -> Sequence[Account]:
    query = sa.select(Account).where(Account.subscription_uuid == subscription.uuid)
    return session.scalars(query.order_by(Account.uuid).limit(MOST_ACCOUNTS)).all()

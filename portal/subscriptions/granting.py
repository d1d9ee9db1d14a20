"""Changing what a subscription grants: feature by feature, or all of it as its package grants it now.

Rooms that are running are judged by the new values at the next entry; nobody who is in is thrown out.
"""

from portal.audit.changes import differences
from portal.audit.operations import record_event
from portal.clock import now
from portal.db import lock, session
from portal.errors import NotFound
from portal.people.actor import Actor
from portal.subscriptions.models import Subscription, SubscriptionFeature
from portal.subscriptions.package_features import feature_columns, shown


def lock_with_features(subscription: Subscription) -> None:
    """Lock the subscription with its features, of which others may have written some since they were loaded.

    They are read by a statement of their own: what one statement reads beside a row for whose lock it waits is older.
    """
    lock(subscription, relations=False)
    subscription.forget_plan()
    session.refresh(subscription, ["features"])


def set_feature(subscription: Subscription, *, code: str, value: object, by: Actor | None = None) -> None:
    """Grant this value of the feature, instead of what was granted of it before.

    Raises `Invalid` on the code, or on `features` for a code that there is not.
    """
    number, switch = feature_columns(subscription.service_type, code, value)
    lock_with_features(subscription)
    before = shown(subscription)
    feature = next((one for one in subscription.features if one.code == code), None)
    if feature is None:
        subscription.features.append(SubscriptionFeature(code=code, number=number, switch=switch))
    else:
        feature.number, feature.switch = number, switch
    _granted(subscription, "subscription.feature_set", before, by)


def remove_feature(subscription: Subscription, *, code: str, by: Actor | None = None) -> None:
    """Grant nothing of this feature any more. Raises `NotFound` if it does not."""
    lock_with_features(subscription)
    before = shown(subscription)
    feature = next((one for one in subscription.features if one.code == code), None)
    if feature is None:
        raise NotFound
    subscription.features.remove(feature)
    _granted(subscription, "subscription.feature_removed", before, by)


def sync_features(subscription: Subscription, *, by: Actor | None = None) -> None:
    """Grant exactly what the package grants now; what was set for this subscription alone goes."""
    lock_with_features(subscription)
    before, there = shown(subscription), {feature.code: feature for feature in subscription.features}
    wanted = {feature.code: feature for feature in subscription.package.features}
    for code, feature in there.items():
        if code not in wanted:
            subscription.features.remove(feature)
    for code, granted in wanted.items():
        own = there.get(code)
        if own is None:
            subscription.features.append(SubscriptionFeature(code=code, number=granted.number, switch=granted.switch))
        else:
            own.number, own.switch = granted.number, granted.switch
    _granted(subscription, "subscription.features_synced", before, by)


def _granted(subscription: Subscription, action: str, before: dict[str, int | bool], by: Actor | None) -> None:
    subscription.updated_at = now()
    session.flush()
    record_event(action, subscription, by=by, changes=differences(before, shown(subscription)))

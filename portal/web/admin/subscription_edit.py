"""Changing what staff may write of a subscription: its name, dates, terms and metadata; and what it grants."""

from datetime import date, datetime, timedelta
from typing import Any

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from wtforms import DateField, IntegerField, StringField, TextAreaField
from wtforms.validators import InputRequired, Optional

from portal.edge import actor
from portal.edge.i18n import gettext as _
from portal.edge.staff_guard import staff
from portal.errors import InvalidFields
from portal.metadata import read_metadata, written
from portal.people.staff import StaffPermission
from portal.subscriptions.changing import change_subscription
from portal.subscriptions.dates import zone_of
from portal.subscriptions.feature_catalog import FEATURES, Feature
from portal.subscriptions.granting import set_feature
from portal.subscriptions.models import Subscription
from portal.subscriptions.package_features import offered_features
from portal.subscriptions.queries import subscription_with_id
from portal.subscriptions.terms import day_of
from portal.web import flash_messages
from portal.web.admin.features_form import sent_features, shown_features, with_features
from portal.web.admin.terms_form import TermsForm, stored_terms
from portal.web.edit_forms import EditForm, lock_for_edit
from portal.web.forms import refills

bp = Blueprint("admin_subscription_edit", __name__, url_prefix="/admin/subscriptions/<id:subscription_id>")


class SubscriptionForm(TermsForm, EditForm):
    """What staff may write of a subscription."""

    name = StringField(_l("Name"), [InputRequired(_l("Fill this in."))])
    starts_at = DateField(_l("Starts"), [InputRequired(_l("Fill this in."))])
    ends_at = DateField(_l("Ends after"), [Optional()])
    tier = IntegerField(_l("Rank among packages"), [Optional()], render_kw={"min": 0, "inputmode": "numeric"})
    subscription_metadata = TextAreaField(_l("Metadata"), render_kw={"rows": 4, "spellcheck": "false", "dir": "ltr"})

    @staticmethod
    def stored(subscription: Subscription) -> dict[str, Any]:
        """What the form shows of a subscription."""
        metadata = subscription.subscription_metadata
        shown = {"tier": subscription.tier, "subscription_metadata": written(metadata, indent=2) if metadata else ""}
        return _named_and_dated(subscription) | stored_terms(subscription) | shown

    def changes(self, subscription: Subscription) -> dict[str, Any]:
        """What was changed in the form, for the operation: what was left alone is no change.

        Raises `Invalid` on `price` and `subscription_metadata`, together.
        """
        before = _named_and_dated(subscription)
        changes = {name: self[name].data for name in before if self[name].data != before[name]}
        typed = self.subscription_metadata.data or ""
        wrong = InvalidFields()
        with wrong.gathered():
            terms = self.terms() | {"tier": self.tier.data or 0}
            changes |= {name: value for name, value in terms.items() if value != getattr(subscription, name)}
        with wrong.gathered():
            changes["subscription_metadata"] = read_metadata(typed, field="subscription_metadata")
        wrong.raise_if_any()
        return changes


def _named_and_dated(subscription: Subscription) -> dict[str, Any]:
    zone = zone_of(subscription.customer)
    return {
        "name": subscription.name,
        "starts_at": day_of(subscription.starts_at, zone),
        "ends_at": last_day_of(subscription.ends_at, zone),
    }


class FeaturesForm(EditForm):
    """What a subscription grants. `with_features` adds the fields."""

    features: list[Feature]


def last_day_of(end: datetime | None, zone: str) -> date | None:
    """The last whole day before this end."""
    return day_of(end, zone) - timedelta(days=1) if end is not None else None


@bp.route("/edit", methods=["GET", "POST"])
@staff(StaffPermission.SUBSCRIPTIONS_UPDATE, subscription=subscription_with_id)
@refills
def edit(subscription: Subscription) -> ResponseReturnValue:
    """Change name, dates, terms, rank and metadata."""
    lock_for_edit(subscription)
    form = SubscriptionForm(data=SubscriptionForm.stored(subscription))
    form.offer()
    if form.validate_on_submit():
        with form.refusals():
            change_subscription(subscription, by=actor.someone(), **form.changes(subscription))
            return _saved(subscription)
    page = render_template("admin/subscriptions/edit.html", form=form, subscription=subscription)
    return page, 422 if form.refused else 200


@bp.route("/features", methods=["GET", "POST"])
@staff(StaffPermission.SUBSCRIPTIONS_UPDATE, subscription=subscription_with_id)
@refills
def features(subscription: Subscription) -> ResponseReturnValue:
    """Change what the subscription grants, feature by feature."""
    lock_for_edit(subscription)
    shown, granted = _features_shown(subscription), subscription.values
    form = with_features(FeaturesForm, shown)(data=shown_features(shown, granted))
    form.features = shown
    if form.validate_on_submit():
        with form.refusals():
            for code, value in sent_features(form, shown, granted).items():
                if code not in granted or value != granted[code]:
                    set_feature(subscription, code=code, value=value, by=actor.someone())
            return _saved(subscription)
    page = render_template("admin/subscriptions/features.html", form=form, subscription=subscription)
    return page, 422 if form.refused else 200


def _features_shown(subscription: Subscription) -> list[Feature]:
    """What can be granted on the services of its package, and what it has already."""
    offered = offered_features(subscription.service_type, subscription.package.providers)
    return [one for one in FEATURES.values() if one in offered or one.code in subscription.values]


def _saved(subscription: Subscription) -> ResponseReturnValue:
    flash_messages.done(_("Saved."))
    return redirect(url_for("admin_subscription.show", subscription_id=subscription.id), 303)

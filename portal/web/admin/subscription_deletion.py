"""Deleting a subscription. The page says beforehand what goes with it, or why it has to stay."""

from typing import Any

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal.edge import actor
from portal.edge.i18n import gettext as _
from portal.edge.i18n import translated
from portal.edge.staff_guard import staff
from portal.errors import Message
from portal.people.staff import StaffPermission
from portal.status.subscription_lifecycle import delete_subscription, reason_to_keep
from portal.status.subscription_usage import counted
from portal.subscriptions.models import Subscription
from portal.subscriptions.queries import subscription_with_id
from portal.web import flash_messages
from portal.web.forms import Form

bp = Blueprint("admin_subscription_deletion", __name__, url_prefix="/admin/subscriptions/<id:subscription_id>")


@bp.route("/deletion", methods=["GET", "POST"])
@staff(StaffPermission.SUBSCRIPTIONS_DELETE, subscription=subscription_with_id)
def delete(subscription: Subscription) -> ResponseReturnValue:
    """Ask for confirmation, then delete the subscription."""
    form, kept = Form(), reason_to_keep(subscription)
    if form.validate_on_submit():
        with form.refusals():
            name = subscription.name
            delete_subscription(subscription, by=actor.someone())
            flash_messages.done(_("“%(name)s” was deleted.", name=name))
            return redirect(url_for("admin_subscriptions.index"), 303)
    about: dict[str, Any] = {"title": Message("Delete subscription"), "button": Message("Delete subscription")}
    says = _what_goes(subscription) if kept is None else []
    page = render_template(
        "admin/subscriptions/act.html",
        subscription=subscription,
        form=form if kept is None else None,
        says=[translated(one) for one in says],
        kept=kept,
        dangerous=True,
        **about,
    )
    return page, 422 if form.refused else 200


def _what_goes(subscription: Subscription) -> list[Message]:
    here = counted(subscription)
    accounts = Message.plural("Its %(n)d account goes with it.", "Its %(n)d accounts go with it.", n=here.accounts)
    rooms = Message.plural(
        "%(n)d room goes with it, with links, codes and history, and so do rooms in the trash.",
        "%(n)d rooms go with it, with links, codes and history, and so do rooms in the trash.",
        n=here.rooms,
    )
    in_trash = Message("It has no rooms but those in the trash, if any, which go with it.")
    return [
        accounts if here.accounts else Message("It has no accounts."),
        *([rooms if here.rooms else in_trash] if here.accounts else []),
        Message("The people can still sign in. This cannot be undone."),
    ]

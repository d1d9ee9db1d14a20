"""Moving an account to another subscription of its customer: what that changes is shown first."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from wtforms import HiddenField

from portal.accounts.models import Account
from portal.accounts.queries import account_with_id
from portal.clock import now
from portal.edge import actor
from portal.edge.i18n import gettext as _
from portal.edge.staff_guard import staff
from portal.errors import Invalid, Message
from portal.people.staff import StaffPermission
from portal.status.account_lifecycle import move_account, what_if_moved
from portal.subscriptions.models import Subscription
from portal.subscriptions.phases import phase_of
from portal.subscriptions.queries import subscriptions_of
from portal.web import flash_messages
from portal.web.forms import Form, query_word, refills

bp = Blueprint("admin_account_move", __name__, url_prefix="/admin/accounts/<id:account_id>/subscription")


class MoveForm(Form):
    """Where the account moves to: the subscription of which the page showed what that changes."""

    subscription_id = HiddenField(_l("Subscription"))


@bp.route("", methods=["GET", "POST"])
@staff(StaffPermission.ACCOUNTS_UPDATE, account=account_with_id)
@refills
def move(account: Account) -> ResponseReturnValue:
    """Choose another subscription, which is then `to` in the address; see what changes; and move the account there."""
    offered = {one.id: one for one in _where_it_can_move(account)}
    form = MoveForm()
    if form.validate_on_submit():
        with form.refusals():
            chosen = offered.get(form.subscription_id.data or "")
            if chosen is None:
                raise Invalid(Message("Choose another subscription of the same customer and type."))
            move_account(account, chosen, by=actor.someone())
            flash_messages.done(_("“%(name)s” belongs to another subscription now.", name=account.account_name))
            return redirect(url_for("admin_account.show", account_id=account.id), 303)
    to = offered.get((form.subscription_id.data or "") if request.method == "POST" else query_word("to"))
    at = now()
    page = render_template(
        "admin/accounts/move.html",
        account=account,
        form=form,
        offered=[(one, phase_of(one, at)) for one in offered.values()],
        to=to,
        phase=phase_of(to, at) if to else None,
        move=what_if_moved(account, to) if to else None,
    )
    return page, 422 if form.refused else 200


def _where_it_can_move(account: Account) -> list[Subscription]:
    own = account.subscription
    theirs = subscriptions_of(account.customer)
    return [one for one in theirs if one.uuid != own.uuid and one.service_type is own.service_type]

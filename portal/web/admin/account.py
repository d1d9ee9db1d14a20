"""The pages of one account: what there is in it, changing it, its status with what that does, and its end."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from wtforms import RadioField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from portal.accounts.models import Account, AccountStatus
from portal.accounts.operations import change_account, lock_account
from portal.accounts.queries import account_with_id
from portal.clock import now
from portal.edge import actor
from portal.edge.i18n import gettext as _
from portal.edge.i18n import translated
from portal.edge.staff_guard import staff, staff_can
from portal.errors import Conflict, Message
from portal.metadata import read_metadata, written
from portal.people.staff import StaffPermission
from portal.permissions.ownership import may_transfer
from portal.status.account_lifecycle import (
    AccountContents,
    change_account_status,
    contents_of,
    delete_account,
    reason_to_keep_account,
    reason_to_stay_inactive,
)
from portal.subscriptions.phases import phase_of
from portal.web import flash_messages
from portal.web.edit_forms import EditForm, lock_for_edit
from portal.web.forms import refills
from portal.web.stopping_words import resuming_words, stopping_words

bp = Blueprint("admin_account", __name__, url_prefix="/admin/accounts/<id:account_id>")


class AccountForm(EditForm):
    """What can be changed of an account in place. Its subscription and its owner have pages of their own."""

    account_name = StringField(_l("Name"), [InputRequired(_l("Fill this in."))], render_kw={"autocomplete": "off"})
    account_metadata = TextAreaField(_l("Metadata"), render_kw={"rows": 4, "spellcheck": "false", "dir": "ltr"})

    @staticmethod
    def stored(account: Account) -> dict[str, str]:
        """What the form shows of an account."""
        metadata = account.account_metadata
        return {
            "account_name": account.account_name,
            "account_metadata": written(metadata, indent=2) if metadata else "",
        }


class AccountStatusForm(EditForm):
    """The status of an account."""

    status = RadioField(_l("Status"), coerce=AccountStatus)


@bp.get("")
@staff(StaffPermission.ACCOUNTS_READ, account=account_with_id)
def show(account: Account) -> ResponseReturnValue:
    """Show an account: its subscription, its owner, and what there is in it."""
    return render_template(
        "admin/accounts/show.html",
        account=account,
        here=contents_of(account),
        phase=phase_of(account.subscription, now()),
        kept=reason_to_keep_account(account),
        transfers=may_transfer(actor.someone(), account) and staff_can(StaffPermission.ACCOUNTS_UPDATE),
    )


@bp.route("/edit", methods=["GET", "POST"])
@staff(StaffPermission.ACCOUNTS_UPDATE, account=account_with_id)
@refills
def edit(account: Account) -> ResponseReturnValue:
    """Change the name and the metadata."""
    lock_for_edit(account)
    form = AccountForm(data=AccountForm.stored(account))
    if form.validate_on_submit():
        with form.refusals():
            metadata = read_metadata(form.account_metadata.data or "", field="account_metadata")
            change_account(account, account_name=form.account_name.data, metadata=metadata, by=actor.someone())
            flash_messages.done(_("Saved."))
            return _back(account)
    return render_template("admin/accounts/edit.html", form=form, account=account), 422 if form.refused else 200


@bp.route("/status", methods=["GET", "POST"])
@staff(StaffPermission.ACCOUNTS_UPDATE, account=account_with_id)
@refills
def status(account: Account) -> ResponseReturnValue:
    """Change the status. The page says beforehand what each does to how many rooms and people inside."""
    lock_for_edit(account, lock_account)
    form = AccountStatusForm(data={"status": account.status})
    form.status.choices = [SelectChoice(one, translated(one.label)) for one in AccountStatus]
    if form.validate_on_submit():
        with form.refusals():
            change_account_status(account, form.status.data, by=actor.someone())
            label = translated(account.status.label)
            flash_messages.done(_("“%(name)s” is %(status)s now.", name=account.account_name, status=label))
            return _back(account)
    here = contents_of(account)
    page = render_template(
        "admin/accounts/status.html",
        form=form,
        account=account,
        says={one: [translated(words) for words in _about(account, one, here)] for one in AccountStatus},
    )
    return page, 422 if form.refused else 200


def _about(account: Account, status: AccountStatus, here: AccountContents) -> list[Message]:
    """What is said of a status on the page where it is chosen."""
    if status is account.status:
        return [Message("So it is now.")]
    if status is AccountStatus.INACTIVE:
        stops = stopping_words(rooms=here.rooms, people=here.people)
        return [*stops, Message("Nothing new is made in it, and it can be deleted.")]
    reason = reason_to_stay_inactive(account)
    if reason is not None:
        return [reason]
    if not account.subscription.is_active(now()):
        return [Message("Its rooms stay closed, because its subscription cannot be used now.")]
    return resuming_words(rooms=here.rooms)


@bp.route("/deletion", methods=["GET", "POST"])
@staff(StaffPermission.ACCOUNTS_DELETE, account=account_with_id)
def delete(account: Account) -> ResponseReturnValue:
    """Say what goes, then delete an inactive account with its rooms."""
    if request.method != "POST":
        kept = reason_to_keep_account(account)
        return render_template("admin/accounts/delete.html", account=account, here=contents_of(account), kept=kept)
    name, customer = account.account_name, account.customer
    try:
        delete_account(account, by=actor.someone())
    except Conflict as conflict:
        flash_messages.failed(translated(conflict.message))
        return _back(account)
    flash_messages.done(_("“%(name)s” was deleted, with its rooms.", name=name))
    if not staff_can(StaffPermission.CUSTOMERS_READ):
        return redirect(url_for("admin.index"), 303)
    return redirect(url_for("admin_customer.show", customer_id=customer.id), 303)


def _back(account: Account) -> ResponseReturnValue:
    return redirect(url_for("admin_account.show", account_id=account.id), 303)

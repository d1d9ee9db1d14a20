"""What is used of a plan, for a customer's own people who may see it: of all plans, or where they share one account."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from portal.accounts.models import Account
from portal.accounts.permission import AccountPermission
from portal.customers.models import Customer
from portal.customers.permission import CustomerPermission
from portal.edge.place_guard import at_customer, in_account
from portal.status.account_lifecycle import contents_of
from portal.status.subscription_usage import counted_each, usage, usage_of
from portal.subscriptions.queries import subscriptions_of

bp = Blueprint("usage", __name__, url_prefix="/manage")


@bp.get("/customers/<id:customer_id>/usage")
@at_customer(CustomerPermission.USAGE_VIEW)
def of_customer(customer: Customer) -> ResponseReturnValue:
    """Show what is used of each plan of the customer, and by which accounts and rooms."""
    plans = [(one.name, usage(one)) for one in subscriptions_of(customer)]
    return render_template("manage/places/usage.html", place=customer, name=customer.display_name, plans=plans)


@bp.get("/accounts/<id:account_id>/usage")
@in_account(AccountPermission.USAGE_VIEW)
def of_account(account: Account) -> ResponseReturnValue:
    """Show what is used in the account, and of its plan by all accounts that share it, without naming those."""
    plan = account.subscription
    used = usage_of(plan, counted_each([plan])[plan.uuid])
    return render_template(
        "manage/places/usage.html",
        place=account,
        name=account.account_name,
        plans=[(plan.name, used)],
        here=contents_of(account),
    )

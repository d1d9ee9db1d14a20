"""The door of views that make something in an account."""

from functools import wraps
from typing import Any

from flask import request

from portal.edge.guard import View, require_actor, stamp
from portal.errors import NotAllowed
from portal.permissions.creatable_accounts import creatable_account, creatable_accounts


def requires_in_account(view: View) -> View:
    """Pass the `accounts` in which the actor may create rooms to the view; 403 if there are none.

    The one that is named by `account` in the address or the form is among them, however many there are.
    """

    @wraps(view)
    def guarded(**address: Any) -> Any:
        somebody, named = require_actor(), request.values.get("account", "")
        accounts = creatable_accounts(somebody)
        if named and named not in {account.id for account in accounts}:
            accounts = [*filter(None, [creatable_account(somebody, named)]), *accounts]
        if not accounts:
            raise NotAllowed
        return view(accounts=accounts, **address)

    return stamp(guarded, "requires_in_account")

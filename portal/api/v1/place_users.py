"""What the API's routes for the users of a customer and those for the users of an account have in common."""

from collections.abc import Collection
from datetime import datetime
from typing import Annotated, Any, Literal

from flask import Response
from pydantic import Field
from sqlalchemy.orm import lazyload

from portal.accounts.models import Account
from portal.api.v1.core import pagination, query_params, responses
from portal.api.v1.core.query_params import Listing
from portal.api.v1.core.request_body import AwareDateTime, RequestBody
from portal.customers.models import Customer
from portal.db import lock
from portal.edge import actor
from portal.people.models import EMAIL_LENGTH, User
from portal.permissions.memberships import (
    add_membership,
    change_membership,
    find_membership,
    people_of,
    remove_membership,
)
from portal.permissions.ownership import transfer_ownership
from portal.resources.place_users import serialize_place_user

TAG = "Users of customers and accounts"
Email = Annotated[str, Field(max_length=EMAIL_LENGTH)]


class MembershipChange(RequestBody):
    """What both kinds of memberships have besides their permissions."""

    until: AwareDateTime | None = None
    owner: Annotated[
        Literal[True] | None, Field(description="Make this member the owner. The former owner becomes a member.")
    ] = None


def list_users(place: Account | Customer, listing: Listing) -> Response:
    """The owner and the members of the place."""
    asked = query_params.list_query(listing)
    rows, page = pagination.rows_of(asked, people_of(place), lazyload(User.platform_roles))
    return responses.listing([serialize_place_user(place, row[0], row[1]) for row in rows], asked.selection, page)


def add_user(
    place: Account | Customer,
    listing: Listing,
    *,
    email: str,
    permissions: Collection[Any],
    until: datetime | None,
    at: str,
) -> Response:
    """Add a member. `at` is the path of the list."""
    selection = query_params.field_selection(listing)
    member = add_membership(place=place, email=email, permissions=permissions, until=until, by=actor.someone())
    made = serialize_place_user(place, member.user, member)
    return responses.created(made, selection, at=f"{at}/{member.user.id}", tag=responses.etag_of(member))


def change_user(
    place: Account | Customer, user_id: str, listing: Listing, *, permissions: Collection[Any], body: MembershipChange
) -> Response:
    """Change what was sent of a membership; `permissions` counts if it was."""
    selection, member = query_params.field_selection(listing), find_membership(place, user_id)
    lock(member)  # what is not given stays as it is by now
    responses.check_if_match(member)
    given, user = body.given(), member.user
    if {"permissions", "until"} & given.keys():
        kept: Any = permissions if "permissions" in given else member.permissions
        change_membership(member, permissions=kept, until=given.get("until", member.until), by=actor.someone())
    if body.owner:
        transfer_ownership(place, user, by=actor.someone())
        return responses.single(serialize_place_user(place, user, None), selection, tag=responses.etag_of(user))
    return responses.single(serialize_place_user(place, user, member), selection, tag=responses.etag_of(member))


def remove_user(place: Account | Customer, user_id: str) -> Response:
    """End a membership."""
    member = find_membership(place, user_id)
    responses.check_if_match(member)
    remove_membership(member, by=actor.someone())
    return responses.no_content()

"""The users of a customer, and those of an account: its owner and its members."""

from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field

from portal.accounts.models import Account, AccountMember
from portal.accounts.permission import AccountPermission
from portal.customers.models import Customer, CustomerMember
from portal.customers.permission import CustomerPermission
from portal.moments import iso_datetime
from portal.people.emails import canonical_email
from portal.people.models import User
from portal.resources.columns import Column, worded
from portal.resources.declaring import Id, IdentifiedResource, Read, serializer


class _PlaceUser(NamedTuple):
    """A user of a customer or account; `member` is None for its owner, who may do everything."""

    user: User
    place: Account | Customer
    member: AccountMember | CustomerMember | None

    @property
    def since(self) -> User | AccountMember | CustomerMember:
        """The row that says since when he is one."""
        return self.member or self.user

    @property
    def permissions(self) -> list[str]:
        if self.member is not None:
            return sorted(self.member.permissions)
        return sorted(AccountPermission if isinstance(self.place, Account) else CustomerPermission)


class PlaceUserSchema(IdentifiedResource):
    """What a user of a customer and one of an account have in common. `id` is the user's."""

    id: Annotated[Id, Column(User.id), Read("user.id")]
    uuid: Annotated[str, Field(description="UUIDv7 (RFC 9562)."), Read(lambda one, _: str(one.user.uuid))]
    ulid: Annotated[str, Field(description="The same 128 bits in Crockford's base 32."), Read("user.ulid")]
    created_at: Annotated[datetime, Column(User.created_at), Read("since.created_at")]
    updated_at: Annotated[datetime, Column(User.updated_at), Read("since.updated_at")]
    name: Annotated[str, worded(User.name), Read("user.name")]
    email: Annotated[str, Column(User.email, stored=lambda text: canonical_email(text) or text), Read("user.email")]
    owner: Annotated[bool, Read(lambda one, _: one.member is None)]
    until: Annotated[datetime | None, Read(lambda one, _: iso_datetime(one.member.until) if one.member else None)]


class CustomerUserSchema(PlaceUserSchema):
    """A user of a customer, and what he may do there and in all its accounts."""

    object: Literal["CustomerUser"]
    customer_id: Annotated[Id, Read("place.id")]
    permissions: list[CustomerPermission]


class AccountUserSchema(PlaceUserSchema):
    """A user of an account, and what he may do in it."""

    object: Literal["AccountUser"]
    account_id: Annotated[Id, Read("place.id")]
    permissions: list[AccountPermission]


_serialize_customer_user, _serialize_account_user = serializer(CustomerUserSchema), serializer(AccountUserSchema)


def serialize_place_user(
    place: Account | Customer, user: User, member: AccountMember | CustomerMember | None
) -> dict[str, Any]:
    """A user of the place, as a `CustomerUser` or an `AccountUser`; without a `member` its owner."""
    serialize = _serialize_account_user if isinstance(place, Account) else _serialize_customer_user
    return serialize(_PlaceUser(user, place, member))

"""Who may be made a member by naming him: people who belong to the same customer already.

Whether anybody else has an account here is nobody's business, so an unknown address and one of another customer's
people are looked for by the same statement and get the same answer.
"""

from uuid import UUID

import sqlalchemy as sa

from portal.accounts.models import Account, AccountMember
from portal.clock import now
from portal.customers.models import Customer, CustomerMember
from portal.db import session
from portal.errors import Message
from portal.identifiers import matches_identifier
from portal.people.emails import canonical_email
from portal.people.models import User
from portal.permissions.members import RoomMember
from portal.rooms.models import Room


def find_colleague(customer: Customer, *, email: str | None = None, user_id: str | None = None) -> User | None:
    """The user with this e-mail, or with this id, uuid or ulid, if he belongs to the customer; else None."""
    at = now()
    named = matches_identifier(User, user_id) if user_id is not None else User.email == canonical_email(email or "")
    theirs, rooms = Account.customer_uuid == customer.uuid, Room.customer_uuid == customer.uuid
    belongs = sa.or_(
        User.uuid == customer.owner_uuid,
        sa.exists().where(
            CustomerMember.customer_uuid == customer.uuid,
            CustomerMember.user_uuid == User.uuid,
            CustomerMember.lasts(at),
        ),
        sa.exists().where(theirs, Account.owner_uuid == User.uuid),
        sa.exists().where(
            theirs,
            AccountMember.account_uuid == Account.uuid,
            AccountMember.user_uuid == User.uuid,
            AccountMember.lasts(at),
        ),
        sa.exists().where(rooms, Room.owner_uuid == User.uuid),
        sa.exists().where(
            rooms, RoomMember.room_uuid == Room.uuid, RoomMember.user_uuid == User.uuid, RoomMember.lasts(at)
        ),
    )
    return session.scalars(sa.select(User).where(named, belongs)).unique().one_or_none()


def people_belonging_to(customer: Customer) -> sa.CompoundSelect[UUID]:
    """A SELECT of the uuids of all who belong to the customer, each once, whatever the end of a membership."""
    theirs, rooms = Account.customer_uuid == customer.uuid, Room.customer_uuid == customer.uuid
    return sa.union(
        sa.select(Customer.owner_uuid).where(Customer.uuid == customer.uuid),
        sa.select(CustomerMember.user_uuid).where(CustomerMember.customer_uuid == customer.uuid),
        sa.select(Account.owner_uuid).where(theirs),
        sa.select(AccountMember.user_uuid).join(AccountMember.account).where(theirs),
        sa.select(Room.owner_uuid).where(rooms),
        sa.select(RoomMember.user_uuid).join(RoomMember.room).where(rooms),
    )


def belongs_only_to(customer: Customer, user: User) -> bool:
    """Whether the user has no part in any other customer, whatever was granted to him there and until when."""
    other, rooms = Account.customer_uuid != customer.uuid, Room.customer_uuid != customer.uuid
    elsewhere = sa.or_(
        sa.exists().where(Customer.owner_uuid == user.uuid, Customer.uuid != customer.uuid),
        sa.exists().where(CustomerMember.user_uuid == user.uuid, CustomerMember.customer_uuid != customer.uuid),
        sa.exists().where(other, Account.owner_uuid == user.uuid),
        sa.exists().where(other, AccountMember.account_uuid == Account.uuid, AccountMember.user_uuid == user.uuid),
        sa.exists().where(rooms, Room.owner_uuid == user.uuid),
        sa.exists().where(rooms, RoomMember.room_uuid == Room.uuid, RoomMember.user_uuid == user.uuid),
    )
    return not session.scalar(sa.select(elsewhere))


def no_colleague(customer: Customer, *, named: str = "email") -> Message:
    """What is said of everybody who does not belong to the customer, whether he has an account here or not.

    `named` is the field by which he was named: `email` or `user_id`.
    """
    name = customer.display_name
    if named == "user_id":
        return Message(
            "Nobody with this id belongs to %(customer)s. Ask whoever runs this portal to add them.", customer=name
        )
    return Message(
        "Nobody with this address belongs to %(customer)s. Ask whoever runs this portal to add them.", customer=name
    )

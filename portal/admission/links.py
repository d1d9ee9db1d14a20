"""Links and access codes as the rules ask them, be they rows or values that a door has read."""

from datetime import datetime
from typing import Protocol
from uuid import UUID

from portal.rooms.models import Role


class LinkLike(Protocol):
    """A link into a room, with one role."""

    __tablename__: str

    @property
    def uuid(self) -> UUID: ...
    @property
    def room_uuid(self) -> UUID: ...
    @property
    def role(self) -> Role: ...
    @property
    def person(self) -> str: ...
    @property
    def not_before(self) -> datetime | None: ...
    @property
    def expires_at(self) -> datetime | None: ...
    @property
    def grace_until(self) -> datetime | None: ...
    @property
    def max_uses(self) -> int | None: ...
    @property
    def use_count(self) -> int: ...
    @property
    def paused_at(self) -> datetime | None: ...
    @property
    def revoked_at(self) -> datetime | None: ...
    @property
    def automatic(self) -> bool: ...
    @property
    def rotated_to_uuid(self) -> UUID | None: ...
    @property
    def chain_uuid(self) -> UUID | None: ...
    @property
    def ends_at(self) -> datetime | None: ...
    @property
    def replaced(self) -> bool: ...
    def expired(self, at: datetime) -> bool: ...
    def works(self, at: datetime) -> bool: ...


class CodeLike(Protocol):
    """An access code of a room, for links of one role."""

    __tablename__: str

    @property
    def uuid(self) -> UUID: ...
    @property
    def normal(self) -> str: ...
    @property
    def role(self) -> Role: ...
    @property
    def expires_at(self) -> datetime | None: ...
    def expired(self, at: datetime) -> bool: ...


class LinkLife:
    """What follows from the columns of a link, for everything that is a `LinkLike`."""

    @property
    def ends_at(self: LinkLike) -> datetime | None:
        """When the link stops working: `expires_at` or `grace_until`, whichever is earlier. None: never."""
        return min(filter(None, (self.expires_at, self.grace_until)), default=None)

    def expired(self: LinkLike, at: datetime) -> bool:
        """Whether its end has come at `at`, be it its own or that of its grace."""
        return self.ends_at is not None and self.ends_at <= at

    @property
    def replaced(self: LinkLike) -> bool:
        """Whether it was rotated: a new link replaces it, though it may still work until its grace ends."""
        return self.grace_until is not None

    def works(self: LinkLike, at: datetime) -> bool:
        """Whether it is neither revoked, paused, expired nor used up at `at`.

        Whoever has a link that works may know the room's name.
        """
        used_up = self.max_uses is not None and self.use_count >= self.max_uses
        return self.revoked_at is None and self.paused_at is None and not self.expired(at) and not used_up


class CodeLife:
    """What follows from the columns of an access code, for everything that is a `CodeLike`."""

    def expired(self: CodeLike, at: datetime) -> bool:
        """Whether its end has come at `at`."""
        return self.expires_at is not None and self.expires_at <= at

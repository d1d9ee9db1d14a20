"""A known device: a browser in which somebody has signed in before, as the browser's signed cookie says."""

import secrets
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from portal.people.models import User

MOST_USERS = 8  # of one device, such as the computer of a library: the cookie stays small


@dataclass(frozen=True)
class KnownDevice:
    """A browser with a random id, and the uuids of those who have signed in there, the last one first."""

    id: str
    users: tuple[UUID, ...] = ()

    @classmethod
    def new(cls) -> Self:
        """A device that knows nobody yet."""
        return cls(id=secrets.token_urlsafe(18))

    def knows(self, user: User) -> bool:
        """Whether this user has signed in there."""
        return user.uuid in self.users

    def remembering(self, user: User) -> "KnownDevice":
        """The device after this user has signed in there."""
        others = tuple(uuid for uuid in self.users if uuid != user.uuid)
        return KnownDevice(self.id, (user.uuid, *others)[:MOST_USERS])

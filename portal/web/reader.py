"""What the frame of every page says of the person who is signed in, as one value: pages are cached for each reader."""

from dataclasses import dataclass

from portal.edge import actor
from portal.web.admin.navigation import NavEntry, entries_for


@dataclass(frozen=True)
class Reader:
    """The person who is signed in, as `layouts/portal.html` shows him."""

    id: str
    name: str
    email: str
    staff_nav: tuple[NavEntry, ...] = ()
    """The navigation of platform staff; empty for everybody else."""


def reader() -> Reader | None:
    """The reader of this request's page, or None if nobody is signed in."""
    somebody = actor.current()
    if somebody is None:
        return None
    return Reader(somebody.user.id, somebody.user.name, somebody.user.email, entries_for(somebody))

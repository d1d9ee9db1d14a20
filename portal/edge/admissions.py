"""Admissions: who stands at the door of a room, and who is in, as doors hand them to views."""

from dataclasses import dataclass, replace
from functools import cached_property

from portal.admission.door import Door, DoorRoom
from portal.admission.occupancy import Occupancy
from portal.admission.queries import occupancy_for
from portal.admission.visitor import Visitor
from portal.clock import now
from portal.edge import admission_cookie
from portal.edge.admission_cookie import AdmissionCookie
from portal.media.capacity import recording_ahead
from portal.people.actor import Actor
from portal.providers.base import RecordingMode
from portal.rooms.models import Room
from portal.status.models import Participation
from portal.status.services import provider_of
from portal.subscriptions.protocols import ProviderLike


@dataclass(frozen=True)
class Admission:
    """A visitor at the door of a room, with or without a right to enter it."""

    door: Door
    visitor: Visitor
    cookie: AdmissionCookie
    is_new: bool
    """Whether the browser came without a cookie, so that the answer has to carry one."""

    @property
    def room(self) -> DoorRoom:
        """The room."""
        return self.door.room

    @cached_property
    def occupancy(self) -> Occupancy:
        """Who is in, for the page of the door. It came with the room, or is read when a sent form is shown again."""
        return self.door.occupancy or occupancy_for(self.room, replace(self.visitor, device=self.cookie.device))

    @property
    def proof(self) -> str:
        """The CSRF token for forms on the page of the room's door."""
        return admission_cookie.proof(self.cookie, self.room.id)

    @property
    def address(self) -> str:
        """The room's address for this visitor: with the name in it only if he may know the name."""
        link = self.visitor.link
        known = self.room.is_public or self.visitor.member is not None or (link is not None and link.works(now()))
        return self.room.path if known else f"/rooms/{self.room.id}"

    @property
    def provider(self) -> ProviderLike:
        """The provider of the room's running run, or else the one on which a run would start."""
        return provider_of(self.room, self.door.run_provider_uuid)

    @property
    def recording(self) -> RecordingMode:
        """Whether who enters now may be recorded."""
        door = self.door
        return recording_ahead(self.room, self.provider, of_run=door.run_recording, counts=door.recordings)

    @property
    def may_know(self) -> bool:
        """Whether this visitor may learn that the room exists: he has a link, is a member, or the room is public."""
        return self.visitor.link is not None or self.visitor.member is not None or self.room.is_public


@dataclass(frozen=True)
class Participant:
    """Somebody who is in: the room, his open participation, and his cookie. `member` is None for guests."""

    room: Room
    participation: Participation
    cookie: AdmissionCookie
    member: Actor | None

    @property
    def proof(self) -> str:
        """The CSRF token for the player's requests."""
        return admission_cookie.proof(self.cookie, self.room.id)

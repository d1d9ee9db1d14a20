"""Who stands at a room's door: by which link or right somebody comes, and on which device."""

from dataclasses import dataclass
from uuid import UUID

from portal.admission.case import role_by
from portal.admission.links import LinkLike
from portal.people.actor import Actor
from portal.rooms.models import Role


@dataclass(frozen=True, kw_only=True)
class Visitor:
    """Somebody at the door of a room: a device, with a link, a membership, or neither."""

    device: str | None = None
    token: LinkLike | None = None
    member: Actor | None = None
    member_role: Role | None = None

    @property
    def link(self) -> LinkLike | None:
        """The link that the decision looks at. An automatic token counts only if it was revoked or paused."""
        token = self.token
        if token is None or (token.automatic and token.revoked_at is None and token.paused_at is None):
            return None
        return token

    @property
    def role(self) -> Role:
        """The role in which the visitor would enter: the link's, else the member's, else guest."""
        return role_by(self.link.role if self.link is not None else None, self.member_role)

    @property
    def sign_in_uuid(self) -> UUID | None:
        """By which a member comes; None for guests, and for a member whom a program lets in."""
        return self.member.sign_in.uuid if self.member is not None and self.member.sign_in is not None else None

    @property
    def fixed_name(self) -> str:
        """The name that the visitor cannot change: the member's, or that of a personal link; "" if there is none."""
        if self.member is not None:
            return self.member.user.name
        return self.token.person if self.token is not None else ""

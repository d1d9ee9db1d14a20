"""What the join page shows, as one frozen value: the whole input of its template, and the key of the cached page.

A fact that the page is to say becomes a field of `JoinPage`. Its template is given this value and nothing else that
depends on the visitor, so a fact that is missing here cannot be shown, and none that is here can be shown stale.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from flask import render_template, request, url_for

from portal.admission.case import Enter, Reason, Wait
from portal.admission.decision import Decision
from portal.admission.joining import meets_here
from portal.admission.queries import find_replacement
from portal.admission.waiting import waits_for
from portal.clock import now
from portal.edge import actor
from portal.edge.admissions import Admission
from portal.edge.i18n import when, zone_name
from portal.edge.visitors import find_member
from portal.providers.base import RecordingMode
from portal.resources.urls import token_url
from portal.rooms.images import shown_image
from portal.rooms.models import Role
from portal.rooms.settings import FEATURED_IMAGE, asks_name, is_live
from portal.status.time_limit import end_of_run, longest_minutes
from portal.subscriptions.provider_models import ServiceType
from portal.web.forms import Form

TEMPLATE = "join/show.html"
DoorState = Literal["open", "opening", "waiting", "lobby", "lobby unattended", "locked", "full"]


@dataclass(frozen=True, kw_only=True)
class JoinPage:
    """The facts of one join page that has a form, or a countdown until it has one."""

    room_id: str
    address: str
    """The path of the join page without a query."""
    room_name: str
    description: str
    image: str
    """The address of the room's featured picture; "" if there is none."""
    owner: str
    customer: str
    state: DoorState
    opens_at: datetime | None
    """When the room opens, if it does so later."""
    people_in: int | None
    """How many are in; None if the room is not live."""
    minutes: int | None
    """How many minutes a conversation may last here; None for any number."""
    ends_at: datetime | None
    """When the running conversation ends by that."""
    ends: str
    """`ends_at` for people, in the reader's time zone; "" if there is none. It changes at midnight."""
    meets_here: bool
    """Whether people meet on a page of the portal, so that they can check camera and microphone here."""
    watches: bool
    """Whether the visitor comes to watch, and not to talk or to send."""
    asks_name: bool
    """Whether they give a name."""
    recording: RecordingMode
    """Whether who joins now may be recorded."""
    inside_already: bool
    """Whether this device still has a place in the room."""
    asked: bool
    """Whether the visitor has pressed Join and waits for the host, or for a moderator's answer."""
    crowded: bool
    """Whether he has, but so many wait that he got no place among them."""
    code_asked: bool
    name: str
    """The name to fill in."""
    fixed_name: str
    """The name that the visitor cannot change; "" if he chooses one."""
    signed_in: bool
    is_member: bool
    bad_link: bool
    """Whether the link in the address was not right, but the room is public."""
    replaced: bool
    """Whether the link in the address took the place of another by which this browser came before."""
    new_link: str
    """The address that replaces the visitor's link after a rotation; "" if there is none."""
    link_ends_at: datetime | None
    """When the visitor's old link stops working, if there is a new one."""

    @property
    def cacheable(self) -> bool:
        """Whether the rendered page may be cached: a countdown changes by itself, and a link is a secret."""
        return self.opens_at is None and not self.new_link


def join_page(
    admission: Admission,
    decision: Decision,
    *,
    name: str,
    asked: bool = False,
    crowded: bool = False,
    bad_link: bool = False,
) -> JoinPage:
    """The page for this visitor. `asked`: he has pressed Join just now, and has a place; `crowded`: he got none."""
    room, visitor, result = admission.room, admission.visitor, decision.result
    new_link, started_at = _new_link(admission), admission.occupancy.run_started_at
    ends_at = end_of_run(room, started_at) if started_at is not None else None
    return JoinPage(
        room_id=room.id,
        address=room.path,
        room_name=room.room_name,
        description=room.description,
        image=_image(admission),
        owner=room.owner_name,
        customer=room.customer.display_name,
        state=_state(decision),
        opens_at=result.until if isinstance(result, Wait) and result.wait_for == "opening" else None,
        people_in=admission.door.people_in,
        minutes=longest_minutes(room),
        ends_at=ends_at,
        ends=f"{when(ends_at)} ({zone_name()})" if ends_at is not None else "",
        meets_here=meets_here(admission.provider),
        watches=room.room_type is ServiceType.VIDEO or (is_live(room) and visitor.role is not Role.MODERATOR),
        asks_name=asks_name(room),
        recording=admission.recording,
        inside_already=decision.case.inside_already,
        asked=(asked or asks_again(decision, name)) and waits_for(decision) is not None,
        crowded=crowded,
        code_asked=decision.case.code_needed,
        name=name,
        fixed_name=visitor.fixed_name,
        signed_in=actor.current() is not None,
        is_member=is_member(room.id),
        bad_link=bad_link,
        replaced=request.args.get("replaced") == "1",
        new_link=new_link,
        link_ends_at=visitor.link.ends_at if new_link and visitor.link is not None else None,
    )


def render(page: JoinPage, form: Form, *, proof: str) -> str:
    """The page with its form. `proof` is the CSRF token of the form."""
    return render_template(TEMPLATE, page=page, form=form, proof=proof)


def is_member(room_id: str) -> bool:
    """Whether somebody is signed in here who may enter the room as a member."""
    somebody = actor.current()
    return somebody is not None and find_member(somebody, room_id, device="") is not None


def asks_again(decision: Decision, name: str) -> bool:
    """Whether this is the page of somebody under this name who has pressed Join before. It cannot carry a code."""
    return request.args.get("asked") == "1" and bool(name) and not decision.case.code_needed


def _state(decision: Decision) -> DoorState:
    if isinstance(decision.result, Enter):
        return "open"
    if isinstance(decision.result, Wait):
        if decision.result.wait_for == "approval":
            return "lobby" if decision.case.host_present else "lobby unattended"
        return "opening" if decision.result.wait_for == "opening" else "waiting"
    return "locked" if decision.reason is Reason.LOCKED else "full"  # the refusals with a form


def _image(admission: Admission) -> str:
    room = admission.room
    found = shown_image(room, room.room_settings, FEATURED_IMAGE)
    return url_for("room_images.show", room_id=room.id, image_id=found.id) if found is not None else ""


def _new_link(admission: Admission) -> str:
    """The link that replaces the visitor's link after a rotation, while the old one still works; else "".

    A new link whose role was raised since is not shown, because the owners of the old one were given less.
    """
    link = admission.visitor.link
    usable = link is not None and not link.expired(now()) and link.revoked_at is None
    fresh = find_replacement(link) if link is not None and usable else None
    if link is None or fresh is None or fresh.revoked_at is not None or fresh.role.rank > link.role.rank:
        return ""
    return token_url(admission.room, fresh)

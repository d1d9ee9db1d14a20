"""Visitors who wait at the door, for the host or for a moderator's answer: kept in the channels, never stored.

A visitor waits once he has pressed Join; a page that is only open does not count. His page asks again every few
seconds, which keeps his place, over a reload too; when he closes the page or enters, he drops out. How many may wait
is bounded, for a room and for each network, so that nobody fills a moderator's page with made-up names.
"""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from portal.admission.case import Wait
from portal.admission.decision import Decision
from portal.admission.visitor import Visitor
from portal.channels import channels
from portal.clock import now
from portal.errors import ChannelsAway
from portal.identifiers import new_id
from portal.rooms.operations import room_topics
from portal.rooms.protocols import RoomColumns
from portal.rooms.settings import guest_policy_of, needs_host

WAITING_SECONDS = 70  # browsers let a hidden page send a request only once a minute
MOST_IN_ROOM, MOST_OF_NETWORK = 200, 50
_GROUP = "waiting:"
_TRIES = 3  # only tabs of one device ever compete for one place

WaitsFor = Literal["host", "approval"]
"""What visitors wait for who have pressed Join. Who comes before the opening time has not."""


@dataclass(frozen=True)
class Waiter:
    """Somebody who waits for a moderator's answer. `id` names him to moderators, and tells nothing of his device.

    `since` is the moment at which he pressed Join, in ISO 8601.
    """

    id: str
    name: str
    since: str
    device: str
    user_uuid: UUID | None
    token_uuid: UUID | None


def waits_for(decision: Decision) -> WaitsFor | None:
    """What a visitor waits for who has pressed Join; None if he need not, or cannot."""
    result = decision.result
    return result.wait_for if isinstance(result, Wait) and result.wait_for != "opening" else None


def start_waiting(room: RoomColumns, visitor: Visitor, decision: Decision, *, name: str, network: str) -> bool:
    """Give a visitor who has pressed Join a place among those who wait, and nudge pages that show them.

    Returns False if there are too many. Does nothing if the decision is another. If the channels are away, it does
    nothing either, as all functions here: that must keep nobody from the room.
    """
    what = waits_for(decision)
    if what is None:
        return True
    group, member = _group(room), _member(visitor)
    place = {
        "for": what,
        "name": visitor.fixed_name or name,
        "network": network,
        "device": visitor.device or "",
        "user": str(visitor.member.uuid) if visitor.member is not None else "",
        "token": str(visitor.token.uuid) if visitor.token is not None else "",
    }
    with suppress(ChannelsAway):
        for _try in range(_TRIES):
            places = channels().presence(group)
            known = places.get(member, {})
            if not known and _crowded(places, network):
                return False
            first = {"id": known.get("id") or new_id(), "since": known.get("since") or now().isoformat()}
            if channels().set_present(group, member, place | first, WAITING_SECONDS, instead_of=known):
                if place | first != known:
                    channels().nudge(*room_topics(room), word=room.id)
                break
    return True


def keep_waiting(room: RoomColumns, visitor: Visitor, decision: Decision) -> None:
    """Keep the place of a visitor whose page asks again. One who has not pressed Join has none."""
    what = waits_for(decision)
    if what is None:
        return
    group, member = _group(room), _member(visitor)
    with suppress(ChannelsAway):
        known = channels().presence(group).get(member)
        if known is not None:
            channels().set_present(group, member, known | {"for": what}, WAITING_SECONDS, instead_of=known)


def stop_waiting(room: RoomColumns, visitor: Visitor) -> None:
    """Give up the place of a visitor, because he has entered."""
    if needs_host(room) or guest_policy_of(room) == "ask":
        with suppress(ChannelsAway):
            channels().set_absent(_group(room), _member(visitor))


def count_waiting(room: RoomColumns) -> int:
    """How many visitors wait for the host; 0 if the room needs none, or if the channels are away."""
    return len(_places(room, "host")) if needs_host(room) else 0


def waiters_of(room: RoomColumns) -> list[Waiter]:
    """Who waits for a moderator's answer, in the order of coming; nobody, if the channels are away."""
    waiters = [
        Waiter(
            id=place["id"],
            name=place["name"],
            since=place["since"],
            device=place["device"],
            user_uuid=UUID(place["user"]) if place["user"] else None,
            token_uuid=UUID(place["token"]) if place["token"] else None,
        )
        for place in _places(room, "approval")
    ]
    return sorted(waiters, key=lambda waiter: (waiter.since, waiter.id))


def is_waiting_group(group: str) -> bool:
    """Whether this group in the channels holds waiting visitors, and not participants."""
    return group.startswith(_GROUP)


def _places(room: RoomColumns, what: WaitsFor) -> list[dict[str, Any]]:
    with suppress(ChannelsAway):
        return [place for place in channels().presence(_group(room)).values() if place["for"] == what]
    return []


def _crowded(places: dict[str, dict[str, Any]], network: str) -> bool:
    """Whether nobody else may wait, or nobody else of this network."""
    of_network = sum(place["network"] == network for place in places.values())
    return len(places) >= MOST_IN_ROOM or of_network >= MOST_OF_NETWORK


def _group(room: RoomColumns) -> str:
    return f"{_GROUP}{room.uuid}"


def _member(visitor: Visitor) -> str:
    """The name of the visitor in the group. A member has one, so he counts once on however many devices."""
    return f"user:{visitor.member.uuid}" if visitor.member is not None else f"device:{visitor.device}"

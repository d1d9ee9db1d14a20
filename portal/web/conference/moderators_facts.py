"""What a stream tells moderators alone: who was removed, who waits in the lobby, and whether there is one."""

from typing import Any

from portal.admission.lobby import turned_away, waiting_guests
from portal.admission.removals import removed_people, shared_links
from portal.rooms.models import Room
from portal.rooms.settings import guest_policy_of
from portal.status.models import RoomSession


def moderators_facts(room: Room, run: RoomSession) -> dict[str, Any]:
    """The facts, for JSON. `removed`, `waiting` and `turned_away` are people: `{"id", "name"}`.

    Of who was removed also the `role`, and the id of the `link` by which he came, if others may have it; else "".
    `public_room`: whoever was removed can come back without any link, with another browser.
    `lobby`: "on" or "off" where moderators turn it on and off; "always" or "never" where the room's settings say so.
    """
    policy, on = guest_policy_of(room), run.lobby_since is not None
    refused = turned_away(room) if on or policy == "ask" else []
    removed = removed_people(room)
    links = shared_links(removed)
    return {
        "removed": [
            {
                "id": one.id,
                "name": one.name,
                "role": one.role,
                "link": links[one.uuid].id if one.uuid in links else "",
            }
            for one in removed
        ],
        "public_room": room.is_public,
        "waiting": [{"id": one.id, "name": one.name} for one in waiting_guests(room)],
        "turned_away": [{"id": one.waiter, "name": one.name} for one in refused],
        "lobby": {"ask": "always", "refuse": "never"}.get(policy) or ("on" if on else "off"),
    }

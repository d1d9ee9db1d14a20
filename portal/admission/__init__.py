"""Admission: may somebody enter a room, and entering it. By a link (token), as a member, or as guest of a public room.

One pure function decides, by checks in a fixed order; the first that fails is the answer: enter as a role, wait, or
refuse. Capacity and uses are judged again under a row lock. A token opens one room, in one role; an expired one stops
entering only. When a room has any code for a role, every link of that role needs a valid one; members never need one.
Wrong codes are counted on the server. What is wrong with somebody's plan is never told to a guest.

    case.py checks.py decision.py    what is judged, by which checks, and the decision
    visitor.py           who stands at the door
    occupancy.py         who is in, and what a visitor did in the running session
    door.py              room and link as plain values, read by one statement
    links.py             links and codes as the rules ask them
    queries.py           reading what the decision needs, and tokens and codes
    locked_door.py       room, codes and people, read under the room's lock
    entering.py          judging under the lock, and entering
    joining.py           the whole way in, with the service behind the room asked between judging and entering
    models.py            the tables `RoomToken`, `AccessCode`, `JoinTicket` and `LobbyAnswer`
    issuing.py           making links
    tokens.py codes.py   changing and ending links; creating, changing and ending access codes
    automatic_tokens.py  the guest links that devices get in public rooms
    sharing.py           the link of each role that anybody may be handed, and its code
    join_tickets.py      addresses that let one person in once, for the API
    reauthorization.py   checking again that somebody who is in still may be
    participations.py    who took part in a run
    removals.py          whom moderators removed, and letting them in again
    waiting.py           who waits at the door, for the host or for a moderator's answer
    lobby.py             moderators' answers to who waits
    secrets.py           texts of tokens and codes
    throttle_buckets.py  limits on wrong codes and on automatic tokens
"""

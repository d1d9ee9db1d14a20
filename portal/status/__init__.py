"""Status: what is happening in rooms. The stored status of each room, its runs, and the participations in them.

A room has at most one running run (`RoomSession`; "session" on pages). A run is driven by the heartbeats of the
portal's own pages or by the service behind the room, and keeps the provider on which it started. Pages and the API
read the stored status and show its age; none of them asks a service. A status goes stale after one missed answer and
unknown after several. Whether a room may be used at all is the `status` field of the room, which is something else.

    models.py           the tables `RoomStatus`, `RoomSession` and `Participation`
    recording.py        storing a snapshot, and what it means for the run
    arrivals.py         entering a run
    entrance.py         a locked room as somebody enters it
    operations.py       leaving a run, and other roles in it
    presence.py         who is connected, and for how long somebody may be away before he is out
    time_limit.py       how long a run may last
    moderators.py       ending runs that the last moderator has left
    runs.py             starting and ending runs
    endings.py          what ending a run means for who is in
    service_calls.py    calling services: start, end
    service_polls.py    asking services how their runs go on
    callbacks.py        messages that services send
    callback_registration.py  asking services to send them
    services.py         the service of a room
    locking.py          a room under its lock
    maintenance.py      lapsed participants, ages, overdue runs
    room_lifecycle.py   changing and deleting a room together with its run
    account_lifecycle.py   an account's status, its subscription, its deletion, with what is in its rooms
    customer_lifecycle.py  a customer's status and deletion, with everything below
    subscription_lifecycle.py  a subscription's deletion, with its accounts and rooms
    queries.py          reading runs
    subscription_usage.py  what is used of a subscription's limits
    room_status_read.py a room and its status as plain values
"""

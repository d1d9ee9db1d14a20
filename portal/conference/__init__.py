"""The conference: what services share whose people meet on the portal's own page.

Each participant's page sends a heartbeat every three seconds; without any for nine seconds he is *connecting again*,
and his place is kept until sixty have passed. A device is in a room in one tab at a time. Media go directly between
browsers; the portal relays their signals and refuses those that a role may not send: only moderators mute and remove
others, lock the room, and end the run for everyone. A removed person stays out for as long as the run lasts, or until a
moderator lets him in again. Chat goes through the portal, and is forgotten when the run ends.

    signals.py       heartbeats, relaying signals, moderating
    roster.py        who is in, as each participant may know it
    whole_room.py    what moderators do about the room as a whole
    rights.py        what may be done in a room: chat, sharing the screen
    sending.py       who may send pictures and sound, and who listens
    chat.py          messages to everybody or to one person
    reactions.py     reactions that all see for some seconds
    refusals.py      what pages send although they may not, counted
    models.py        the table of these messages
    signal_rate.py   limits on signals, messages and streams of one participant
"""

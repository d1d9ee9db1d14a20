"""Rooms: where people meet, watch or broadcast.

A room belongs to an account, from which its customer, subscription and type follow; the type never changes. It has
exactly one owner. `status` says whether it may be used at all; whether it is live now is the status package's matter.
A quota refuses to create a room, never to enter one; rooms in the trash do not count, and go after 30 days.
Settings and features are merged key by key, where null removes one; metadata is replaced as a whole.

    models.py         the table `Room`, and the roles that participants have
    room_read.py      a room as plain values, for whoever only reads it, or reads it under its lock to change it
    operations.py     creating, changing, trashing and restoring
    purging.py        deleting rooms for good, whose names the audit keeps
    protocols.py      what is asked of a room where people enter it, as protocols
    kinds.py          what pages and answers ask about rooms of each type
    features.py       the limits in force: the plan's, narrowed by the room's
    settings.py       the declared settings, and validating them
    live_settings.py  those of live rooms
    contradictions.py settings that cannot come true, refused when they are saved
    images.py         pictures at the addresses of settings, fetched once
    presentations.py  the file that a room's service shows from the beginning
    presentation_kinds.py  which files those can be
    usability.py      why nobody can enter a room because of what stands above it
    slugs.py          the readable part of a room's address
    search.py         finding rooms by name
    account_rooms.py  a customer's accounts with the number of their rooms
"""

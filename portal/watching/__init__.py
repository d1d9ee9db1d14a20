"""Watching: who sees which file of a video, and what is known of who has watched how much.

Whoever watches is a participant of the room, as in a conference: by a link, a membership or a public room, admitted by
the one decision. No file of a video leaves the portal but for somebody whose participation is open.

    gate.py       who may fetch which file
    presence.py   the signs of life of a viewer's page
    views.py      what players report, and what it adds up to
    figures.py    what is told of who has watched how much
    models.py     the table of views
"""

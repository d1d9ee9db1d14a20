"""Pages of embedded conferences: the player, its stream and its signals, for participants who are in a room.

They believe the room's admission cookie only, and check with each request that the participant still may be in. A page
has one stream open; of several of one participant the oldest end. The page after leaving tells what
happened, and offers a way back only if it works.

    pages.py             the player, leaving, and the page after leaving
    signals.py           heartbeats, signals and opening the event stream, in JSON
    stream.py            what the stream tells
    sent.py              what scripts sent
    chat.py              chat messages, in JSON
    moderators_facts.py  what the stream tells moderators alone
    reactions.py         reactions, in JSON
    returning.py         entering again after the connection was lost
"""

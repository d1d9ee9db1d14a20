"""The conference: what services share whose people meet on the portal's own page.

Each participant's page sends a heartbeat every three seconds; without any for nine seconds he is
*connecting again*, and his place is kept until sixty have passed. A device is in a room in one tab at a time. Media go
directly between browsers; the portal relays their signals and refuses those that a role may not send: only moderators
mute and remove others. A removed person stays out for as long as the run lasts, or until a moderator lets him in again.

    signals.py       roster, heartbeats, relaying signals, moderating
    signal_rate.py   limits on signals and streams of one participant
"""

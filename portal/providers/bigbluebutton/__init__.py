"""BigBlueButton: conferences at servers that speak its API, and at Scalelite, which spreads them over several servers.

A room's meeting is named by the room's uuid; one run of it is told from the next by the time at which the server made
it. A meeting is created before each join, which a server that has it already answers with that one. Addresses for
joining are signed for each click and kept nowhere. What the server says is never shown as it stands.

    adapter.py      the two types, their properties, and the service that a row is bound to
    settings.py     the settings of rooms that such a server obeys
    parameters.py   settings and features of a room → parameters of `create`
    signing.py      checksums over the exact bytes of a query
    client.py       calls, each with one answer in XML
    refusals.py     what a server answers instead → `ProviderError`
    meetings.py     meetings in XML → runs with their figures
    recordings.py   recordings in XML → what is kept of them
    callbacks.py    what servers tell by themselves, verified over the raw bytes
"""

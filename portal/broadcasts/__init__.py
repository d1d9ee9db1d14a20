"""Broadcasts: what a run of a live room sends, from whom it comes, and what viewers are told to play.

One person goes on air and everybody who is in watches. What the broadcaster's browser records arrives in chunks, in one
file for each *connection*, a stretch of sending without a break. One worker, which holds the *lease* of the run, makes
segments of it and appends them to the run's *journal*. All playlists are rendered from the journal. When a connection
ends the run goes on for the grace of the room, and the broadcaster, or another moderator, may return.

    models.py        the tables of broadcasts, connections and the journal
    hosting.py       opening a broadcast, and what is chosen for the whole of it
    connections.py   who sends: opening, taking over, chunks, ending
    leases.py        which worker makes segments of a broadcast
    producing.py     what that worker writes: segments, states, the end
    playlists.py     playlists, rendered from the journal
    journal.py       the journal as each process keeps it for its viewers
    presence.py      the signs of life of those who follow, and how many they are
    telling.py       what is told of a broadcast: the status of its room
    leftovers.py     deleting what no viewer can fetch any more
"""

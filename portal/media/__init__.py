"""Media: the recordings of rooms. One model for all of them, whatever recorded: a service, a broadcast, a conference.

A recording is seen by whoever may see the room's recordings; a published one, as its visibility says, by members of the
room and by participants, too. People rename, publish, share and delete it here; that is stored at once, and its service
is told afterwards by a job, until it has answered. What services keep is found by asking them after runs have ended,
outside any transaction; only what they say about the rooms asked for counts. A plan says how long recordings are kept,
to which a job sees, and how many of them: nothing more is recorded then.

    models.py           the tables of recordings, and of when services are asked
    operations.py       changing and deleting a recording
    queries.py          who sees which recordings, and finding them
    looks.py            when a service is asked about the recordings of a room
    finding.py          asking services for recordings, and storing what they say
    telling.py          telling services what was decided here
    capacity.py         whether another one is made, or there are as many as are allowed
    limits.py           how long recordings are kept, and how many
"""

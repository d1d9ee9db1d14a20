"""Pages for participants: the door of a room.

Opening a link exchanges its token for the room's admission cookie, so that the token leaves the address at once; only
pressing Join enters. A wrong slug is corrected only for somebody who may see the room's name. A stranger at a private
room gets the same 404 as for a room that does not exist. What is wrong with a plan is never told to a guest.

    pages.py          the join page
    join_page.py      all that it shows, as one value
    join_tickets.py   addresses from the API that let one person in once
    recordings.py     recordings that participants may see
    arrival.py        where somebody goes who has entered
"""

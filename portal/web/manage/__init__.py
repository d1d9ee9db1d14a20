"""Pages for owners and members: managing rooms and what belongs to them.

A stranger gets 404, a member without the permission 403, and somebody who is not signed in the sign-in page. A control
is shown by the same check that guards its route. What was deleted can be undone on the next page.

    rooms.py             list, create, overview, delete, restore
    room_filter.py       search, filters and order of the list, in the address
    room_list.py room_rows.py    reading one page of the list, and its rows
    room_tabs.py         the pages of a room as tabs
    room_settings.py     changing a room
    presentation.py      the file that a room's service shows from the beginning
    links.py codes.py people.py    links, access codes, and members with their rights
    place_people.py      the people of customers and accounts
    usage.py             what is used of a customer's plans, for its own people
    own_accounts.py      making and deleting accounts as one of a customer's own people
    sharing.py           the link of a role in one press, and as an invitation to copy
    member_entrance.py   entering as a member, without a link
    lobby.py             answering who waits in a room's lobby
    sessions.py          runs and who took part
    videos.py video.py   the videos of a room, and one of them with its captions
    video_figures.py     who has watched how much of a video
    uploads.py           sending the files of videos
    recordings.py        recordings
    status.py            live status, as fragments and as a stream
    stream_rights.py     what those with open streams may watch, judged again for all of them together
    acts_of_staff.py     what platform staff did on behalf of a room's customer
    trash.py             deleted rooms
"""

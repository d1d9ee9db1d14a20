"""The web: the entrance for people, by pages. It is thin: a view is a route, a door, one operation and one answer.

GET, HEAD and OPTIONS change nothing. A change is a POST to an address that is a noun; it answers 303, or 422 with
the form. Each action works as a plain form first; htmx makes it pleasant.

    manage/       owners and members: rooms, links, codes, people, runs, trash
    admin/        platform staff: who buys what, and what stands behind it
    webhooks/     webhooks of rooms and customers, and those of the portal
    join/         participants: the room's door, and join tickets
    watch/        the page of a room of videos, and their files
    broadcast/    what is sent and played in live rooms
    conference/   the player's page, its stream and its signals
    session/      signing in and out, profile, credentials, authorised applications
    routes.py     registers all of them
    forms.py      the base class of forms         edit_forms.py       forms that change what exists
    form_words.py  what they say about values that cannot be read
    account_form.py   the form of a new account    stopping_words.py   what an act means after which rooms stop
    fragment_cache.py   cached fragments of pages
    flash_messages.py   flash messages            htmx.py             htmx's headers
    sse.py        event streams                   csv_export.py       CSV files
    reader.py     who reads a page                help.py       help for moderators
    health.py     health checks                   declared_fields.py   form fields of declared settings
    room_images.py   pictures of rooms
    stored_files.py   sending files of the storage
    recording_formats.py   what pages say of the formats of recordings
"""

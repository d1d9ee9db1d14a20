"""The edge: what all entrances over HTTP share. It translates between requests and the core, which knows no web.

The request is the transaction. Every route wears one door, which loads what it guards: a stranger gets 404, somebody
without the permission 403, nobody the sign-in page. Each entrance believes exactly one credential: pages the session
cookie, the API the bearer token, a room's door its admission cookie. Refusals become statuses and texts here.

    actor.py              who is signed in            bearer.py             who calls the API
    admission_cookie.py   what a room's door remembers of a browser
    visitors.py           who stands at a room's door
    admissions.py         who stands there or is in, as doors hand them to views
    network.py            from which network, for limits and the audit
    signatures.py         signed values whose age counts
    device_cookie.py      what the sign-in page remembers of a browser
    password_link_cookie.py  the token of an opened link, out of the address
    guard.py              the doors                   transaction.py        begin, commit, roll back
    reading_guard.py      the doors of views that only read
    account_guard.py      the door of views that make something in an account
    staff_guard.py        the doors of platform staff
    place_guard.py        the doors of customers, accounts and usage
    editing_guard.py      the door of views that change a room
    watching_guard.py     the door in front of the files of videos
    broadcast_guard.py    the doors of live rooms
    media_guard.py        the doors of uploads        tus.py                the protocol that they speak
    upload_guard.py       the door of views that take a file for a room
    uploads.py            reading a form with a file  signed_address.py     the door of files that services fetch
    errors.py             refusals as answers         refusals.py           what is written in spite of a refusal
    i18n.py               translations, dates         converters.py         ids in addresses
    headers.py            security headers            hosts.py              which Host is answered
    assets.py             static files                cursors.py            signed positions in lists
    rate_storage.py       rate limits without Redis   redis_rates.py        rate limits in Redis
    mended_paths.py       paths that mail or hands spoilt
"""

"""Hooks: the entrance for service providers, whose services send callbacks to `/hooks/<provider id>`.

The only credential is the provider's signature over the raw bytes. So the raw body is read, up to 1 MB, before
anything parses a form; no cookie is believed, so there is no CSRF token either. A callback about a run is acted upon
once, and never trusted alone: the service is asked afterwards, if it can be.

What services fetch here stands at signed addresses outside of that path.

    routes.py         the address, its door, and the one operation that it calls
    callbacks.py      the request as a frozen value, for the adapter that verifies and reads it
    presentations.py  the address at which a service fetches a room's presentation
"""

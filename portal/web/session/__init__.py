"""Pages about the signed-in person: signing in and out, profile, and what programs may do for them.

Signing in starts a new session and ends the old one. A form that was sent after the session had ended is shown again,
filled, after signing in, and acts only when it is sent again. The secret of a credential is shown once.

    pages.py          signing in and out, and the profile
    beginning.py      beginning a session, whatever the proof was
    shut_out.py       what somebody sees who belongs only to customers that nobody may use
    passwords.py      setting the first password, by a link
    credentials.py    OAuth clients of the person's own programs
    applications.py   third-party applications that the person authorised
"""

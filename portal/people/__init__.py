"""People: users who sign in, the platform roles that make some of them staff, and their sign-ins.

A user is a person; a participant in a room need not be one. E-mail addresses are unique, in whatever way they are
written. Tries to sign in are throttled per account and network, apart for browsers in which the person has signed in
before, and the answer does not tell which accounts exist. Signing out, or a new password, ends what depends on the
sign-in: admissions and event streams.

    actor.py             who acts: a person, or a program in a person's name
    staff.py             the permissions of platform staff
    emails.py            the canonical form of e-mail addresses
    memberships.py       the columns that memberships of rooms, accounts and customers share
    models.py            the tables `User`, `PlatformRole`, `SignIn` and `PasswordLink`
    signed_in.py         who is signed in, read with each page
    shut_out.py          whether nobody may use any customer to whom somebody belongs
    operations.py        signing in and out, creating and changing users
    roles.py             platform roles: made, changed, deleted
    role_holders.py      giving roles to people, and who may touch whom
    user_status.py       changing users, switching them off and on, making them nobody
    known_devices.py     browsers in which somebody has signed in before
    throttle_buckets.py  what counts the tries of a password
    names.py             the rule for names that people read, used for rooms and links as well
    password_links.py    links by which somebody sets the first password
    passwords.py         hashing and checking passwords
    timezones.py         the time zones that people can choose
"""

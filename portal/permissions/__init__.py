"""Permissions: who may do what with a thing, as a policy in one table, and the members to whom permissions are granted.

Owners of a room, its account or its customer hold every permission on it; members hold those granted to them, perhaps
until a date; staff hold those of their platform roles. Nobody grants a permission that he lacks, nor changes his own.
A program has its person's permissions within its scopes. A stranger must not learn that a room exists.

    permission.py       the permissions on a room
    rules.py            the policy: `can`, and what follows from it
    members.py          the table `RoomMember`
    belonging.py        who belongs to a customer, as SQL
    colleagues.py       who may be made a member by naming him
    operations.py       adding, changing, removing and restoring members of a room
    memberships.py      granting, changing and ending rights in an account or at a customer
    user_deletion.py    deleting a user who owns nothing
    ownership.py        handing a customer or an account over to another owner
    account_rights.py   who may make and delete accounts
    places.py           customers and accounts as somebody may see them
    first_passwords.py  who may make a link for a first password
    room_creation.py    making rooms, with rights on them for who makes them
    unusable_customers.py  what somebody is told who is shut out
    visibility.py       which rooms and accounts an actor may see, as SQL
    watching.py         what an actor may watch for changes
    room_reading.py     rooms as plain values, for whoever only reads them
    creatable_accounts.py  the accounts in which somebody may make rooms
    account_filter.py   the accounts by which the list of rooms can be filtered
"""

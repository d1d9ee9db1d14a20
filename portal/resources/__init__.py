"""What programs are shown of each noun: by the API's answers, and by webhooks.

A resource is declared once, as a Pydantic model: a field's annotation says its type and what the documentation says of
it, how it is read from a row (`Read`, if not as the attribute of its name), and by which column lists are sorted and
searched (`Column`). From that come the serializer, the schema in the OpenAPI document, the fields that `filter` selects
and the columns of a list.

    declaring.py       resources, `Read`, and the serializer of a resource
    columns.py         `Column`: sorting by a field and searching in it
    urls.py            addresses of rooms and links
    people.py          users, and users of rooms
    staff.py           users as staff sees them, administrators, roles, permissions
    place_users.py     users of customers and of accounts
    subscriptions.py   customers, subscriptions, accounts, features, provider rows
    profile_entries.py addresses, telephones and legal documents of customers
    subscription_parts.py  features, providers and usage of subscriptions
    amounts.py         amounts of money
    audit.py           lines of the audit
    packages.py        packages, and service providers
    access.py          tokens and access codes
    sessions.py        status, runs, participations
    recordings.py      recordings of rooms
    videos.py          videos of rooms, and their captions
    presentations.py   presentations of rooms
    plain_rooms.py   rooms without relations, as they stand in what they are a relation of
    rooms.py           rooms, with their relations
"""

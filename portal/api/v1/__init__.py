"""Version 1 of the API: JSON over HTTP under `/api/v1`, for rooms and what belongs to them.

A view has the decorators `endpoint` (scope, description), a door (permission) and `takes` (body), calls one operation
of the core and serializes the result. Things are named by id, uuid or ulid. A PATCH changes only what is given. A
stranger gets 404, a caller without the permission or scope 403. The OpenAPI document is built from the views.

    blueprint.py          registers everything, authenticates, limits rates
    core/                 query parameters, pagination, bodies, responses, idempotency, OpenAPI
    rooms.py tokens.py access_codes.py users.py sessions.py access.py    routes below a room, and what they take
    recordings.py presentation.py    recordings of a room, and its presentation
    videos.py video_captions.py    videos of a room, and their captions
    uploads.py            sending the files of videos, by tus
    customers.py customer_users.py account_users.py place_users.py       customers, and users of customers and accounts
    customer_addresses.py customer_telephones.py legal_documents.py      the profile of a customer
    profile_entries.py    what the routes of those have in common
    accounts.py features.py webhooks.py logout.py                        other routes
    platform_users.py admins.py roles.py permissions.py                  of staff: users, and what they may do
    staff_bodies.py       what the bodies of those have in common
    packages.py package_parts.py service_providers.py                    of staff: what is sold, and on what it runs
    subscriptions.py subscription_parts.py                               what was sold, its features and providers
    audit_events.py       what was done
    term_bodies.py        amounts of money, lengths of time, and values of features in bodies
    includes.py           relations of rooms that are asked for by `include`
    subscription_includes.py                                             those of subscriptions
    docs.py tutorial.py webhook_docs.py setting_docs.py    the documentation
"""

"""The portal. This file imports nothing, so that importing one part never starts the whole.

`app.py` puts everything together, `server.py` serves it (with `worker.py` and `connections.py`), `cli.py` and
`commands` have the commands (`doctor.py`, with `relay_check.py` and `service_check.py`, `demo.py`, `demo_video.py` and
`revisions.py` are behind some of them), `settings.py` reads the environment, `db.py`, `row_locks.py`, `core_writes.py`,
`engine.py`, `postgresql_driver.py`, `column_types.py`, `partial_indexes.py` and `rows_of_each.py` the database,
`storage` the files that people upload, `turns.py` lets crowds in a few at a time, `thread_pool.py` does what would hold
up everybody, `engines` are the child processes that work on media. The core, one package for each noun, knows no web:
people, customers, subscriptions, accounts, rooms, permissions, videos, status, media, broadcasts, admission,
conference, watching, audit, credentials, webhooks; `resources` says what programs are shown of them. Below them are
tasks, idempotency, undo, throttling, enqueueing, token_format, vault, channels, identifiers, keyset, scopes, moments,
metadata, plain_values, unions, public_url, networks, ip_spelling, loopback, word_search, search_terms, clock and
errors. `providers` are the services that run rooms. The entrances, one for each audience, call the core: `web`
(people), `api` and `oauth` (programs), `hooks` (providers) and `jobs` (work that nobody waits for); they share `edge`.
Imports point from the entrances to the core and never back; import-linter checks that.
"""

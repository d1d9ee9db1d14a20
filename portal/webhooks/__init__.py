"""Webhooks: telling programs elsewhere what happens in rooms, and what becomes of customers.

An endpoint is an address of one room, of all rooms of a customer, or of the portal itself: that one staff keep, and
only it is told of customers, accounts and subscriptions. An event of the audit becomes one delivery for
each endpoint that subscribes to it, in the same transaction. Whoever saves an endpoint is its owner: nothing is
sent that he may not see himself, and once he has lost a right to what it tells it is paused. A failed delivery is
tried again for a day, with growing pauses, and an endpoint that keeps failing is paused. Payloads are sealed at
rest and signed when sent.

    events.py          the kinds of events, and the permission that each needs
    models.py          the tables `WebhookEndpoint` and `WebhookDelivery`
    operations.py      creating, changing, pausing, testing and deleting endpoints
    auditing.py        what the audit tells of an endpoint
    authorization.py   the owner of an endpoint, and what it may be told
    outbox.py          creating deliveries for events of the audit
    payloads.py        the JSON of an event
    deliveries.py      claiming a delivery, recording its outcome, trying again
    scheduling.py      slots: which delivery gets a worker next
    pausing.py         pausing endpoints, counting the active ones
    queries.py         finding endpoints and deliveries with the rights to them
    resources.py       endpoints and deliveries as programs are shown them
    signing.py         secrets and signatures
"""

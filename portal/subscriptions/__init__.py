"""Subscriptions: what a customer bought, and the service providers that run it.

A subscription copies its features and its default provider, so later changes of what is sold do not reach it.
Whether it is active is computed from its status and dates when asked, never stored. A canceled one stays usable
until `cancels_at`. All accounts of a subscription share its quotas. The catalogue of features is fixed in code;
an unlimited number is stored as null and written `true` in the API.

    models.py            the tables `ServiceProvider`, `Subscription` and `SubscriptionFeature`
    protocols.py         what is asked of a subscription and its provider, as protocols
    feature_catalog.py   the features that a plan can grant and a room may narrow
    declared_values.py   judging values of declared settings and properties
    properties.py        properties of a provider, with secrets sealed
    operations.py        creating providers and subscriptions
    plans.py             the plans that every portal can sell from the start
    queries.py           finding a provider, and reading a plan
    services.py          from a provider to the service behind it
"""

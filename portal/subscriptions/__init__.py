"""Packages that are sold, subscriptions, which customers bought, and the service providers behind both.

A subscription copies a package's features, terms and default provider: later changes of the package do not reach it.
Whether it is active is computed from its status and dates when asked, never stored. A canceled one stays usable
until `cancels_at`. All accounts of a subscription share its quotas. The catalogue of features is fixed in code;
an unlimited number is stored as null and written `true` in the API.

    provider_models.py   the table `ServiceProvider`
    package_models.py    the tables `ServicePackage`, `PackageFeature` and `PackageProvider`
    models.py            the tables `Subscription`, `SubscriptionFeature` and `SubscriptionProvider`
    terms.py             price, currency, and lengths of time
    term_read.py         the term of a subscription as plain values
    protocols.py         what is asked of a subscription and its provider, as protocols
    feature_catalog.py   the features that a plan can grant and a room may narrow
    declared_values.py   judging values of declared settings and properties
    properties.py        properties of a provider, with secrets sealed
    service_providers.py making, changing, testing and deleting providers
    provider_uses.py     what keeps a provider from being deactivated or deleted
    provider_health.py   since when a provider answers, what went wrong, and how busy it is
    provider_tests.py    testing the connection with providers every hour
    packages.py          making, changing, copying and deleting packages, and taking one from stock
    package_features.py  what a package grants, and what it could grant
    package_providers.py which providers can serve a package, and which of them is the default
    checked_terms.py     judging and setting prices, and lengths of time
    selling.py           selling packages to customers
    dates.py             when trial, period and grace end, and the next period would
    search.py            finding subscriptions by words
    phases.py            in which phase of its life a subscription is
    changing.py          changing what staff may write of a subscription
    renewal.py           renewing
    cancellation.py      canceling, and taking that back
    statuses.py          suspending, resuming, ending, terminating; a status asked for
    granting.py          changing the features of a subscription
    switching.py         the providers that a subscription may use
    endings.py           warnings before an end, and marking what has ended
    presets.py           the packages that the command line can sell before anybody has made one
    queries.py           finding a provider, and reading a plan
    services.py          from a provider to the service behind it
"""

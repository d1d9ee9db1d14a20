"""The pages of platform staff, below `/admin`: who buys what, and what stands behind it.

Each view wears the door `staff` of `portal.edge.staff_guard`. A noun has a module here with its views and the
declaration of its list, a folder of templates below `templates/admin/`, a row in the navigation, and, if something
of it can need attention, a block of the page Home.

    navigation.py    the top navigation, in one table     home.py          the first page, made of blocks
    lists.py         what a list declares: columns, filters, search
    list_query.py    what is asked of a list, as the address says it
    staff.py         people with platform roles           staff_members.py  one of them
    roles.py         platform roles
    customers.py     the list of customers, making one     customer.py    one customer
    sold_subscriptions.py  what a customer bought, and uses of it
    customer_forms.py  its forms                           owner_links.py  the link for a first password
    customer_profile.py  its addresses, telephones, legal documents    profile_forms.py  their forms
    accounts.py      making an account for a customer      account.py     one account
    account_move.py  moving it to another subscription
    rooms.py         the rooms of all customers
    packages.py      packages                             package_services.py  the services of a package
    services.py      services (service providers)         service_forms.py  their forms
    package_forms.py, features_form.py, terms_form.py     forms of packages, their features, prices and lengths
    subscriptions.py      the list of subscriptions       subscription.py        one of them
    subscription_acts.py  renewing, canceling, suspending, switching its service
    subscription_deletion.py  deleting one
    subscription_edit.py  changing its terms, and what it grants
    sales.py              selling a package
    audit.py              what was done                   audit_things.py        names of the things
    audit_search.py       searching it
    audit_names.py        names of what its lines refer to  audit_values.py      what its values say
    first_steps.py   what is left to do on an empty portal
    list_page.py     reading one page of a list, or all of it as CSV
"""

"""Customers: the companies and persons who pay. Subscriptions, accounts and rooms belong to a customer.

A customer has one owner, a user who at first has the same e-mail address, and who holds every permission on all its
rooms. Its status decides what works: `active` everything; `suspended` people sign in and rooms work, but nothing new
is created; `inactive` and `terminated` nothing.

    models.py          the table `Customer`, its type and its status
    permission.py      what can be permitted at a customer
    fields.py          judging what is said of a customer
    operations.py      creating a customer, with its owner; changing and finding one
    profile_models.py  its addresses, telephones and legal documents
    profile_fields.py  judging what is said of those
    profile_entries.py adding, changing and removing them
    number_forms.py    the forms of telephone and tax numbers
    creating.py        whether something new may be made for a customer
    queries.py         finding a customer by its id
    search.py          finding customers by words
    countries.py       the countries of ISO 3166-1
    currencies.py      the currencies of ISO 4217
    defaults.py        country, currency and time zone where nobody chose others
"""

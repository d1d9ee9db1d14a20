"""Customers: the companies and persons who pay. Subscriptions, accounts and rooms belong to a customer.

A customer has one owner, a user with the same e-mail address, who holds every permission on all its rooms. Its
status decides what works: `active` everything; `suspended` people sign in and rooms work, but nothing new is
created; `inactive` and `terminated` nothing.

    models.py          the table `Customer`, its type and its status
    permission.py      what can be permitted at a customer
    operations.py      creating a customer, with its owner; finding one
    currencies.py      the currencies of ISO 4217
"""

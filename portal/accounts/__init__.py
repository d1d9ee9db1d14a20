"""Accounts: instances of a service that a customer bought. Every room belongs to one.

An account belongs to one customer and has one subscription and one owner, who is at first the customer's. All
accounts of a subscription share its quotas. An inactive account's rooms are entered by nobody, and nothing new is
created in it. The owner of an account holds every permission on its rooms.

    models.py        the table `Account` and its status
    permission.py    what can be permitted in an account
    queries.py       finding accounts
    room_account.py  an account as plain values, for making rooms in it
    operations.py    creating and changing accounts, and selling a package with its first one
"""

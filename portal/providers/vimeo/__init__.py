"""Vimeo, through version 3.4 of its API, with a personal access token of the account that pays for the videos.

The portal asks for privacy with the request that makes a video, and refuses accounts that cannot give it. What is left
of the account's requests in a minute Vimeo says with every answer, and all processes of the portal go by that.

    adapter.py    the declarations
    account.py    the service
    client.py     one request and its answer
    budget.py     how many requests may still be made
    reading.py    what the answers say of a video
    refusals.py   what Vimeo's refusals mean, in words
"""

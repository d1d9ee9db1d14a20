"""Credentials: what lets programs use the API. OAuth clients, the grants that people gave them, and their tokens.

A program acts for a person and within the scopes it was granted, which narrow that person's rights and never widen
them. Secrets and tokens are shown once; only their hashes are stored. A token counts only while its grant, its
client and its person do; a refresh token or code that comes a second time revokes the whole grant.

    clients.py      creating, finding and revoking OAuth clients
    models.py       the tables `OAuthClient` and `Grant`
    tokens.py       the tables of access tokens, refresh tokens and authorization codes
    presented.py    the access token of a request, and who acts by it
    operations.py   issuing, rotating and revoking tokens, and finding them to change them
    secrets.py      the formats of secrets and tokens, and their hash

The scopes themselves are listed in `portal.scopes`.
"""

"""OAuth 2.0: the entrance by which programs get, refresh, introspect and revoke tokens. Authlib has the protocol.

Programs send a client id and secret, never a cookie, and get JSON. Only the consent page is for people: there a
signed-in person allows a third-party application some scopes. Tokens are given over https only, except on this
machine. Clients and tokens themselves are the credentials package's.

    install.py           registers the routes with the app and everything with Authlib
    server.py            Authlib's server, connected to our clients and tokens
    grants.py            the four grant types
    throttle_buckets.py  what counts wrong client secrets
    introspection.py     what revoking and introspecting do with a token
    token_views.py       the routes for programs
    consent.py           the page on which a person decides
    metadata.py          the document that describes this server
"""

"""The API: the entrance for programs. One package for each version; `v1` is the first.

Every request carries a bearer token, and no cookie is believed. The views call the same operations as the pages.

    v1/    the routes, schemas and machinery of version 1
"""

"""The entrance for service providers: what their services tell us of their own accord, at `/hooks/<provider id>`.

The one credential here is the provider's signature, made over the bytes as they were sent. So the raw body is read, up
to 1 MB, before anything parses a form (`portal.edge.transaction`); no cookie counts, and no proof of origin is asked.

* `routes` has the address, which knows no more than its door (`guard.signed_by_provider`) and one operation.
* `callbacks` has what came, as frozen values, for the adapter that verifies it and reads it.
"""

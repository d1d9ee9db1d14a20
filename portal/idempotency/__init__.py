"""Idempotency: doing something once although it was sent twice.

A program sends `Idempotency-Key` and may repeat the request when it lost the answer; a browser may send a form twice.
Both are decided by a unique key that is written in the transaction of the operation itself, so of two at
once one acts and the other one gets its result. Keys are hashed and answers sealed; both are deleted after a day.

    api_requests.py   requests to the API with a key, and their stored answers
    forms.py          submitted forms, and where they redirected to
"""

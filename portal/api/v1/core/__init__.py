"""The machinery of the API, which every resource uses: from query parameters and bodies to responses.

Unknown parameters and fields are refused by name. Every list has pages by number and by cursor, and every answer is
`{"data", "meta"}`. A POST with an `Idempotency-Key` acts once; `If-Match` refuses to overwrite a change.

    endpoint.py       the decorators `endpoint` and `takes`
    query_params.py   parsing sort, search, page, cursor, filter and include
    page_query.py     building the SELECT of one page
    word_search.py    searching short columns by words
    pagination.py     reading that page, and `meta.pagination`
    request_body.py   parsing a body into a typed model
    responses.py      the envelope, entity tags, conditional requests
    idempotency.py    repeating the first answer to a repeated request
    openapi.py        the OpenAPI document
"""

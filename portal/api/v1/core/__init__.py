"""The machinery of the API, which every resource uses: from query parameters and bodies to responses.

Unknown parameters and fields are refused by name. Every list has pages by number and by cursor, and every answer is
`{"data", "meta"}`. A POST with an `Idempotency-Key` acts once; `If-Match` refuses to overwrite a change.

    endpoint.py       the decorators `endpoint` and `takes`
    query_params.py   parsing sort, page, cursor, filter and include
    search.py         parsing what is searched
    page_query.py     building the SELECT of one page
    pagination.py     reading that page, and `meta.pagination`
    request_body.py   parsing a body into a typed model
    envelope.py       the parts of answers that belong to no noun, for the document
    responses.py      the envelope, entity tags, conditional requests
    idempotency.py    repeating the first answer to a repeated request
    openapi.py        the OpenAPI document
    openapi_schemas.py openapi_parameters.py    its parts
"""

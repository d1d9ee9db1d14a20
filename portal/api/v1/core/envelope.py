"""The parts of every answer that belong to no noun, as the OpenAPI document describes them: refusals and `meta`."""

from typing import Any

from portal.resources.declaring import ResponseModel


class ProblemSchema(ResponseModel):
    """Every refusal: what happened, and what is wrong with which field."""

    message: str
    errors: dict[str, list[str]] | None = None
    error_id: str | None = None


class Meta(ResponseModel):
    """The relations that can be included."""

    include: list[str]
    custom: list[Any]


class PageLinks(ResponseModel):
    """Addresses of the pages before and after this one."""

    previous: str | None
    next: str | None


class Cursor(ResponseModel):
    """Where the next page begins; null on the last."""

    next: str | None


class Pagination(ResponseModel):
    """Where this page stands. By cursor there is no total."""

    total: int | None = None
    count: int
    per_page: int
    current_page: int | None = None
    total_pages: int | None = None
    cursor: Cursor | None = None
    links: PageLinks


class ListMeta(Meta):
    """What may be included, and where this page stands."""

    pagination: Pagination

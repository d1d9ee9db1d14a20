"""The query parameters of lists: order, page, cursor, search (as SQL conditions), field selection; and signed cursors.

They are `orderBy sortedBy page limit cursor search searchFields searchJoin filter include`. Each resource declares
once, as a `Listing`, what it offers; anything else is refused by a message with the value and the allowed ones.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import sqlalchemy as sa
from flask import request

from portal.api.v1.core.search import search_conditions, unknown
from portal.edge import cursors
from portal.errors import Invalid, Message
from portal.keyset import Key, Keys, Position
from portal.resources.columns import FLAGS, Column
from portal.resources.declaring import Resource, columns_of, fields_of

LIMIT, MOST, EVERYTHING = 10, 100, 1_000
FARTHEST_PAGE = 1_000
"""The last page that can be asked for by number, because reading it reads all rows before it. A cursor goes further."""
LONGEST = 500
_LONGEST = {"cursor": cursors.LONGEST}


@dataclass(frozen=True, eq=False)
class Listing:
    """What a resource offers to query parameters.

    `columns` can be sorted by and searched in; `tie` is the unique column that decides between rows of equal value;
    `fields` can be selected by `filter`, `includes` by `include`; `order` and `sorted_by` are the defaults.
    """

    columns: Mapping[str, Column]
    tie: Any
    fields: frozenset[str]
    includes: tuple[str, ...] = ()
    order: str = "created_at"
    sorted_by: Literal["asc", "desc"] = "asc"
    extra: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    """Other query parameters of the resource → their schema in the OpenAPI document."""
    inner: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Relation → its public fields, for `filter=tokens.role`."""

    @cached_property
    def orders(self) -> Mapping[str, Keys]:
        """Every order of the list by its name, which `order_name` makes."""
        return {
            order_name(name, descending): (
                Key(column.expression, descending, column.nullable),
                Key(self.tie, descending),
            )
            for name, column in self.columns.items()
            for descending in (False, True)
        }


def listing_of(resource: type[Resource], row: Any, **more: Any) -> Listing:
    """The listing of rows of a model that are shown as this resource. `more` are other fields of the `Listing`."""
    return Listing(columns=columns_of(resource, row), tie=row.uuid, fields=frozenset(fields_of(resource)), **more)


@dataclass(frozen=True)
class FieldSelection:
    """The fields and relations of a resource that were asked for by `filter` and `include`.

    `fields` is None for all; `inner` has the fields of included relations; `offered` is what could be included.
    """

    fields: frozenset[str] | None
    inner: Mapping[str, frozenset[str]]
    includes: tuple[str, ...]
    offered: tuple[str, ...]

    def wants(self, name: str) -> bool:
        """Whether the relation `name`, or one below it (`name.other`), is to be included."""
        return any(one == name or one.startswith(f"{name}.") for one in self.includes)

    def below(self, name: str) -> tuple[str, ...]:
        """The relations to include below the relation `name`."""
        return tuple(one.removeprefix(f"{name}.") for one in self.includes if one.startswith(f"{name}."))

    def select(self, representation: Mapping[str, Any]) -> Mapping[str, Any]:
        """The selected fields of a serialized resource, and always `id`, `object` and the included relations."""
        if self.fields is None:
            return representation
        return _selected(representation, self.fields.union(one.partition(".")[0] for one in self.includes))

    def select_inner(self, name: str, representation: dict[str, Any]) -> dict[str, Any]:
        """The selected fields of a serialized thing in the included relation `name`, and always `id` and `object`."""
        fields = self.inner.get(name)
        return representation if fields is None else _selected(representation, fields)

    def included(self, name: str, found: Any) -> dict[str, Any] | None:
        """What stands for the relation `name`: its selected fields, one by one for a list; None if None was found."""
        if isinstance(found, list):
            return {"data": [self.select_inner(name, one) for one in found]}
        return None if found is None else {"data": self.select_inner(name, found)}


def _selected(representation: Mapping[str, Any], fields: Set[str]) -> dict[str, Any]:
    return {name: value for name, value in representation.items() if name in fields or name in {"id", "object"}}


@dataclass(frozen=True)
class ListQuery:
    """The parsed query parameters of a list. `after` is the position that its cursor names, if there is one."""

    listing: Listing
    selection: FieldSelection
    order: str
    descending: bool
    limit: int
    page: int
    after: Position | None
    by_cursor: bool
    conditions: tuple[sa.ColumnElement[bool], ...] = field(default=())
    by_words: bool = False
    """Whether the search looks for words, whose index finds rows in no order."""
    searched: tuple[str, ...] = ()
    """The parameters, as they were sent, from which `conditions` were made."""


SELECTION_NAMES = frozenset({"filter", "include"})
SEARCH_NAMES = ("search", "searchFields", "searchJoin")
LIST_NAMES = SELECTION_NAMES | {
    "orderBy", "sortedBy", "page", "limit", "cursor", "search", "searchFields", "searchJoin",
}  # fmt: skip


def field_selection(listing: Listing) -> FieldSelection:
    """Parse the query parameters of a single resource. Raises `Invalid` on any other parameter."""
    return _field_selection(listing, _sent_params(SELECTION_NAMES, listing.extra))


def no_params() -> None:
    """Raise `Invalid` on any query parameter: for operations that have none."""
    for name in request.args:
        raise Invalid(**{name[:50]: Message("Leave this out: nothing can be chosen here.")})


def list_query(listing: Listing) -> ListQuery:
    """Parse the query parameters of a list. Raises `Invalid` naming the parameter."""
    sent = _sent_params(LIST_NAMES, listing.extra)
    order, descending = _order(listing, sent)
    by_cursor = "cursor" in sent
    after = None
    if by_cursor and sent["cursor"]:
        order, descending, after = _read_cursor(listing, sent, order, descending)
    limit = _number(sent, "limit", LIMIT, least=0, most=MOST)
    if by_cursor and limit == 0:
        limit = MOST
    conditions, by_words = search_conditions(listing.columns, sent)
    return ListQuery(
        listing=listing,
        selection=_field_selection(listing, sent),
        order=order,
        descending=descending,
        limit=limit,
        page=_number(sent, "page", 1, least=1, most=FARTHEST_PAGE),
        after=after,
        by_cursor=by_cursor,
        conditions=conditions,
        by_words=by_words,
        searched=tuple(sent.get(name, "") for name in SEARCH_NAMES),
    )


def boolean_param(name: str) -> bool:
    """A boolean query parameter such as `automatic=true`; False if it is absent. Raises `Invalid`."""
    text = request.args.get(name, "false")
    if text not in FLAGS:
        raise Invalid(**{name: Message("Use true or false.")})
    return FLAGS[text]


def _sent_params(common: Set[str], own: Mapping[str, dict[str, Any]]) -> dict[str, str]:
    """What was sent, each as the document's schema of it allows: the operation's `own` may hold what people paste."""
    sent: dict[str, str] = {}
    for name, values in request.args.lists():
        if name not in common and name not in own:
            raise unknown(name[:50], name[:50], sorted(common | own.keys()))
        if len(values) > 1:
            raise Invalid(**{name: Message("This was given twice.")})
        longest = own[name].get("maxLength", LONGEST) if name in own else _LONGEST.get(name, LONGEST)
        lowest = "\x01" if name in own else " "
        if len(values[0]) > longest or any(char < lowest for char in values[0]):
            raise Invalid(**{name: Message("This is too long, or not text.")})
        sent[name] = values[0]
    return sent


def _comma_separated(text: str) -> list[str]:
    return [name for name in (part.strip() for part in text.split(",")) if name]


def _order(listing: Listing, sent: Mapping[str, str]) -> tuple[str, bool]:
    order = sent.get("orderBy", listing.order)
    if order not in listing.columns:
        raise unknown("orderBy", order, sorted(listing.columns))
    direction = sent.get("sortedBy", "asc" if "orderBy" in sent else listing.sorted_by)
    if direction not in {"asc", "desc"}:
        raise unknown("sortedBy", direction, ["asc", "desc"])
    return order, direction == "desc"


def _number(sent: Mapping[str, str], name: str, default: int, *, least: int, most: int) -> int:
    text = sent.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 9 or not least <= int(text) <= most:  # noqa: PLR2004
        raise Invalid(**{name: Message("Use a whole number from %(least)d to %(most)d.", least=least, most=most)})
    return int(text)


def _field_selection(listing: Listing, sent: Mapping[str, str]) -> FieldSelection:
    includes = _comma_separated(sent.get("include", ""))
    for name in includes:
        if name not in listing.includes:
            raise unknown("include", name, sorted(listing.includes))
    fields: set[str] = set()
    inner: dict[str, set[str]] = {}
    for name in _comma_separated(sent.get("filter", "")):
        relation, dot, rest = name.partition(".")
        if dot and rest in listing.inner.get(relation, ()):
            inner.setdefault(relation, set()).add(rest)
        elif name in listing.fields:
            fields.add(name)
        else:
            raise unknown("filter", name, sorted(listing.inner.get(relation) or listing.fields))
    return FieldSelection(
        fields=frozenset(fields) if fields else None,
        inner={relation: frozenset(names) for relation, names in inner.items()},
        includes=tuple(includes),
        offered=listing.includes,
    )


def order_name(name: str, descending: bool) -> str:
    """What a cursor calls the order by the column called `name`."""
    return f"{name} {'desc' if descending else 'asc'}"


def cursor_after(asked: ListQuery, position: Position) -> str:
    """The cursor of the page that follows this position, in the order of the query."""
    return cursors.encode(position, of=_list_name(), order=order_name(asked.order, asked.descending))


def _read_cursor(listing: Listing, sent: Mapping[str, str], order: str, descending: bool) -> tuple[str, bool, Position]:
    """The order and position that the cursor names. An order that was asked for as well has to be the same."""
    try:
        named, position = cursors.decode(sent["cursor"], of=_list_name(), orders=listing.orders)
    except ValueError:
        raise Invalid(cursor=Message("This cursor is not one of ours: start again with an empty one.")) from None
    if ("orderBy" in sent or "sortedBy" in sent) and order_name(order, descending) != named:
        raise Invalid(cursor=Message("This cursor belongs to another order: start again with an empty one."))
    name, _, direction = named.partition(" ")
    return name, direction == "desc", position


def _list_name() -> str:
    """What cursors call the list that this request reads."""
    return str(request.endpoint)

"""The query language, on rooms and on what hangs below them."""

import pytest
from flask import Flask

from portal.api.v1.core import page_query, pagination, query_params
from portal.db import db, transaction
from portal.people.actor import actor_of
from tests.api.conftest import NewProgram, Program
from tests.cast import Cast, new_room
from tests.conftest import BOTH
from tests.statements import statements

NAMES = ["Alpha board", "Beta board", "Gamma", "Delta", "Épsilon"]


@pytest.fixture
def alice(app: Flask, cast: Cast, program: NewProgram) -> Program:
    with app.app_context(), transaction():
        account, by = cast.room().account, cast.user("alice")
        for name in NAMES:
            new_room(account=account, room_name=name, by=actor_of(by))
    return program("alice")


def names(alice: Program, query: str) -> list[str]:
    answer = alice.get(f"/rooms?{query}")
    assert answer.status_code == 200, answer.text
    return [room["room_name"] for room in answer.json["data"]]


def test_sorting_and_paging(alice: Program) -> None:
    assert names(alice, "orderBy=room_name&limit=3") == ["Alpha board", "Beta board", "Board meeting"]
    assert names(alice, "orderBy=room_name&sortedBy=desc&limit=2") == ["Épsilon", "Open house"]
    assert names(alice, "orderBy=room_name&limit=3&page=3") == ["Épsilon"]
    pagination = alice.get("/rooms?orderBy=room_name&limit=3&page=2").json["meta"]["pagination"]
    links = pagination.pop("links")
    assert pagination == {"total": 7, "count": 3, "per_page": 3, "current_page": 2, "total_pages": 3}
    assert "page=1" in links["previous"]
    assert "page=3" in links["next"]
    assert len(names(alice, "limit=0")) == 7


@BOTH
def test_what_is_read_whole_is_the_same_list_as_by_arms(alice: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    for order in ("room_name", "created_at", "status", "account_id", "customer_id"):
        for direction in ("asc", "desc"):
            asked = f"orderBy={order}&sortedBy={direction}"
            by_arms = names(alice, f"{asked}&limit=0")
            found = names(alice, f"{asked}&search=board;slug:gamma")
            assert found == [name for name in by_arms if "board" in name.lower() or name == "Gamma"]
            with monkeypatch.context() as patched:
                patched.setattr(page_query, "DEEP_PAGE", 0)
                page_query._build_cached.cache_clear()
                whole = [name for page in range(1, 5) for name in names(alice, f"{asked}&limit=2&page={page}")]
            page_query._build_cached.cache_clear()
            assert whole == by_arms
            assert len(whole) == 7


@BOTH
def test_words_are_looked_up_before_the_rooms_are_walked(app: Flask, alice: Program) -> None:
    with app.app_context():
        engine = db.engine
    for query in ("search=board", "search=room_name:board&cursor=", "search=is_public:true;board"):
        with statements(engine) as seen:
            alice.get(f"/rooms?{query}")
        (listing,) = (statement for statement in seen if "WITH found AS" in statement)
        assert "OFFSET 0" in listing
        assert "UNION" not in listing


def test_where_pages_end_a_cursor_leads_on(
    alice: Program, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    for module in (query_params, pagination, page_query):
        monkeypatch.setattr(module, "FARTHEST_PAGE", 2)
    request.addfinalizer(page_query._build_cached.cache_clear)
    page_query._build_cached.cache_clear()
    expected, seen = names(alice, "orderBy=status&sortedBy=desc&limit=0"), []
    where = "/rooms?orderBy=status&sortedBy=desc&limit=2&filter=room_name"
    while where:
        answer = alice.get(where[where.index("/rooms") :])
        assert answer.status_code == 200, answer.text
        assert answer.json["data"][0].keys() == {"id", "object", "room_name"}
        seen += [room["room_name"] for room in answer.json["data"]]
        where = answer.json["meta"]["pagination"]["links"]["next"]
    assert seen == expected
    refused = alice.get("/rooms?page=3")
    assert refused.status_code == 422
    assert list(refused.json["errors"]) == ["page"]


def test_a_cursor_walks_through_everything_once(alice: Program) -> None:
    for order in ("room_name", "created_at", "id", "is_public", "status", "account_id"):
        seen: list[str] = []
        cursor: str | None = ""
        while cursor is not None:
            answer = alice.get(f"/rooms?orderBy={order}&limit=2&cursor={cursor}").json
            seen += [room["id"] for room in answer["data"]]
            assert "total" not in answer["meta"]["pagination"]
            cursor = answer["meta"]["pagination"]["cursor"]["next"]
        assert len(seen) == len(set(seen)) == 7, order
        expected = [room["id"] for room in alice.get(f"/rooms?orderBy={order}&limit=0").json["data"]]
        assert seen == expected


@BOTH
@pytest.mark.parametrize("direction", ["asc", "desc"])
@pytest.mark.parametrize("order", ["expires_at", "max_uses", "use_count", "role"])
def test_a_cursor_walks_by_what_may_be_null_too(cast: Cast, program: NewProgram, order: str, direction: str) -> None:
    path, caller = f"/rooms/{cast.board}/tokens", program("alice")
    for day in range(1, 4):
        for fields in ({}, {"expires_at": f"2030-01-0{day}", "max_uses": day % 2 + 1}):
            assert caller.post(path, {"role": "guest", **fields}).status_code == 201
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        answer = caller.get(f"{path}?orderBy={order}&sortedBy={direction}&limit=2&cursor={cursor}").json
        seen += [token["id"] for token in answer["data"]]
        cursor = answer["meta"]["pagination"]["cursor"]["next"]
    everything = caller.get(f"{path}?orderBy={order}&sortedBy={direction}&limit=0").json["data"]
    assert seen == [token["id"] for token in everything]
    assert len(seen) == 9
    if order == "expires_at":
        assert [token["expires_at"] is None for token in everything] == [False] * 3 + [True] * 6


def test_searching(alice: Program) -> None:
    assert sorted(names(alice, "search=board")) == ["Alpha board", "Beta board", "Board meeting"]
    assert names(alice, "search=room_name:epsi") == ["Épsilon"]
    assert names(alice, "search=room_name:Gamma;status:active&searchJoin=and") == ["Gamma"]
    assert names(alice, "search=room_name:gam;is_public:true&searchJoin=and") == []
    assert sorted(names(alice, "search=room_name:gam;is_public:true")) == ["Gamma", "Open house"]
    assert names(alice, "search=nothing-like-it") == []


def test_a_word_without_a_field_is_sought_in_the_fields_that_are_named(alice: Program, cast: Cast) -> None:
    assert alice.patch(f"/rooms/{cast.open_house}", {"status": "inactive"}).status_code == 200
    assert names(alice, "search=inactive&searchFields=status:=") == ["Open house"]
    assert names(alice, "search=true&searchFields=is_public:=") == ["Open house"]
    assert names(alice, f"search={cast.board}&searchFields=room_name:like;id:=") == ["Board meeting"]
    assert names(alice, "search=gamma&searchFields=room_name:like;status:=") == ["Gamma"]  # is no status, but a name
    assert names(alice, "search=inactive;gamma&searchFields=status:=;room_name") == ["Gamma", "Open house"]


def test_a_word_that_no_field_could_hold_is_refused(alice: Program, cast: Cast) -> None:
    hook = {"room_id": cast.board, "url": "https://hooks.example/room", "events": ["room.ended"]}
    deliveries = f"/webhooks/{alice.post('/webhooks', hook).json['data']['id']}/deliveries"
    for query in ("/rooms?search=gamma&searchFields=status:=;is_public:=", f"{deliveries}?search=room"):
        answer = alice.get(query)
        assert answer.status_code == 422, query
        assert list(answer.json["errors"]) == ["search"]
    assert alice.get(f"{deliveries}?search=room.ended&searchFields=event:=").json["data"] == []


def test_filter_and_include(alice: Program, cast: Cast) -> None:
    room = alice.get(f"/rooms/{cast.board}?filter=room_name,url").json["data"]
    assert set(room) == {"object", "id", "room_name", "url"}
    answer = alice.get(
        f"/rooms/{cast.board}?include=tokens,account.customer,effective_features&filter=tokens.role"
    ).json
    room = answer["data"]
    assert [set(token) for token in room["tokens"]["data"]] == [{"object", "id", "role"}] * 3
    assert room["account"]["data"]["customer"]["data"]["company_name"] == "Acme"
    row = next(one for one in room["effective_features"]["data"] if one["code"] == "max_participants")
    assert (row["subscription_value"], row["room_value"], row["used_value"]) == (25, None, 25)
    assert "tokens" in answer["meta"]["include"]


@pytest.mark.parametrize("fields", ["account.id", "account.account_name,account.status"])
def test_a_filter_takes_nothing_away_that_is_included_below(alice: Program, cast: Cast, fields: str) -> None:
    path = f"/rooms/{cast.board}?include=account.customer,account.subscription&filter=id,{fields}"
    account = alice.get(path).json["data"]["account"]["data"]
    named = {name.partition(".")[2] for name in fields.split(",")}
    assert set(account) == {"object", "id", "customer", "subscription"} | named
    assert account["customer"]["data"]["company_name"] == "Acme"
    assert account["subscription"]["data"]["name"] == "Meet Standard"


def test_included_relations_show_only_what_a_direct_read_would(cast: Cast, program: NewProgram) -> None:
    room = program("bob").get(f"/rooms/{cast.board}?include=tokens,access_codes,users,room_status,account").json["data"]
    assert room["tokens"] is room["access_codes"] is room["users"] is room["account"] is None
    assert room["room_status"]["data"]["state"] == "idle"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("colour=red", "colour"),
        ("orderBy=colour", "orderBy"),
        ("sortedBy=up", "sortedBy"),
        ("page=0", "page"),
        ("page=x", "page"),
        ("page=99999999999999999999", "page"),
        ("limit=101", "limit"),
        ("limit=-1", "limit"),
        ("limit=5&limit=6", "limit"),
        ("search=colour:red", "search"),
        ("search=a;b;c;d;e;f;g;h;i", "search"),
        ("search=status:closed", "search"),
        ("search=created_at:yesterday", "search"),
        ("searchFields=colour:=", "searchFields"),
        ("searchFields=status:like", "searchFields"),
        ("searchJoin=xor", "searchJoin"),
        ("filter=colour", "filter"),
        ("include=colour", "include"),
        ("include=tokens.room", "include"),
        ("cursor=nonsense", "cursor"),
        ("search=%00", "search"),
        ("search=a%02b", "search"),
        ("search=created_at:0001-01-01T00:00:00%2B14:00", "search"),
        ("orderBy=" + "x" * 600, "orderBy"),
    ],
)
def test_unknown_names_are_refused_by_name(alice: Program, query: str, field: str) -> None:
    answer = alice.get(f"/rooms?{query}")
    assert answer.status_code == 422, answer.text
    assert list(answer.json["errors"]) == [field]


def test_a_cursor_belongs_to_its_order(alice: Program) -> None:
    cursor = alice.get("/rooms?orderBy=room_name&limit=2&cursor=").json["meta"]["pagination"]["cursor"]["next"]
    assert alice.get(f"/rooms?orderBy=created_at&cursor={cursor}").status_code == 422
    assert alice.get(f"/webhooks?cursor={cursor}").status_code == 422
    assert alice.get(f"/rooms?cursor={cursor}").status_code == 200

"""What every adapter declares and keeps to, so that the core need not know which one it is.

Those of the catalog, and the one that lives in these tests: see `standin`. What rooms keep to is in
`test_contract_of_rooms`, whichever adapter holds them.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask

from portal.providers import registry
from portal.providers.base import (
    Adapter,
    DeclaredField,
    Embeddable,
    FieldKind,
    Joinable,
    ReceivesCallbacks,
    Recordable,
    ReportsStatus,
    SettingScope,
    Startable,
    TakesIngest,
)
from portal.providers.broadcast.adapter import LiveBroadcasts
from portal.providers.catalog import catalog
from portal.rooms.settings import declared
from portal.subscriptions.declared_values import checked_value
from portal.subscriptions.feature_catalog import FEATURES
from portal.subscriptions.provider_models import ServiceType
from tests.providers.standin.adapter import StandInAdapter

SHIPPED = catalog(ice_servers=[{"urls": "stun:192.0.2.1"}], mesh_people=(6, 12))
NOT_YET = LiveBroadcasts()
"""It is not offered before all of it is there."""
ADAPTERS: list[Adapter] = [*SHIPPED, NOT_YET, StandInAdapter()]
FOLDER = Path(__file__).resolve().parents[2] / "portal" / "providers"
STATIC = Path(__file__).resolve().parents[2] / "static"
OUTSIDE = ("portal.engines", "portal.channels", "portal.clock", "portal.errors")


def bound(adapter: Adapter) -> Any:
    """A service with properties that could be real ones."""
    likely = {FieldKind.ADDRESS: "https://meet.example", FieldKind.SECRET: "a-secret"}
    return adapter.bind({one.name: likely.get(one.kind, one.default) for one in adapter.properties})


def folder_of(adapter: Adapter) -> str:
    """The name of the folder that this adapter is in; two of one kind may share it."""
    return type(adapter).__module__.split(".")[2]


every_adapter = pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda adapter: adapter.key)


@pytest.mark.usefixtures("app")
def test_the_registry_holds_the_whole_catalog_each_under_a_key_of_its_own() -> None:
    keys = [adapter.key for adapter in SHIPPED]
    assert set(registry.known()) == set(keys)
    assert len(set(keys)) == len(keys) > 0
    assert all(registry.adapter(key).key == key for key in keys)


def test_each_folder_holds_a_provider_of_the_catalog() -> None:
    folders = {file.parent.name for file in FOLDER.glob("*/__init__.py")}
    assert folders - {folder_of(NOT_YET)} == {folder_of(adapter) for adapter in SHIPPED}


@every_adapter
def test_it_tells_who_it_is_and_what_it_serves(adapter: Adapter) -> None:
    assert adapter.key == adapter.key.casefold().strip() != ""
    assert adapter.label.strip()
    assert adapter.kinds
    assert adapter.kinds <= set(ServiceType)


@every_adapter
def test_its_settings_are_declared_whole_and_hide_none_that_all_rooms_have(app: Flask, adapter: Adapter) -> None:
    registry.fill(ADAPTERS)
    names = [setting.name for setting in adapter.settings]
    assert len(set(names)) == len(names)
    for kind in adapter.kinds:
        known = declared(ServiceType(kind), adapter.key)
        assert all(known[name].scope is SettingScope.PROVIDER for name in names)
    for setting in adapter.settings:
        assert setting.read_by
        assert str(setting.label)
        assert str(setting.help)
        _has_a_default_of_its_kind(setting)


@every_adapter
def test_its_properties_are_declared_whole_and_none_is_called_like_the_flag_of_a_secret(adapter: Adapter) -> None:
    names = [one.name for one in adapter.properties]
    flags = [f"{one.name}_set" for one in adapter.properties if one.kind is FieldKind.SECRET]
    assert len({*names, *flags}) == len(names) + len(flags)
    for one in adapter.properties:
        assert str(one.label)
        assert str(one.help)
        assert not (one.required and one.default), "what has a default is never missing"
        _has_a_default_of_its_kind(one)


def _has_a_default_of_its_kind(one: DeclaredField) -> None:
    """Nothing, or what could be set; a switch, a choice and a colour cannot be empty."""
    always = {FieldKind.SWITCH, FieldKind.CHOICE, FieldKind.COLOR}
    assert one.default != "" or one.kind not in always
    if one.default != "":
        assert checked_value(one, one.default, within="default") == one.default


@every_adapter
def test_it_names_as_its_features_only_what_is_for_a_service_to_do(adapter: Adapter) -> None:
    assert adapter.features <= {code for code, feature in FEATURES.items() if feature.by_service}


@every_adapter
def test_its_rooms_can_be_recorded_if_and_only_if_it_can_be_asked_for_recordings(adapter: Adapter) -> None:
    """Plans limit them by two more features, to which the portal sees itself."""
    of_recordings = {"recording", "record_expiration", "max_recordings"}
    assert adapter.features & of_recordings in (of_recordings, set())
    assert ("recording" in adapter.features) is isinstance(bound(adapter), Recordable)


@every_adapter
def test_it_can_be_entered_in_one_way_at_least(adapter: Adapter) -> None:
    service = bound(adapter)
    pages = adapter.kinds == {"video"}  # which are the portal's, and ask the service for nothing
    ways = [isinstance(service, one) for one in (Embeddable, Joinable, TakesIngest)]
    assert [*ways, pages].count(True) == 1


@every_adapter
def test_binding_asks_nobody_and_gives_the_same_kind_of_service_each_time(adapter: Adapter) -> None:
    assert type(bound(adapter)) is type(bound(adapter))


@pytest.mark.parametrize(
    "adapter", [one for one in ADAPTERS if isinstance(bound(one), Joinable)], ids=lambda one: one.key
)
def test_where_people_meet_elsewhere_the_service_names_one_origin_and_tells_how_its_runs_go_on(
    adapter: Adapter,
) -> None:
    service = bound(adapter)
    parts = urlsplit(service.origin)
    assert service.origin == f"{parts.scheme}://{parts.netloc}"
    assert isinstance(service, Startable)
    assert isinstance(service, ReportsStatus | ReceivesCallbacks), "else nobody would ever leave"


@pytest.mark.parametrize(
    "adapter", [one for one in ADAPTERS if isinstance(bound(one), Embeddable)], ids=lambda one: one.key
)
def test_its_player_is_a_template_of_its_own_folder(app: Flask, adapter: Adapter) -> None:
    service = bound(adapter)
    player = service.player("u6Yh3DpQ2x")
    assert player.template == f"providers/{adapter.key}/_player.html"
    assert app.jinja_env.get_template(player.template).name == player.template
    for file in (player.script, *player.stylesheets):
        assert file.startswith(f"providers/{adapter.key}/")
        assert (STATIC / file).is_file()
    assert player == service.player("u6Yh3DpQ2x"), "asking twice changes nothing"


@every_adapter
def test_it_imports_no_other_provider_and_nothing_of_the_core(adapter: Adapter) -> None:
    own = f"portal.providers.{folder_of(adapter)}"
    allowed = (own, "portal.providers.base", "portal.providers.held_videos", "portal.providers.fetch", *OUTSIDE)
    for file in (FOLDER / folder_of(adapter)).glob("**/*.py"):
        for name in _imported(ast.parse(file.read_text())):
            assert not name.startswith("portal") or name.startswith(allowed), f"{file.name}: {name}"


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield node.module or ""
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)

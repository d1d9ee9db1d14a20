"""What every provider of the catalog keeps to, so that the core need not know which one it is."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from portal.providers import registry
from portal.providers.base import Embeddable, FieldKind, Provider, SettingScope
from portal.providers.catalog import catalog
from portal.rooms.settings import declared
from portal.subscriptions.feature_catalog import FEATURES
from portal.subscriptions.models import ServiceType

PROVIDERS = catalog(ice_servers=[{"urls": "stun:192.0.2.1"}])
FOLDER = Path(__file__).resolve().parents[2] / "portal" / "providers"
OUTSIDE = ("portal.engines", "portal.channels", "portal.clock", "portal.errors")
every_provider = pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: provider.key)


@pytest.mark.usefixtures("app")
def test_the_registry_holds_the_whole_catalog_each_under_a_key_of_its_own() -> None:
    keys = [provider.key for provider in PROVIDERS]
    assert set(registry.known()) == set(keys)
    assert len(set(keys)) == len(keys) > 0
    assert all(registry.get(key).key == key for key in keys)


def test_each_folder_is_one_provider_of_the_catalog() -> None:
    folders = {file.parent.name for file in FOLDER.glob("*/__init__.py")}
    assert folders == {provider.key for provider in PROVIDERS}


@every_provider
def test_it_tells_who_it_is_and_what_it_serves(provider: Provider) -> None:
    assert provider.key == provider.key.casefold().strip() != ""
    assert provider.label.strip()
    assert provider.kinds
    assert provider.kinds <= set(ServiceType)


@every_provider
def test_its_settings_are_declared_whole_and_hide_none_that_all_rooms_have(app: Flask, provider: Provider) -> None:
    names = [setting.name for setting in provider.settings]
    assert len(set(names)) == len(names)
    for kind in provider.kinds:
        known = declared(ServiceType(kind), provider.key)
        assert all(known[name].scope is SettingScope.PROVIDER for name in names)
    for setting in provider.settings:
        assert setting.read_by
        assert str(setting.label)
        assert str(setting.help)
        assert isinstance(setting.default, bool) is (setting.kind is FieldKind.SWITCH)
        assert (setting.default in dict(setting.choices)) is (setting.kind is FieldKind.CHOICE)


@every_provider
def test_it_names_as_its_features_only_what_is_for_a_service_to_do(provider: Provider) -> None:
    assert provider.features <= {code for code, feature in FEATURES.items() if feature.by_service}


@every_provider
def test_it_can_be_entered_in_one_way_at_least(provider: Provider) -> None:
    assert isinstance(provider, Embeddable)


@every_provider
def test_its_player_is_a_template_of_its_own_folder(app: Flask, provider: Provider) -> None:
    assert isinstance(provider, Embeddable)
    player = provider.player()
    assert player.template == f"providers/{provider.key}/_player.html"
    assert app.jinja_env.get_template(player.template).name == player.template
    assert player == provider.player(), "asking twice changes nothing"


@every_provider
def test_it_imports_no_other_provider_and_nothing_of_the_core(provider: Provider) -> None:
    own = f"portal.providers.{provider.key}"
    allowed = (own, "portal.providers.base", "portal.providers.fetch", *OUTSIDE)
    for file in (FOLDER / provider.key).glob("**/*.py"):
        for name in _imported(ast.parse(file.read_text())):
            assert not name.startswith("portal") or name.startswith(allowed), f"{file.name}: {name}"


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield node.module or ""
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)

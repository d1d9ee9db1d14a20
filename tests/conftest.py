"""What every test can ask for: databases, an app in the demo world, and clients for its cast."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from portal import demo, revisions
from portal.app import create_app
from portal.customers.models import Customer, CustomerMember
from portal.db import db, session, transaction
from portal.people.models import User
from portal.settings import Settings
from portal.web import fragment_cache
from tests import remembered, servers
from tests.cast import Cast, Client
from tests.films import make_films

remembered.remember_pages()
BOTH = pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture(scope="session", autouse=True)
def _quiet_environment() -> Iterator[None]:
    """No setting of this machine reaches a test; time zones are said where they matter."""
    fragment_cache.VERIFY = True  # whatever a page keeps is made anew, and has to be the same
    kept = dict(os.environ)
    for name in Settings.model_fields:
        os.environ.pop(name.upper(), None)
    yield
    os.environ.clear()
    os.environ.update(kept)


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with servers.postgres(tmp_path_factory.mktemp("postgres")) as address:
        yield address


@pytest.fixture(scope="session")
def valkey_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with servers.valkey(tmp_path_factory.mktemp("valkey")) as address:
        yield address


def settings_for(database_url: str, data: Path, **more: object) -> Settings:
    more.setdefault("mesh_people", (6, 1000))  # rooms are full by their own limits, and their plans'
    return Settings(
        data=data,
        database_url=database_url,
        secret_keys=(servers.SECRET_KEY,),  # type: ignore[arg-type]
        password_hash_memory=64,
        **more,  # type: ignore[arg-type]
    )


@pytest.fixture(scope="session")
def furnished_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with all migrations and the demo world, to be copied for each test."""
    folder = tmp_path_factory.mktemp("template")
    file = folder / "foyer.db"
    furnish(create_app(settings_for(f"sqlite:///{file}", folder)))
    return file


@pytest.fixture(scope="session")
def furnished_postgres(postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The same on PostgreSQL: the name of a template database."""
    address = servers.new_database(postgres_server)
    furnish(create_app(settings_for(address, tmp_path_factory.mktemp("data"))))
    return address


def furnish(app: Flask) -> None:
    with app.app_context():
        revisions.upgrade()
        with transaction():
            demo.furnish()
            acme = session.scalars(sa.select(Customer).where(Customer.company_name == "Acme")).one()
            charlie = session.scalars(sa.select(User).where(User.email == "charlie@demo.example")).unique().one()
            session.add(CustomerMember(customer=acme, user=charlie))  # may be added there, and owns Globex besides
        db.session.remove()
        db.engine.dispose()


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with good films and bad files, to be read only: see `tests.films`."""
    return make_films(tmp_path_factory.mktemp("films"))


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a fresh database with the demo world: SQLite, or what the test's mark says."""
    if getattr(request, "param", "sqlite") == "postgresql":
        template = request.getfixturevalue("furnished_postgres")
        return servers.new_database(request.getfixturevalue("postgres_server"), template=template)
    file = tmp_path / "foyer.db"
    shutil.copy(request.getfixturevalue("furnished_sqlite"), file)
    return f"sqlite:///{file}"


@pytest.fixture
def app(database: str, tmp_path: Path) -> Iterator[Flask]:
    app = create_app(settings_for(database, tmp_path))
    app.test_client_class = Client
    with app.app_context():
        remembered.hasten(db.engine)
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def cast(app: Flask) -> Cast:
    return Cast(app)


@pytest.fixture
def in_app(app: Flask) -> Iterator[None]:
    """For tests that call operations: an app context around them."""
    with app.app_context():
        yield
        db.session.rollback()
        db.session.remove()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With `--dist loadgroup`, keep apart what does not run well side by side."""
    if config.getvalue("dist") != "loadgroup":
        return None
    from tests.side_by_side import OneMeetingAtATime

    return OneMeetingAtATime(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse names that hold an address in memory: each worker has others, so none of them could run anything."""
    if nameless := [item.nodeid for item in items if " at 0x" in item.nodeid]:
        raise pytest.UsageError(f"Give the parameters of {nameless[0]} ids.")

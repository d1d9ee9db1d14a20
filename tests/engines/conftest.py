"""Films for the tests of engines."""

from pathlib import Path

import pytest

from tests.films import make_films


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with good films and bad files, to be read only."""
    return make_films(tmp_path_factory.mktemp("films"))

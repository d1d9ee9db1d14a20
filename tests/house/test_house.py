"""The house rules that a machine can keep."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(file for file in (ROOT / "portal").rglob("*.py") if file.read_text())
PACKAGES = [file for file in MODULES if file.name == "__init__.py"]


def test_imports_point_one_way() -> None:
    checked = subprocess.run(
        [Path(sys.executable).with_name("lint-imports")],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("file", MODULES, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_module_says_why_it_exists(file: Path) -> None:
    assert ast.get_docstring(ast.parse(file.read_text()))


@pytest.mark.parametrize("file", PACKAGES, ids=lambda file: str(file.parent.relative_to(ROOT)))
def test_a_package_says_what_each_file_in_it_holds(file: Path) -> None:
    """Its docstring is the map that a newcomer opens first."""
    named = set(re.findall(r"\w+", ast.get_docstring(ast.parse(file.read_text())) or ""))
    inside = {one.stem for one in file.parent.glob("*.py")} | {one.parent.name for one in file.parent.glob("*/*.py")}
    assert inside - {"__init__"} - named == set()


def test_only_the_settings_read_the_environment() -> None:
    readers = {
        str(file.relative_to(ROOT))
        for file in MODULES
        if any(word in file.read_text() for word in ("os.environ", "os.getenv", "envvar="))
    }
    assert readers == {"portal/settings.py"}


def test_one_module_reads_the_address_of_a_request() -> None:
    """What others make of it, such as a key with the port in it, is no network."""
    readers = {str(file.relative_to(ROOT)) for file in MODULES if "remote_addr" in file.read_text()}
    assert readers == {"portal/edge/network.py"}


def test_a_migration_never_changes_with_later_code() -> None:
    """It imports the types of columns only. What else it needs of the code of its day, it holds a copy of."""
    for file in sorted((ROOT / "migrations" / "versions").glob("*.py")):
        imported = set()
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                imported |= {name.name for name in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add(node.module or "")
        ours = {name for name in imported if name and name.split(".")[0] == "portal"}
        assert ours <= {"portal.db"}, f"{file.name} imports {ours}"


def test_each_package_names_all_that_it_holds_in_its_map() -> None:
    root = ROOT / "portal"
    for file in sorted(root.glob("**/__init__.py")):
        text = ast.get_docstring(ast.parse(file.read_text())) or ""
        assert len(text.splitlines()) >= 3, f"{file.parent} has no map"
        if file.parent == root:
            continue
        held = {one.name for one in file.parent.glob("*.py")} - {"__init__.py"}
        held |= {f"{one.parent.name}/" for one in file.parent.glob("*/__init__.py")}
        missing = sorted(name for name in held if name not in text)
        assert missing == [], f"{file} does not name {missing}"


def test_no_module_is_longer_than_fits_in_a_head() -> None:
    """One that is says in its first line why it is whole."""
    long = {
        str(file.relative_to(ROOT))
        for file in ROOT.glob("portal/**/*.py")
        if len(lines := file.read_text().splitlines()) > 300 and "whole in one file" not in lines[0]
    }
    assert long == set()


def test_no_line_of_a_template_is_too_long_to_read() -> None:
    long = [
        f"{file.relative_to(ROOT)}:{number}"
        for file in sorted(ROOT.glob("templates/**/*.html"))
        for number, line in enumerate(file.read_text().splitlines(), 1)
        if len(line) > 160
    ]
    assert long == []


def test_no_two_classes_have_one_name() -> None:
    """A word has one meaning in the whole house."""
    places: dict[str, list[str]] = {}
    for file in MODULES:
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, []).append(str(file.relative_to(ROOT)))
    assert {name: files for name, files in places.items() if len(files) > 1} == {}


def test_every_icon_that_a_template_names_exists() -> None:
    """A missing one would be drawn as nothing, in a button that has no other words."""
    templates = ROOT / "templates"
    known = set(re.findall(r'^  "([\w-]+)":', (templates / "components/icon.html").read_text(), re.MULTILINE))
    named = {name for file in templates.rglob("*.html") for name in re.findall(r'\bicon\("([\w-]+)"', file.read_text())}
    assert len(named) > 20
    assert named <= known

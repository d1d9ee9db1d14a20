"""Every action that an operation notes has words for people: pages show no identifiers of code."""

import ast
from pathlib import Path

from portal.audit.action_words import action_words

ROOT = Path(__file__).resolve().parent.parent.parent
NOTING = {"record_event", "record_events"}


def noted_actions() -> set[str]:
    """The actions in calls that note a line, as far as they are written as texts there."""
    actions = set()
    for file in (ROOT / "portal").glob("**/*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in NOTING:
                first = node.args[0]
                if isinstance(first, ast.Constant):
                    actions.add(str(first.value))
    return actions


def test_every_action_of_the_audit_has_words() -> None:
    actions = noted_actions()
    assert len(actions) > 40
    assert sorted(action for action in actions if str(action_words(action)) == action) == []

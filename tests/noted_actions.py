"""The actions that operations note in the audit, read from the source: also those that are computed there."""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

PORTAL = Path(__file__).resolve().parent.parent / "portal"
NOTING = {"record_event", "record_events"}
DEFINED_IN = "operations.py"
"""Of `portal.audit`: there the one calls the other with the action that it was given."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


class NotUnderstoodError(Exception):
    """An action is computed in a way that is not followed here: write it simpler, or teach this module that way."""


def noted_actions() -> set[str]:
    """Every action in calls that note a line. Raises `NotUnderstoodError`."""
    found: set[str] = set()
    for file in PORTAL.glob("**/*.py"):
        if file != PORTAL / "audit" / DEFINED_IN:
            found |= actions_in(file.read_text(), str(file.relative_to(PORTAL)))
    return found


def actions_in(source: str, name: str) -> set[str]:
    """The actions in the source of one module. Raises `NotUnderstoodError`."""
    module = _Module(ast.parse(source), name)
    return {action for call in module.calls_of(NOTING) for action in module.texts(call.args[0], call)}


@dataclass
class _Module:
    """A module of which expressions are read as the texts that they can be."""

    tree: ast.Module
    name: str

    def __post_init__(self) -> None:
        self.parents = {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}

    def calls_of(self, names: set[str]) -> Iterator[ast.Call]:
        """The calls of functions with these names."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call) and _name_of(node.func) in names:
                yield node

    def texts(self, value: ast.expr, at: ast.AST) -> set[str]:
        """Every text that this expression, which stands in the node `at`, can be."""
        match value:
            case ast.Constant(value=str(text)):
                return {text}
            case ast.IfExp():
                return self.texts(value.body, at) | self.texts(value.orelse, at)
            case ast.JoinedStr():
                parts = [self.texts(part, at) for part in value.values]
                return {"".join(choice) for choice in product(*parts)}
            case ast.FormattedValue(conversion=-1, format_spec=None):
                return self.texts(value.value, at)
            case ast.Subscript():
                return {text for one in self._table(value.value).values for text in self.texts(one, at)}
            case ast.Name():
                return self._texts_of_name(value.id, at)
        raise NotUnderstoodError(f"{self.name}:{value.lineno}: {ast.unparse(value)}")

    def _table(self, value: ast.expr) -> ast.Dict:
        """The dict that stands here, or is what a name of the module means."""
        if isinstance(value, ast.Dict):
            return value
        if isinstance(value, ast.Name):
            for assigned in _assigned(value.id, self.tree.body):
                return self._table(assigned)
        raise NotUnderstoodError(f"{self.name}:{value.lineno}: {ast.unparse(value)}")

    def _texts_of_name(self, name: str, at: ast.AST) -> set[str]:
        """What is assigned to the name in the function around `at`, or what that function is called with."""
        function = self._function_around(at)
        assigned = list(_assigned(name, ast.walk(function)))
        if assigned:
            return {text for value in assigned for text in self.texts(value, function)}
        given = list(self._arguments(function, name))
        if not given:
            raise NotUnderstoodError(f"{self.name}:{function.lineno}: {name}")
        return {text for value, call in given for text in self.texts(value, call)}

    def _arguments(self, function: Function, name: str) -> Iterator[tuple[ast.expr, ast.Call]]:
        """What calls in this module give the function for this parameter."""
        positions = [parameter.arg for parameter in function.args.args]
        for call in self.calls_of({function.name}):
            named = [keyword.value for keyword in call.keywords if keyword.arg == name]
            if named:
                yield named[0], call
            elif name in positions and len(call.args) > positions.index(name):
                yield call.args[positions.index(name)], call

    def _function_around(self, node: ast.AST) -> Function:
        while not isinstance(node, Function):
            node = self.parents[node]
        return node


def _name_of(function: ast.expr) -> str:
    match function:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def _assigned(name: str, nodes: Iterable[ast.AST]) -> Iterator[ast.expr]:
    """What these nodes assign to the name."""
    for node in nodes:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        named = any(isinstance(to, ast.Name) and to.id == name for to in targets)
        if named and isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            yield node.value

"""Parsing JSON from strangers: what is nested too deep for Python's recursion is refused as malformed."""

from typing import Any

from flask.json.provider import DefaultJSONProvider

DEEPEST = 32


class ShallowJSON(DefaultJSONProvider):
    """Flask's JSON provider with a limit on depth. It raises `ValueError` beyond that, which Flask answers with 400."""

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        try:
            value = super().loads(s, **kwargs)
        except RecursionError:
            raise ValueError("nested too deep") from None
        level, depth = [value], 0
        while level:
            depth += 1
            if depth > DEEPEST:
                raise ValueError("nested too deep")
            level = [
                inner
                for outer in level
                if isinstance(outer, (dict, list))
                for inner in (outer.values() if isinstance(outer, dict) else outer)
            ]
        return value

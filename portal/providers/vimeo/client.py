"""Calling Vimeo: each call is one request with the token, and one answer in JSON."""

import json
from collections.abc import Mapping
from hashlib import sha256
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from portal.providers.base import ProviderError
from portal.providers.fetch import send
from portal.providers.vimeo.budget import Budget
from portal.providers.vimeo.refusals import NOT_VIMEO, VimeoRefusal, code_of

ACCEPT = "application/vnd.vimeo.video+json;version=3.4"
USER_AGENT = "Foyer (self-hosted video portal)"
LARGEST_PAGE = 2 * 1024 * 1024
"""Bytes of an answer about a hundred videos."""

_budgets: dict[str, Budget] = {}


def budget_of(token: str) -> Budget:
    """What this process knows of the account of a token."""
    return _budgets.setdefault(sha256(token.encode()).hexdigest(), Budget())


class VimeoClient:
    """One account. Every method raises `ProviderError`: `Busy`, `VimeoRefusal`, or that nothing answers."""

    def __init__(self, api: str, token: str) -> None:
        self._api, self._token = api, token
        self.budget = budget_of(token)

    def get(self, path: str, *, fields: str, urgent: bool = True, **query: str | int) -> dict[str, Any]:
        """The answer to a question, narrowed to these fields, because such requests count half."""
        return self._call("GET", f"{path}?{urlencode({**query, 'fields': fields})}", None, urgent=urgent)

    def send(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, fields: str = ""
    ) -> dict[str, Any]:
        """The answer to a request that changes something; {} if it has no body."""
        return self._call(method, f"{path}?fields={fields}" if fields else path, body, urgent=True)

    def put_file(self, address: str, content: bytes, *, mimetype: str) -> None:
        """Send a small file to an address that Vimeo gave for it, which is a secret of its own: without the token."""
        headers = {"Content-Type": mimetype, "User-Agent": USER_AGENT}
        answer = send("PUT", address, body=content, headers=headers)
        if not HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
            raise VimeoRefusal(answer.status, 0)

    def _call(self, method: str, target: str, body: Mapping[str, Any] | None, *, urgent: bool) -> dict[str, Any]:
        self.budget.require(urgent=urgent)
        headers = {"Authorization": f"Bearer {self._token}", "Accept": ACCEPT, "User-Agent": USER_AGENT}
        if body is not None:
            headers["Content-Type"] = "application/json"
        content = b"" if body is None else json.dumps(body).encode()
        answer = send(method, f"{self._api}{target}", body=content, headers=headers, largest=LARGEST_PAGE)
        self.budget.note(answer.status, answer.headers)
        try:
            told = json.loads(answer.body) if answer.body and not answer.cut else {}
        except (ValueError, RecursionError):
            told = None
        if not HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
            raise VimeoRefusal(answer.status, code_of(told))
        if answer.cut or not isinstance(told, dict):
            raise ProviderError(NOT_VIMEO, permanent=False)
        return told

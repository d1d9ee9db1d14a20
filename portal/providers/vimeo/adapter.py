"""The adapter of Vimeo: what staff set of an account, and what it is called."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from portal.errors import Message
from portal.providers.base import (
    Contradiction,
    FieldKind,
    Places,
    Property,
    ProviderError,
    RecordingMode,
    Setting,
)
from portal.providers.vimeo.account import VimeoAccount
from portal.providers.vimeo.client import VimeoClient
from portal.providers.vimeo.refusals import FOLDER, TOKEN

API, PLAYER = "https://api.vimeo.com", "https://player.vimeo.com"
UPLOADS = ("https://*.vimeo.com",)

_HOST = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*", re.ASCII)
_HOSTS = "hosts"

_PROPERTIES = (
    Property(
        name=TOKEN,
        kind=FieldKind.SECRET,
        label=Message("Access token"),
        help=Message("Made at developer.vimeo.com, with the scopes public, private, upload, edit and delete."),
        longest=500,
        required=True,
    ),
    Property(
        name=FOLDER,
        kind=FieldKind.TEXT,
        label=Message("Folder"),
        help=Message("The number of a folder at Vimeo into which new videos go. Empty: into none."),
        longest=20,
    ),
    Property(
        name=_HOSTS,
        kind=FieldKind.TEXT,
        label=Message("Hosts allowed to embed"),
        help=Message("Hosts besides the portal's own whose pages may show the videos, separated by commas."),
        longest=1000,
    ),
)


class Vimeo:
    """The adapter of Vimeo. Its addresses are others in tests only."""

    key = "vimeo"
    label = "Vimeo"
    kinds = frozenset({"video"})
    properties: Sequence[Property] = _PROPERTIES
    settings: Sequence[Setting] = ()
    contradictions: Sequence[Contradiction] = ()
    features: frozenset[str] = frozenset()
    places: Places | None = None
    asks_about_guests = False

    def __init__(self, *, api: str = API, player: str = PLAYER, uploads: Sequence[str] = UPLOADS) -> None:
        self._api, self._player, self._uploads = api, player, tuple(uploads)

    def bind(self, properties: Mapping[str, Any]) -> "VimeoAccount":
        """The account behind a row. Raises `ProviderError` on a property that cannot be right."""
        folder = str(properties.get(FOLDER, ""))
        if folder and not (folder.isascii() and folder.isdigit()):
            raise ProviderError(
                Message("Write the number of the folder, as its address shows it."), permanent=True, field=FOLDER
            )
        return VimeoAccount(
            VimeoClient(self._api, str(properties.get(TOKEN, ""))),
            folder=folder,
            hosts=_read_hosts(str(properties.get(_HOSTS, ""))),
            player_origin=self._player,
            upload_origins=self._uploads,
        )

    def recording_mode(self, _settings: Mapping[str, Any], _limits: Mapping[str, Any]) -> RecordingMode:
        """Nothing is recorded: who watches sends nothing."""
        return RecordingMode.OFF


def _read_hosts(typed: str) -> list[str]:
    hosts = [one.strip().lower() for one in typed.split(",") if one.strip()]
    for host in hosts:
        if not _HOST.fullmatch(host):
            words = Message("%(host)s is no host. Write them like www.example.org, without https://.", host=host)
            raise ProviderError(words, permanent=True, field=_HOSTS)
    return hosts

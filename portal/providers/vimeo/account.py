"""The service: one account at Vimeo, or one folder of it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from portal.errors import Message
from portal.providers.base import Count, ProviderError
from portal.providers.held_videos import HeldCaptions, HeldVideo, Look, NewHeldVideo, UploadPlace
from portal.providers.vimeo.client import VimeoClient
from portal.providers.vimeo.reading import FIELDS, HIDDEN, LISTED_HOSTS, external_of, is_private, read_video
from portal.providers.vimeo.refusals import FOLDER, NOT_VIMEO, TOKEN, CannotHide, VimeoRefusal

SCOPES = ("public", "private", "upload", "edit", "delete")
A_PAGE = 100
MOST_PAGES = 200
"""Videos beyond these are passed over, however many an account has."""
MOST_HOSTS = 50

_TRACK = re.compile(r"/videos/[0-9]+(:[0-9A-Za-z]+)?/texttracks/[0-9]+", re.ASCII)


class VimeoAccount:
    """The service: one account at Vimeo, or one folder of it."""

    def __init__(
        self,
        client: VimeoClient,
        *,
        folder: str,
        hosts: Sequence[str],
        player_origin: str,
        upload_origins: Sequence[str],
    ) -> None:
        self._client, self._folder, self._hosts = client, folder, tuple(hosts)
        self.player_origin, self.upload_origins = player_origin, upload_origins

    def test(self) -> Mapping[str, str]:
        """Ask whether the token is good for all that the portal does. Raises `ProviderError` on what is wrong."""
        told = self._client.get("/oauth/verify", fields="scope")
        missing = [scope for scope in SCOPES if scope not in str(told.get("scope", "")).split()]
        if missing:
            words = Message("This token lacks scopes: %(missing)s. Make another one.", missing=", ".join(missing))
            raise ProviderError(words, permanent=True, field=TOKEN, answered=True)
        account = self._client.get("/me", fields="uri,name,upload_quota,membership")
        if not isinstance(account.get("upload_quota"), dict):
            words = Message(
                "This account may not upload by programs. Ask Vimeo for upload access, on the page of the app."
            )
            raise ProviderError(words, permanent=True, field=TOKEN, answered=True)
        if self._folder:
            self._folder_address()
        membership = account.get("membership")
        plan = str(membership.get("type", "")) if isinstance(membership, dict) else ""
        return {"version": f"API 3.4, {plan}".removesuffix(", ")}

    def create(self, new: NewHeldVideo) -> UploadPlace:
        """Begin a video. Raises `CannotHide` before any byte is sent, and leaves nothing there that is not hidden."""
        privacy = {"view": HIDDEN, "embed": LISTED_HOSTS, "download": False, "add": False, "comments": "nobody"}
        body: dict[str, Any] = {
            "upload": {"approach": "tus", "size": str(new.size)},
            "name": new.name,
            "description": new.reference,
            "privacy": privacy,
        }
        if self._folder:
            body["folder_uri"] = self._folder_address()
        made = self._client.send("POST", "/me/videos", body, fields="uri,upload.upload_link,privacy.view,privacy.embed")
        external = external_of(made)
        if external is None:
            raise ProviderError(NOT_VIMEO, permanent=False)
        with self._deleted_on_failure(external):
            if not is_private(made):
                raise CannotHide
            for host in list(dict.fromkeys([*new.hosts, *self._hosts]))[:MOST_HOSTS]:
                try:
                    self._client.send("PUT", f"/videos/{external}/privacy/domains/{quote(host)}")
                except VimeoRefusal as refusal:
                    raise CannotHide if refusal.permanent else refusal from None
            return UploadPlace(external, self._upload_link(made))

    def replace(self, external: str, *, file_name: str, size: int) -> UploadPlace:
        """Begin another version of a video."""
        body = {"file_name": file_name, "upload": {"approach": "tus", "size": str(size)}}
        made = self._client.send("POST", f"/videos/{external}/versions", body, fields="upload.upload_link")
        return UploadPlace(external, self._upload_link(made))

    def look(self) -> Iterator[Look]:
        """What Vimeo says of the account's videos, or the folder's: a hundred by one request."""
        path = f"/me/projects/{self._folder}/videos" if self._folder else "/me/videos"
        for page in range(1, MOST_PAGES + 1):
            told = self._client.get(
                path, fields=FIELDS, urgent=False, page=page, per_page=A_PAGE, sort="modified_time", direction="desc"
            )
            found = told.get("data")
            read = [read_video(one, player_origin=self.player_origin) for one in found or () if isinstance(found, list)]
            budget = self._client.budget
            counts = (
                (Count("requests", Message("Requests left in this minute"), budget.remaining),) if budget.limit else ()
            )
            yield Look([one for one in read if one is not None], counts)
            paging = told.get("paging")
            if not isinstance(paging, dict) or not paging.get("next"):
                return

    def look_at(self, external: str) -> HeldVideo | None:
        """What Vimeo says of one video; None only if it does not know it any more."""
        try:
            told = self._client.get(f"/videos/{external}", fields=FIELDS)
        except VimeoRefusal as refusal:
            if refusal.is_gone:
                return None
            raise
        return read_video(told, player_origin=self.player_origin)

    def delete(self, external: str) -> None:
        """Delete a video; one that is gone already counts as deleted."""
        try:
            self._client.send("DELETE", f"/videos/{external}")
        except VimeoRefusal as refusal:
            if not refusal.is_gone:
                raise

    def set_captions(self, external: str, captions: Sequence[HeldCaptions]) -> None:
        """Let the video have these captions. Those that it had go when the new ones are there."""
        before = self._tracks(external)
        for one in captions:
            track = {"type": "captions", "language": one.language, "name": one.label}
            made = self._client.send("POST", f"/videos/{external}/texttracks", track, fields="uri,link")
            self._client.put_file(str(made.get("link", "")), one.text.encode(), mimetype="text/vtt")
            if one.default:
                self._client.send("PATCH", _own(made.get("uri")), {"active": True})
        for uri in before:
            self._client.send("DELETE", uri)

    def set_poster(self, external: str, *, milliseconds: int) -> None:
        """Let the picture at this moment stand for the video."""
        self._client.send("POST", f"/videos/{external}/pictures", {"time": milliseconds / 1000, "active": True})

    def player_address(self, external: str, embed: str) -> str:
        """The address of the frame: it sets no cookies, and shows no names or links of Vimeo's."""
        query = {"h": embed} if embed else {}
        query |= {"dnt": "1", "title": "0", "byline": "0", "portrait": "0"}
        return f"{self.player_origin}/video/{external}?{urlencode(query)}"

    def _counts(self) -> Sequence[Count]:
        left = self._client.budget
        return (Count("requests", Message("Requests left in this minute"), left.remaining),) if left.limit else ()

    def _folder_address(self) -> str:
        try:
            told = self._client.get(f"/me/projects/{self._folder}", fields="uri")
        except VimeoRefusal as refusal:
            if refusal.is_gone:
                words = Message("This account has no folder of this number.")
                raise ProviderError(words, permanent=True, field=FOLDER, answered=True) from None
            raise
        return str(told.get("uri", ""))

    def _tracks(self, external: str) -> list[str]:
        told = self._client.get(f"/videos/{external}/texttracks", fields="uri", per_page=A_PAGE)
        found = told.get("data")
        tracks = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
        return [_own(one.get("uri")) for one in tracks]

    @contextmanager
    def _deleted_on_failure(self, external: str) -> Iterator[None]:
        try:
            yield
        except ProviderError:
            self.delete(external)
            raise

    def _upload_link(self, made: Mapping[str, Any]) -> str:
        upload = made.get("upload")
        link = str(upload.get("upload_link", "")) if isinstance(upload, dict) else ""
        if not any(_is_within(link, origin) for origin in self.upload_origins):
            raise ProviderError(NOT_VIMEO, permanent=False)
        return link


def _is_within(link: str, origin: str) -> bool:
    """Whether an address is of this origin, in which `*.` stands for any names before the rest."""
    parts, wanted = urlsplit(link), urlsplit(origin)
    if parts.scheme != wanted.scheme or parts.username is not None:
        return False
    any_of = wanted.netloc.removeprefix("*")
    return parts.netloc.endswith(any_of) if any_of != wanted.netloc else parts.netloc == wanted.netloc


def _own(uri: Any) -> str:
    """The path of something of a video, as Vimeo tells it. Raises `ProviderError` for anything else."""
    if not isinstance(uri, str) or not _TRACK.fullmatch(uri):
        raise ProviderError(NOT_VIMEO, permanent=False)
    return uri

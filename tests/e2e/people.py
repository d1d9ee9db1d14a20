"""People at their browsers: what they do, and what they see."""

import re
from typing import Any

from playwright.sync_api import BrowserContext, Locator, Page, expect

from portal.demo import PASSWORD

DECODED = """([name, more]) => {
  const video = [...document.querySelectorAll("video")].find((one) => one.getAttribute("aria-label").includes(name));
  return Boolean(video && video.videoWidth > 0 && video.getVideoPlaybackQuality().totalVideoFrames >= more);
}"""
FRAMES = """(name) => {
  const video = [...document.querySelectorAll("video")].find((one) => one.getAttribute("aria-label").includes(name));
  return video ? video.getVideoPlaybackQuality().totalVideoFrames : -1;
}"""
HEARD = """(name) => {
  const video = [...document.querySelectorAll("video")].find((one) => one.getAttribute("aria-label").includes(name));
  return Boolean(video?.srcObject?.getAudioTracks().some((track) => track.readyState === "live" && !track.muted));
}"""
EXPECTED_STATUS = re.compile(r"status of (400|401|403|404|409|410|422|429|503)")


def follow(to: Locator) -> None:
    """Click what leads to another page, and wait until that is there: a click alone comes back before."""
    with to.page.expect_navigation():
        to.click()


class Person:
    """Somebody with a browser of their own."""

    def __init__(self, context: BrowserContext, address: str, name: str) -> None:
        self.context, self.address, self.name = context, address, name
        self.complaints: list[str] = []
        self.may_ask: tuple[str, ...] = (address, "data:", "blob:")
        self.page = self.new_tab()

    def new_tab(self) -> Page:
        page = self.context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        page.on("console", self._listen)
        page.on("request", self._watch)
        return page

    def go(self, path: str) -> Page:
        self.page.goto(path if path.startswith("http") else f"{self.address}{path}")
        return self.page

    def sign_in(self) -> None:
        page = self.go("/sign-in")
        page.get_by_label("E-mail").fill(f"{self.name.lower()}@demo.example")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", name=re.compile("^(Rooms|Home)$"), level=1)).to_be_visible()

    def create_room(self, name: str) -> str:
        """The address of the new room's page."""
        page = self.go("/manage/rooms")
        page.get_by_role("link", name="New room").first.click()
        page.get_by_label("Name").fill(name)
        page.get_by_role("button", name="Create room").click()
        expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()
        return page.url

    def create_code(self, room: str, role: str, code: str) -> None:
        page = self.go(room)
        page.get_by_role("navigation", name="Room").get_by_role("link", name="Codes").click()
        page.get_by_role("link", name="New code").click()
        page.get_by_label("Role").select_option(label=role)
        page.get_by_label("Code", exact=True).fill(code)
        page.get_by_role("button", name="Create code").click()
        expect(page.get_by_role("row").filter(has_text=code)).to_be_visible()

    def create_link(self, room: str, role: str, label: str) -> str:
        """The address that the Copy button copies; below it there may be a code."""
        page = self.go(room)
        page.get_by_role("navigation", name="Room").get_by_role("link", name="Links").click()
        page.get_by_role("link", name="New link").click()
        page.get_by_label("Role").select_option(label=role)
        page.get_by_label("Label").fill(label)
        page.get_by_role("button", name="Create link").click()
        copy = page.get_by_role("button", name=f"Copy {role.lower()} link {label}")
        address = copy.get_attribute("data-copy")
        assert address
        return address.splitlines()[0]

    def join(self, link: str, *, code: str = "") -> None:
        page = self.go(link)
        page.get_by_label("Your name").fill(self.name)
        if code:
            page.get_by_label("Access code").fill(code)
        page.get_by_role("button", name="Join").click()
        page.wait_for_url("**/-/conference", wait_until="domcontentloaded")

    def enter(self, room: str, page: Page | None = None) -> Page:
        page = page or self.page
        page.goto(room)
        page.get_by_role("button", name="Enter", exact=True).click()
        page.wait_for_url("**/-/conference", wait_until="domcontentloaded")
        return page

    def leave(self, page: Page | None = None) -> None:
        page = page or self.page
        page.get_by_role("button", name="Leave").click()
        expect(page.get_by_role("link", name="Rejoin")).to_be_visible()

    def _listen(self, message: Any) -> None:
        text = message.text
        if message.type == "error" and not EXPECTED_STATUS.search(text) and "ERR_" not in text:
            self.complaints.append(f"console: {text}")

    def _watch(self, request: Any) -> None:
        if not request.url.startswith(self.may_ask):
            self.complaints.append(f"a request to somebody else: {request.url}")


def remove(page: Page, name: str) -> None:
    """Remove `name` from the conversation, in the open list of people: by a button, and by another that confirms it."""
    for _press in ("asks", "confirms"):
        page.get_by_role("button", name=f"Remove {name}").click()


def sees(page: Page, name: str, *, seconds: float = 25) -> None:
    """`page` decodes the picture of `name`, and frames go on growing."""
    page.wait_for_function(DECODED, arg=[name, 3], timeout=seconds * 1000)
    frames = page.evaluate(FRAMES, name)
    page.wait_for_function(DECODED, arg=[name, frames + 5], timeout=seconds * 1000)


def hears(page: Page, name: str) -> None:
    """A live sound track of `name` arrives."""
    page.wait_for_function(HEARD, arg=name)

"""What a guest's phone has to load before it can join: at most 30 KB, compressed, and no script but a small one.

That one offers the device check, and loads the rest of it only when it is opened.
"""

import gzip
import re

from portal.rooms.models import Role
from tests.cast import Cast

LIMIT = 30_000  # bytes; quality of the join page, see *experience*


def test_the_join_page_with_all_it_needs_weighs_at_most_30_kb(cast: Cast) -> None:
    guest = cast.follow(Role.ATTENDEE)
    page = guest.get(cast.board_path, headers={"Accept-Encoding": "gzip"})
    assert page.headers["Content-Encoding"] == "gzip"
    html = gzip.decompress(page.data).decode()
    assert re.findall(r'<script src="/static/\w+/([^"]+)" defer>', html) == ["js/device-check.js"]
    assert html.count("<script") == 1
    addresses = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', html))
    assert any(address.endswith("join.css") for address in addresses)
    assert not any("tabler" in address for address in addresses)
    total = len(page.data)
    for address in addresses:
        total += len(guest.get(address, headers={"Accept-Encoding": "gzip"}).data)
    assert total <= LIMIT


def test_the_largest_stylesheet_goes_over_the_wire_compressed(cast: Cast) -> None:
    page = cast.browser().get(cast.open_path).text
    version = re.search(r"/static/(\w+)/", page)
    assert version
    address = f"/static/{version[1]}/vendor/tabler.min.css"
    packed = cast.browser().get(address, headers={"Accept-Encoding": "gzip, br"})
    plain = cast.browser().get(address)
    assert packed.headers["Content-Encoding"] == "gzip"
    assert len(packed.data) < 85_000
    assert gzip.decompress(packed.data) == plain.data
    for answer in (packed, plain):
        assert "Accept-Encoding" in answer.headers["Vary"]
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.mimetype == "text/css"
    assert cast.browser().get(f"/static/{version[1]}/../app.py", headers={"Accept-Encoding": "gzip"}).status_code == 404

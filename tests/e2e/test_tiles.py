"""The pictures of a conversation: as large as the window allows, whole, and none over another."""

import os
from collections.abc import Callable
from itertools import combinations, product
from math import ceil
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.people import Person, sees
from tests.e2e.test_journeys import board_links
from tests.servers import Portal

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

WIDE = 16 / 9
GAP = 8
SIZES = ((1280, 720), (360, 740), (740, 360))
MODULE = 'import(document.querySelector("script[type=module]").src.replace("main.js", "%s"))'
ARRANGE = f"""async (cases) => {{
  const {{ arrange }} = await {MODULE % "layout.js"};
  return cases.map(([count, width, height]) => arrange(count, {{ width, height }}, {GAP}));
}}"""
SIMULATE = f"""async ([id, name, width, height]) => {{
  const tiles = await {MODULE % "tiles.js"};
  const canvas = Object.assign(document.createElement("canvas"), {{ width, height }});
  const paint = () => {{
    const pen = canvas.getContext("2d");
    pen.fillStyle = "#4a6b8a";
    pen.fillRect(0, 0, width, height);
    pen.strokeStyle = "#ffd166";
    pen.lineWidth = width / 16;
    pen.strokeRect(0, 0, width, height);
  }};
  paint();
  setInterval(paint, 100);
  const person = {{ id, name, camera: true, microphone: false }};
  tiles.show(person, canvas.captureStream(10));
  tiles.mark(person);
}}"""
DRAWN = """(count) => {
  const videos = [...document.querySelectorAll(".tile.has-picture video")];
  return videos.length === count && videos.every((video) => video.videoWidth > 0);
}"""
MEASURE = """async () => {
  for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame); // the window's new size is drawn
  const box = (one) => {
    const { left, top, width, height } = one.getBoundingClientRect();
    return { left, top, width, height };
  };
  return {
    stage: box(document.getElementById("stage")),
    covers: [".p-top", ".bar", ".p-notes"].map((one) => box(document.querySelector(one))),
    tiles: [...document.querySelectorAll(".tile")].map((tile) => {
      const video = tile.querySelector("video");
      return {
        ...box(tile),
        name: box(tile.querySelector(".tile-name")),
        video: box(video),
        ratio: video.videoWidth / video.videoHeight,
        fit: getComputedStyle(video).objectFit,
      };
    }),
  };
}"""


def best_width(count: int, width: float, height: float) -> float:
    """The width of the largest 16:9 tile, of all numbers of rows and columns that hold `count`."""
    choices = [(columns, rows) for columns, rows in product(range(1, count + 1), repeat=2) if columns * rows >= count]
    return max(
        min((width - GAP * (columns - 1)) / columns, (height - GAP * (rows - 1)) / rows * WIDE)
        for columns, rows in choices
    )


def inside(inner: dict[str, float], outer: dict[str, float]) -> bool:
    return (
        inner["left"] >= outer["left"] - 1
        and inner["top"] >= outer["top"] - 1
        and inner["left"] + inner["width"] <= outer["left"] + outer["width"] + 1
        and inner["top"] + inner["height"] <= outer["top"] + outer["height"] + 1
    )


def overlap(one: dict[str, float], other: dict[str, float]) -> bool:
    across = min(one["left"] + one["width"], other["left"] + other["width"]) - max(one["left"], other["left"])
    down = min(one["top"] + one["height"], other["top"] + other["height"]) - max(one["top"], other["top"])
    return across > 1 and down > 1


def assert_whole(page: Page, count: int, what: str) -> None:
    """Every picture is whole in its tile, the tiles are the largest ones, and names are covered by nothing."""
    page.wait_for_function(DRAWN, arg=count)
    seen: dict[str, Any] = page.evaluate(MEASURE)
    stage, tiles = seen["stage"], seen["tiles"]
    assert len(tiles) == count, what
    for tile in tiles:
        assert inside(tile, stage), what
        assert tile["fit"] == "contain", what  # whole, whatever the camera's shape
        assert inside(tile["video"], tile), what
        assert inside(tile["name"], tile), what
        assert abs(tile["width"] / tile["height"] - WIDE) < 0.06, what
        assert abs(tile["width"] - best_width(count, stage["width"], stage["height"])) <= 2, what
        assert not any(overlap(tile["name"], cover) for cover in seen["covers"]), what
    assert not any(overlap(one, other) for one, other in combinations(tiles, 2)), what
    last = [tile for tile in tiles if abs(tile["top"] - tiles[-1]["top"]) < 1]
    before, after = last[0]["left"] - stage["left"], stage["left"] + stage["width"] - last[-1]["left"] - tile["width"]
    assert abs(before - after) <= 2, f"{what}: the last row is not in the middle"


def keep(page: Page, name: str) -> None:
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=f"{folder}/{name}.png")


def test_no_other_rows_and_columns_give_larger_tiles_and_the_last_row_is_in_the_middle(
    portal: Portal, person: Callable[..., Person]
) -> None:
    alone = person("Ann One")
    alone.join(board_links(portal)["guest"])
    boxes = ((1248, 560), (344, 592), (616, 324), (1920, 200), (200, 1920), (640, 640), (97, 61), (2560, 1300))
    cases = [(count, width, height) for count in range(1, 31) for width, height in boxes]
    for (count, width, height), found in zip(cases, alone.page.evaluate(ARRANGE, cases), strict=True):
        what = f"{count} in {width} × {height}"
        tile, corners = found["width"], found["corners"]
        assert len(corners) == count, what
        best = max(best_width(count, width, height), 0)
        assert best - 1 <= tile <= best + 0.001, what
        assert found["height"] <= tile / WIDE + 1, what
        rows: dict[int, list[int]] = {}
        for corner in corners:
            rows.setdefault(corner["y"], []).append(corner["x"])
        lengths = [len(row) for row in rows.values()]
        assert len(set(lengths[:-1])) <= 1, what
        assert lengths[-1] <= lengths[0], what
        assert len(rows) == ceil(count / lengths[0]), what
        for lefts in rows.values():
            before, after = min(lefts), width - max(lefts) - tile
            assert before >= -1, what
            assert abs(before - after) <= 1, f"{what}: a row is not in the middle"
    empty = alone.page.evaluate(ARRANGE, [[0, 640, 480], [3, 0, 0], [3, 10, 5]])
    assert [len(found["corners"]) for found in empty] == [0, 3, 3]
    assert all(found["width"] >= 0 for found in empty)


def test_every_picture_is_whole_in_every_window(portal: Portal, person: Callable[..., Person]) -> None:
    links = board_links(portal)
    ann, ben = person("Ann One"), person("Ben Two")
    page = ann.page
    ann.join(links["moderator"])
    shapes = {3: (360, 640), 4: (640, 480), 5: (640, 360), 6: (480, 640), 9: (640, 360)}
    there = 1
    for count in (1, 2, 3, 4, 5, 9):
        if count == 2:
            ben.join(links["guest"])
            sees(page, "Ben Two")
            there = 2
        while there < count:
            there += 1
            width, height = shapes.get(there, (640, 360))
            page.evaluate(SIMULATE, [f"simulated{there}", f"Number {there}", width, height])
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            assert_whole(page, count, f"{count} at {width} × {height}")
            keep(page, f"tiles-{count}-{width}")
    page.set_viewport_size({"width": 1280, "height": 720})
    page.get_by_role("button", name="People").click()
    expect(page.get_by_role("complementary", name="People")).to_be_visible()
    assert_whole(page, 9, "9 beside the list of people")
    page.keyboard.press("Escape")
    ben.leave()
    expect(page.locator(".tile")).to_have_count(8)
    assert_whole(page, 8, "8 after somebody left")

"""The widget as a hand and an eye meet it: by role and name, whatever its markup is."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Locator, Page, expect

from tests.browser.lab import PATIENCE, until

MS = 1000 * PATIENCE


class Widget:
    """One view of an Explorer on a page; Playwright's selectors reach into its shadow root."""

    def __init__(self, page: Page, number: int = 0) -> None:
        self.page = page
        self.root = page.get_by_role("group", name="nbxplain explorer").nth(number)
        self.stage = self.root.get_by_role("region", name="stage")

    @property
    def picture(self) -> Locator:
        """The picture, described by what is drawn on it."""
        return self.stage.get_by_role("img").first

    def map(self) -> str:
        """A fingerprint of the map's pixels; empty where there is none."""
        canvas = self.stage.locator("canvas.nbx-map")
        if not canvas.count():
            return ""
        drawn = canvas.first.evaluate(
            "(canvas) => canvas.width && canvas.getContext('2d')"
            ".getImageData(0, 0, canvas.width, canvas.height).data.some((v) => v)"
            " ? canvas.toDataURL() : ''"
        )
        return hashlib.sha256(drawn.encode()).hexdigest() if drawn else ""

    def picker(self, name: str) -> Locator:
        """One of the three questions of the header."""
        return self.root.get_by_role("button", name=re.compile(f"^{name} "))

    def slider(self, name: str) -> Locator:
        return self.root.get_by_role("slider", name=name, exact=True)

    def number(self, name: str) -> Locator:
        return self.root.get_by_role("textbox", name=re.compile(f"^{name}, number"))

    def button(self, name: str) -> Locator:
        return self.root.get_by_role("button", name=name)

    def choose(self, picker: str, option: str) -> None:
        """Opens a picker and chooses from its list."""
        self.picker(picker).click()
        dialog = self.root.get_by_role("dialog", name=picker)
        dialog.get_by_role("option", name=re.compile(option)).first.click()
        expect(dialog).to_have_count(0)

    def focus(self) -> None:
        self.root.focus()

    def press(self, key: str) -> None:
        """A key in the widget, where the user has clicked nothing in particular."""
        self.focus()
        self.page.keyboard.press(key)

    def point_at_the_middle(self) -> None:
        """Moves the pointer over the middle of the picture."""
        self.picture.scroll_into_view_if_needed()
        box = self.picture.bounding_box()
        assert box is not None, "the picture is not on the page"
        self.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)

    @contextmanager
    def held(self, slider: Locator) -> Iterator[tuple[float, float, float]]:
        """Holds a slider's handle down; gives its left end, its right end and its height."""
        slider.scroll_into_view_if_needed()
        box = slider.bounding_box()
        assert box is not None, "the slider is not on the page"
        share = slider.evaluate("(s) => (s.valueAsNumber - s.min) / (s.max - s.min)")
        inset = 8
        left, right = box["x"] + inset, box["x"] + box["width"] - inset
        height = box["y"] + box["height"] / 2
        self.page.mouse.move(left + share * (right - left), height)
        self.page.mouse.down()
        try:
            yield left, right, height
        finally:
            self.page.mouse.up()

    def expect_map(self) -> None:
        """A picture with predictions and a map on it."""
        expect(self.picture).to_be_visible(timeout=MS)
        until(self.map, "no map is drawn")

    def expect_state(self, text: str) -> None:
        """What the header says of the job."""
        expect(self.root.locator(".nbx-job-text")).to_have_text(re.compile(text), timeout=MS)

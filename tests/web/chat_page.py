"""The chat, as a test uses it: words for what people do, in English."""

import time
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Locator, Page, expect

expect.set_options(timeout=30_000)  # a busy machine is slow, and nothing here is about speed

QUESTION = "Où est le point de rassemblement ?"


def until(page: Page, script: str, *, seconds: float = 30.0) -> Any:
    """Wait until a script gives something true. (Playwright's own way needs `eval`, which the policy forbids.)"""
    end = time.monotonic() + seconds
    while not (value := page.evaluate(script)):
        assert time.monotonic() < end, f"never true: {script}"
        page.wait_for_timeout(50)
    return value


@dataclass(frozen=True)
class Chat:
    """The chat of one page."""

    page: Page

    @property
    def field(self) -> Locator:
        return self.page.get_by_role("textbox", name="Your question")

    @property
    def answer(self) -> Locator:
        """The text of the last answer."""
        return self.page.locator(".turn").last.locator(".markdown")

    @property
    def line(self) -> Locator:
        """What is said above the last answer."""
        return self.page.locator(".turn").last.locator(".thinking-text")

    @property
    def questions(self) -> list[str]:
        return self.page.locator(".bubble").all_inner_texts()

    def write(self, text: str = QUESTION) -> None:
        """Send a question."""
        self.field.fill(text)
        self.field.press("Enter")

    def ask(self, text: str = QUESTION) -> None:
        """Send a question and wait until it is answered."""
        before = self.page.locator(".turn").count()
        self.write(text)
        expect(self.page.locator(".turn")).to_have_count(before + 1)
        self.done()

    def done(self) -> None:
        """Wait for the end of the last answer."""
        expect(self.page.locator(".turn").last.locator(".answer-actions")).to_be_visible()
        expect(self.page.get_by_role("button", name="Stop the answer")).to_have_count(0)

    def button(self, name: str) -> Locator:
        """A button of the last turn."""
        return self.page.locator(".turn").last.get_by_role("button", name=name, exact=True)

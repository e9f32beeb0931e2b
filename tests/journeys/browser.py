"""A real browser for the pages: the system's Chromium, else Playwright's own; refuses to fetch from other hosts."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, Route, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
OPTIONS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-gpu",
]
PICTURES = Path(__file__).resolve().parents[2] / "build" / "pages"


@contextmanager
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=found, args=OPTIONS)
        try:
            yield running
        finally:
            running.close()


class Person:
    """Somebody with a browser window of their own; every request to another host is noted and refused."""

    def __init__(self, running: Browser, url: str, *, scripts: bool = True, dark: bool = False) -> None:
        self.context = running.new_context(
            base_url=url,
            java_script_enabled=scripts,
            color_scheme="dark" if dark else "light",
            viewport={"width": 1180, "height": 900},
        )
        self.url = url
        self.foreign: list[str] = []
        self.context.route("**/*", self._route)
        self.page: Page = self.context.new_page()

    def _route(self, route: Route) -> None:
        if route.request.url.startswith(self.url) or route.request.url.startswith("data:"):
            route.continue_()
        else:
            self.foreign.append(route.request.url)
            route.abort()

    def picture(self, name: str) -> None:
        """A picture of the whole page, kept under build/pages."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=PICTURES / f"{name}.png", full_page=True)

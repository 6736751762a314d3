"""A real Chromium without a window, driven by selenium; tests that want it are skipped where there is none.

Debian has it in the packages ``chromium`` and ``chromium-driver``.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")


class Browser:
    """One window: :meth:`open` a page in it at a width, then ask what became of it."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    def open(self, page: Path, width: int, dark: bool = False) -> None:
        """Show ``page`` ``width`` pixels wide."""
        screen = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
        self.driver.get(page.as_uri())

    def asked(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page."""
        return self.driver.execute_script(f"return {expression}")

    @property
    def errors(self) -> list[str]:
        """The messages of the console since the last time."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    @property
    def too_wide(self) -> int:
        """By how many pixels the page is wider than its window."""
        return int(self.asked("document.documentElement.scrollWidth - window.innerWidth"))


@contextmanager
def running() -> Iterator[Browser]:
    """A browser, closed afterwards; skips the test that asks where none is installed."""
    program = next(filter(None, map(shutil.which, _BROWSERS)), None)
    driver = shutil.which("chromedriver")
    if program is None or driver is None:
        pytest.skip("no Chromium here: on Debian, apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    # As root, as in most containers, Chromium has no sandbox and little shared memory.
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    chrome = webdriver.Chrome(options=options, service=Service(driver))
    try:
        yield Browser(chrome)
    finally:
        chrome.quit()

"""Chromium without a screen, driven by the commands of WebDriver: Debian's packages `chromium` and `chromium-driver`."""

from __future__ import annotations

import base64
import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
_OPTIONS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)
# Without a proxy: it is a process of this machine that is spoken to.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def missing() -> str | None:
    """What of the browser is not there; `None` where it is."""
    absent = [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]
    return f"{', '.join(absent)} not installed (Debian: chromium, chromium-driver)" if absent else None


class Browser:
    """A window of the browser."""

    def __init__(self, address: str) -> None:
        self._address = address

    def call(self, command: str, **values: Any) -> Any:
        """One command of WebDriver."""
        request = urllib.request.Request(
            f"{self._address}/{command}", json.dumps(values).encode(), {"Content-Type": "application/json"}
        )
        try:
            with _OPENER.open(request, timeout=120) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(json.load(error)["value"]["message"]) from error

    def open(self, path: Path, width: int, scheme: str) -> None:
        """Shows a file, at a width in pixels and in a light or dark scheme."""
        self._devtools("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)  # fmt: skip
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self._devtools("Emulation.setEmulatedMedia", features=features)
        self.call("url", url=path.resolve().as_uri())

    def run(self, script: str, *arguments: Any) -> Any:
        """What a piece of JavaScript returns on the page that is shown."""
        return self.call("execute/sync", script=script, args=list(arguments))

    def click(self, selector: str) -> None:
        """Clicks in the middle of an element, as a person would; what covers it is an error."""
        self.run("document.querySelector(arguments[0]).scrollIntoView({block: 'center', inline: 'center'})", selector)
        found = self.call("element", using="css selector", value=selector)
        self.call(f"element/{found[_ELEMENT]}/click")

    def messages(self) -> list[str]:
        """What the console has said since it was last asked."""
        return [entry["message"] for entry in self.call("se/log", type="browser")]

    def picture(self, path: Path) -> None:
        """Writes what is seen as a PNG."""
        request = urllib.request.Request(f"{self._address}/screenshot")
        with _OPENER.open(request, timeout=120) as answer:
            path.write_bytes(base64.b64decode(json.load(answer)["value"]))

    def _devtools(self, command: str, **values: Any) -> None:
        self.call("goog/cdp/execute", cmd=command, params=values)


@contextmanager
def opened(profile: Path) -> Iterator[Browser]:
    """A browser with an empty profile, which ends with the block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    driver = subprocess.Popen(["chromedriver", f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        server = Browser(f"http://127.0.0.1:{port}")
        wanted = {
            "browserName": "chrome",
            "goog:loggingPrefs": {"browser": "ALL"},
            "goog:chromeOptions": {"binary": shutil.which("chromium"), "args": [*_OPTIONS, f"--user-data-dir={profile}"]},
        }  # fmt: skip
        session = _patiently(server, capabilities={"alwaysMatch": wanted})["sessionId"]
        browser = Browser(f"http://127.0.0.1:{port}/session/{session}")
        try:
            yield browser
        finally:
            end = urllib.request.Request(f"http://127.0.0.1:{port}/session/{session}", method="DELETE")
            _OPENER.open(end, timeout=60).close()
    finally:
        driver.terminate()
        driver.wait(timeout=60)


def _patiently(server: Browser, **values: Any) -> Any:
    """A session, as soon as the driver listens."""
    for _ in range(300):
        try:
            return server.call("session", **values)
        except urllib.error.URLError:
            time.sleep(0.1)
    raise AssertionError("chromedriver does not answer")

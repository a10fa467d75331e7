"""Settings of the property-based tests, where a slow run is no failure; folders for caches and for what is kept; figures."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("add-model", deadline=None)
# Where a run decides about a change, the change decides about the run: other examples are drawn while somebody works.
settings.register_profile("decides", settings.get_profile("add-model"), derandomize=True)
settings.load_profile("add-model")


@pytest.fixture(scope="session", autouse=True)
def folders_of_nobody(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Cache and state folders of the tests' own, so that no test leaves anything in the user's."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("home")
        # What Python keeps beside a module that it has imported is nothing that a command writes.
        patch.setenv("PYTHONDONTWRITEBYTECODE", "1")
        patch.setattr(sys, "dont_write_bytecode", True)
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        patch.setenv("XDG_STATE_HOME", str(folder / "state"))
        yield folder


@pytest.fixture
def figure(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Takes what a test has counted, to be printed at the end of the run, whichever process the test ran in."""
    return lambda text: record_property("figure", text)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Prints what was counted."""
    reports = (report for outcome in ("passed", "failed") for report in terminalreporter.getreports(outcome))
    figures = [text for report in reports for name, text in report.user_properties if name == "figure"]
    if figures:
        terminalreporter.section("figures")
        for text in figures:
            terminalreporter.write_line(text)

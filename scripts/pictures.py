"""Makes the pictures of the docs, from what the commands really show:

    python scripts/pictures.py [FOLDER]    into docs/pictures by default

The interview is typed in a pseudo-terminal and drawn as SVG. The comparison is the page that the section of README.md on
porting weights ends with; a headless Chromium photographs it, and where there is none, its picture is left as it is.
"""

from __future__ import annotations

import itertools
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pexpect
import pyte
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.style import Style
from rich.terminal_theme import DIMMED_MONOKAI
from rich.text import Text

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.console import section, steps, typed  # noqa: E402

COLUMNS, ROWS = 96, 24
PAGE_WIDTH, PAGE_HEIGHT = 1000, 640
_PATIENCE_SECONDS = 60
_QUIET_SECONDS = 1.5
# Where a picture is taken, and what is typed first at a question that a screen shows; else it is Enter.
CHOICE = re.compile(r"^\s*» bert\b", re.MULTILINE)
SUMMARY = re.compile(r"\bwrite them\b")
_TYPED = {"Which existing model is it most like?": "bert", "What is the new model called?": "brand_new_bert\r"}
_MOST_QUESTIONS = 12
# Rich asks for a font from another site.
_SVG = re.sub(r"@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
_CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


class Session:
    """A program in a pseudo-terminal, and the screen that its user sees."""

    def __init__(self, command: list[str], folder: Path) -> None:
        environment = {**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8", "PYTHONPATH": str(ROOT)}
        self._child: pexpect.spawn[str] = pexpect.spawn(
            command[0],
            command[1:],
            cwd=str(folder),
            env=environment,
            dimensions=(ROWS, COLUMNS),
            encoding="utf-8",
        )
        self.screen = pyte.Screen(COLUMNS, ROWS)
        # A terminal answers when it is asked where the cursor is; this is how it gets back to the program.
        self.screen.write_process_input = self._child.send
        self._stream = pyte.Stream(self.screen)
        self._to_type = dict(_TYPED)

    @property
    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.screen.display)

    def go_on_to(self, wanted: re.Pattern[str]) -> None:
        """Answers what is asked until the screen shows what is wanted, whatever questions come before."""
        for _ in range(_MOST_QUESTIONS):
            self._wait()
            if wanted.search(self.text):
                return
            asked = self.text.rstrip().rpartition("\n? ")[2]
            question = next((question for question in self._to_type if question in asked), None)
            self._child.send("\r" if question is None else self._to_type.pop(question))
        raise SystemExit(
            f"the interview never came to {wanted.pattern!r}; adapt {Path(__file__).name} to it:\n{self.text}"
        )

    def _wait(self) -> None:
        """Reads until the program waits for a key: something has come, and then nothing more."""
        patience = _PATIENCE_SECONDS
        while True:
            try:
                self._stream.feed(self._child.read_nonblocking(4096, timeout=patience))
            except pexpect.TIMEOUT:
                return
            except pexpect.EOF:
                raise SystemExit(f"the interview ended too early:\n{self.text}") from None
            patience = _QUIET_SECONDS

    def close(self) -> None:
        self._child.close(force=True)


@contextmanager
def interview() -> Iterator[Session]:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "my_models")
        folder.mkdir()
        session = Session([sys.executable, "-m", "add_model", "like"], folder)
        try:
            yield session
        finally:
            session.close()


def drawn(screen: pyte.Screen, title: str) -> str:
    """The screen as SVG: down to its last line that is not empty."""
    lines = [_line(screen, row) for row in range(screen.lines)]
    while lines and not lines[-1].plain.strip():
        lines.pop()
    with open(os.devnull, "w") as nowhere:
        console = Console(record=True, width=screen.columns, height=len(lines), file=nowhere, color_system="truecolor", force_terminal=True)  # fmt: skip
        console.print(Text("\n").join(lines), no_wrap=True, overflow="crop")
        return console.export_svg(title=title, theme=DIMMED_MONOKAI, code_format=_SVG, unique_id="screen")


def _line(screen: pyte.Screen, row: int) -> Text:
    cells = [screen.buffer[row][column] for column in range(screen.columns)]
    line = Text()
    for style, run in itertools.groupby(cells, _style):
        line.append("".join(cell.data for cell in run), style)
    line.rstrip()
    return line


def _style(cell: pyte.screens.Char) -> Style:
    return Style(
        color=_colour(cell.fg), bgcolor=_colour(cell.bg), bold=cell.bold, italic=cell.italics, reverse=cell.reverse
    )


def _colour(name: str) -> str | None:
    """Rich's word for one of pyte's colours."""
    if name == "default":
        return None
    if re.fullmatch(r"[0-9a-f]{6}", name):
        return f"#{name}"
    return {"brown": "yellow", "brightbrown": "bright_yellow"}.get(name, name.replace("bright", "bright_"))


def comparison_page(folder: Path) -> Path:
    """The page on a model that lacks a residual, made as README.md says."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = [next(steps(section(readme, "Add a model"))).command, "mkdir elsewhere && cd elsewhere"]
    commands += [step.command for step in steps(section(readme, "Port the weights, and find what differs"))]
    program = folder / "bin" / "add-model"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m add_model "$@"\n')
    program.chmod(0o755)
    path = os.pathsep.join([str(program.parent), str(Path(sys.executable).parent), os.environ["PATH"]])
    results = typed(commands, folder, {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)})
    page = folder / "my_models" / "report.html"
    if not page.is_file():
        raise SystemExit("README.md no longer ends in a report.html:\n" + "\n".join(output for output, _ in results))
    return page


def photographed(page: Path, picture: Path, browser: str) -> None:
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--window-size={PAGE_WIDTH},{PAGE_HEIGHT}"]  # fmt: skip
    with tempfile.TemporaryDirectory() as profile:
        subprocess.run(
            [browser, *options, f"--user-data-dir={profile}", f"--screenshot={picture}", page.as_uri()],
            check=True,
            capture_output=True,
            timeout=_PATIENCE_SECONDS * 3,
        )
    _say(picture)


def _say(picture: Path) -> None:
    print(f"{picture}: {picture.stat().st_size:,} bytes")


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "docs" / "pictures")
    folder.mkdir(parents=True, exist_ok=True)
    with interview() as session:
        for name, wanted in (("interview", CHOICE), ("summary", SUMMARY)):
            session.go_on_to(wanted)
            picture = folder / f"{name}.svg"
            picture.write_text(drawn(session.screen, "add-model like"), encoding="utf-8")
            _say(picture)
    picture = folder / "comparison.png"
    browser = next(filter(None, map(shutil.which, _CHROMIUM)), None)
    if browser is None:
        print(f"left as it is: {picture} (no Chromium is installed)")
        return
    with tempfile.TemporaryDirectory() as scratch:
        photographed(comparison_page(Path(scratch)), picture, browser)


if __name__ == "__main__":
    main()

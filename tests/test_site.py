"""The site that docs/ is built into: complete, without a dead link, and readable without a network."""

from __future__ import annotations

import html
import importlib.util
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from PIL import Image

from add_model.cli.commands import app
from add_model.copies.finding import Code
from tests.cli.commands import add_model_process

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PICTURES = DOCS / "pictures"
_LOADED = re.compile(r"""<(?:script|img|iframe|source)\b[^>]*\bsrc="(https?:)?//|<link\b[^>]*\bhref="(https?:)?//""")
_LOADED_BY_STYLE = re.compile(r"""(?:url\(|@import)\s*["']?(?:https?:)?//""")


def build(docs: Path, site: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-B", "-m", "sphinx", "--quiet", "--fail-on-warning", "--keep-going", docs, site]
    return subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)


def sources(folder: Path) -> Path:
    """What the site is made from, to be changed: its pages, and what they take from the repository."""
    shutil.copytree(DOCS, folder / "docs", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "README.md", folder)
    (folder / "add_model").symlink_to(ROOT / "add_model")
    return folder / "docs"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    result = build(DOCS, folder)
    assert result.returncode == 0, result.stderr
    return folder


def said(page: Path) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "", page.read_text(encoding="utf-8")))


def commands(group: Any, path: str = "add-model") -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


@pytest.mark.slow
def test_every_command_has_a_section_with_each_of_its_options(site: Path) -> None:
    page = (site / "commands.html").read_text(encoding="utf-8")
    everything = list(commands(typer.main.get_command(app)))
    assert {name for name, _ in everything} >= {"add-model like", "add-model check-copies", "add-model verify tests"}
    for name, command in everything:
        section = re.search(rf'<section id="{name.replace(" ", "-")}">(.*?)</section>', page, re.DOTALL)
        assert section is not None, name
        text = html.unescape(re.sub(r"<[^>]+>", "", section[1]))
        for option in [option for parameter in command.params for option in parameter.opts]:
            assert not option.startswith("--") or option in text, (name, option)


@pytest.mark.slow
def test_every_code_has_a_page_of_its_own(site: Path) -> None:
    for code in Code:
        assert f"{code.name}: {code.value}" in said(site / "codes" / f"{code.name}.html")


@pytest.mark.slow
def test_the_table_of_the_configuration_is_that_of_readme(site: Path) -> None:
    assert "per-file-ignores" in said(site / "configuration.html")


@pytest.mark.slow
def test_the_build_draws_the_objects_that_a_model_finds(site: Path) -> None:
    page = (site / "how-to" / "images.html").read_text(encoding="utf-8")
    assert "post_process_object_detection" in said(site / "how-to" / "images.html")
    source = re.search(r'<img src="(\.\./[^"]+found_objects\.png)"', page)
    assert source is not None
    with Image.open(site / "how-to" / source[1]) as picture:
        colours = {colour for _, colour in picture.convert("RGB").getcolors(1 << 20) or ()}
    # The background, both objects, and what is drawn on them.
    assert {(245, 222, 179), (220, 20, 60), (65, 105, 225), (0, 0, 0)} <= colours


@pytest.mark.slow
def test_no_page_loads_anything_from_another_site(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 20
    for path in pages:
        assert not _LOADED.search(path.read_text(encoding="utf-8")), path
    for path in [*site.rglob("*.css"), *site.rglob("*.svg")]:
        assert not _LOADED_BY_STYLE.search(path.read_text(encoding="utf-8")), path


@pytest.mark.slow
@pytest.mark.parametrize(
    ("page", "text", "warning"),
    [
        ("markers.md", "\n[a page that is not there](nowhere.md)\n", "nowhere.md"),
        ("markers.md", "\n[no such heading](porting.md#no-such-heading)\n", "no-such-heading"),
        ("markers.md", "\n![no such picture](pictures/nothing.svg)\n", "nothing.svg"),
        ("forgotten.md", "# A page that none leads to\n", "toctree"),
    ],
)
def test_a_dead_link_or_a_forgotten_page_ends_the_build(page: str, text: str, warning: str, tmp_path: Path) -> None:
    docs = sources(tmp_path)
    with (docs / page).open("a", encoding="utf-8") as file:
        file.write(text)
    result = build(docs, tmp_path / "site")
    assert result.returncode != 0
    assert warning in result.stderr


def test_the_pictures_are_small() -> None:
    pictures = list(PICTURES.iterdir())
    assert {path.name for path in pictures} == {"architecture.svg", "interview.svg", "summary.svg", "comparison.png"}
    assert sum(path.stat().st_size for path in pictures) < 150_000


@pytest.mark.slow
def test_the_interview_is_drawn_from_what_it_really_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the photograph, which needs a browser: that there is none is said, and its picture is left as it is."""
    pictures = _module("pictures", ROOT / "scripts" / "pictures.py")
    monkeypatch.setattr(pictures, "_CHROMIUM", ())
    monkeypatch.setattr(sys, "argv", ["pictures.py", str(tmp_path)])
    pictures.main()
    shown = {path.name: said(path).replace("\N{NO-BREAK SPACE}", " ") for path in tmp_path.iterdir()}
    assert set(shown) == {"interview.svg", "summary.svg"}
    assert "Which existing model is it most like?" in shown["interview.svg"]
    assert "brand_new_bert" in shown["summary.svg"] and "write them" in shown["summary.svg"]
    assert not any("cdnjs" in path.read_text(encoding="utf-8") for path in tmp_path.iterdir())


def test_a_template_can_use_every_name_that_the_page_on_them_lists(tmp_path: Path) -> None:
    page = (DOCS / "how-to" / "templates.md").read_text(encoding="utf-8")
    names = [name for row in re.findall(r"(?m)^\| (`.*?) \|", page) for name in re.findall(r"`([\w.]+)`", row)]
    assert len(names) > 10 and names[0] == "name.snake"
    like = ["like", "gpt2", "--heads", "none", "--tokenizer-like", "bert", "--yes"]
    assert add_model_process(tmp_path, *like, "--name", "first_gpt", "--into", "my_models").returncode == 0
    library = tmp_path / "my_models"
    project = library / "pyproject.toml"
    project.write_text(project.read_text().replace("[tool.add-model]\n", '[tool.add-model]\ntemplates = "mine"\n'))
    template = library / "mine" / "model" / "notes" / "NAME.txt.jinja"
    template.parent.mkdir(parents=True)
    template.write_text("".join(f"{name}={{{{ {name} }}}}\n" for name in names))
    result = add_model_process(library, *like, "--name", "second_gpt")
    assert result.returncode == 0, result.stderr
    written = (library / "notes" / "second_gpt.txt").read_text()
    assert "name.camel=SecondGpt\n" in written
    assert not re.search(r"(?m)^[\w.]+=$", written), written


def _module(name: str, path: Path) -> Any:
    specification = importlib.util.spec_from_file_location(name, path)
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module

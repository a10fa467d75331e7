"""Imports that lead to nothing once the copies of a file follow another release: dropped where nothing uses them, and said."""

from __future__ import annotations

from pathlib import Path

import pytest

from add_model.copies.fixing.dangling import drop_dangling
from add_model.copies.fixing.modules import Modules
from add_model.copies.reading.sources import Sources
from add_model.library import Library
from add_model.reading import read_bytes

BEFORE = "from lib.tools import gone, kept\n\n\ndef f():\n    return gone(kept)\n"
AFTER = "from lib.tools import gone, kept\n\n\ndef f():\n    return kept\n"
LIBRARY = {
    "__init__.py": 'NAMES = {"older": "tools"}\n',
    "tools.py": "from .more import *\n\n\ndef kept():\n    pass\n",
    "more.py": "def starred():\n    pass\n",
    "lazy.py": "def __getattr__(name):\n    return name\n",
}


@pytest.fixture
def modules(tmp_path: Path) -> Modules:
    for name, text in LIBRARY.items():
        path = tmp_path / "lib" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return Modules(Sources(Library(tmp_path, {"lib": tmp_path / "lib"}), read_bytes))


def fixed(modules: Modules, before: str, after: str) -> tuple[str, list[str]]:
    contents, left = drop_dangling({"own.py": before.encode()}, {"own.py": after.encode()}, modules, ("lib",))
    return contents["own.py"].decode(), [f"{each.line} {each.message}" for each in left]


def test_an_import_that_leads_to_nothing_goes_with_its_last_use(modules: Modules) -> None:
    text, said = fixed(modules, BEFORE, AFTER)
    assert text == AFTER.replace("gone, kept", "kept") and said == []
    alone = "from lib.tools import (\n    gone,\n)\n\nx = 1\n"
    assert fixed(modules, alone + "y = gone\n", alone) == ("\nx = 1\n", [])


def test_one_that_is_used_stays_and_is_said(modules: Modules) -> None:
    text, said = fixed(modules, BEFORE, BEFORE)
    assert text == BEFORE
    assert said == ["1 imports `gone` from lib.tools, which has it no more; replace what uses it here"]


@pytest.mark.parametrize(
    "line",
    [
        "from lib.tools import kept, starred",
        "from lib.lazy import anything",
        "from lib.older import anything",  # the package gives another module that name
        "from lib import tools",
        "from other.tools import gone",  # nobody knows what others have
    ],
)
def test_what_may_be_there_is_left_alone(modules: Modules, line: str) -> None:
    names = line.partition(" import ")[2]
    assert fixed(modules, f"{line}\nprint({names})\n", f"{line}\n") == (f"{line}\n", [])


def test_a_module_that_is_gone_is_said(modules: Modules) -> None:
    text = "from lib.onnx import OnnxConfig as Base\n\n\nclass Mine(Base):\n    pass\n"
    assert fixed(modules, text, text)[1][0].startswith("1 imports `OnnxConfig` from lib.onnx")


@pytest.mark.parametrize(
    "after", ["from lib.tools import gone  # for others\n", 'from lib.tools import gone\n__all__ = ["gone"]\n']
)
def test_what_stands_there_for_others_stays(modules: Modules, after: str) -> None:
    text, said = fixed(modules, f"{after}gone()\n", after)
    assert text == after and len(said) == 1

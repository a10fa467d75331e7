"""What a model does without is not asked for where its code is loaded from a checkpoint."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from add_model.scaffold.out_of_tree.optional_imports import with_guarded_imports
from tests.scaffold.out_of_tree.installed import add_model, part_of_transformers
from tests.scaffold.rendered import in_a_package, modules
from tests.transformers_models.folders import model_folders

GUARD = "try:\n{0}    {1}\n{0}except ImportError:\n{0}    raise\n"


@pytest.mark.parametrize(
    ("before", "statement", "after"),
    [
        ("def f():\n    ", "import deepspeed", "\n    return deepspeed\n"),
        ("if TYPE_CHECKING:\n    ", "from deepspeed import zero", ""),
        ("with suppress(ImportError):\n    ", "import deepspeed.zero", ""),
        ("if x:\n    pass\nelse:\n    ", "import deepspeed", ""),
    ],
)
def test_an_import_that_the_loader_would_ask_for_is_guarded(before: str, statement: str, after: str) -> None:
    text, unmarked = with_guarded_imports(f"{before}{statement}\n{after}")
    assert text == before + GUARD.format("    ", statement) + after and unmarked == ()


@pytest.mark.parametrize(
    "text",
    [
        "import deepspeed\n",
        "import deepspeed\n\n\ndef f():\n    import deepspeed\n",
        "try:\n    import deepspeed\nexcept ImportError:\n    pass\n",
        "if is_deepspeed_available():\n    import deepspeed\n",
        "def f():\n    import copy, torch\n    from transformers import AutoModel\n    from .other import x\n",
    ],
)
def test_what_is_asked_for_anyway_and_what_never_is_stay_as_they_are(text: str) -> None:
    assert with_guarded_imports(text) == (text, ())


def test_a_method_with_a_guard_is_out_of_the_comparison_and_a_function_loses_its_marker() -> None:
    method = "class A:\n    @staticmethod\n    def f():\n        import deepspeed\n"
    text, _ = with_guarded_imports(method)
    assert text.startswith("class A:\n    # Ignore copy\n    @staticmethod\n    def f():\n        try:\n")
    text, unmarked = with_guarded_imports("# Copied from a.b.f\ndef f():\n    import deepspeed\n")
    assert text == "def f():\n    " + GUARD.format("    ", "import deepspeed").replace("    try", "    try")
    assert [name for name, _ in unmarked] == ["f"]


def required(folder: str, root: Path) -> set[str]:
    """The optional packages that the loader asks for in a model's modules and not at the top of its reference's."""
    from transformers.dynamic_module_utils import get_imports

    asked: set[str] = set()
    for path, text in modules(in_a_package(folder, "my_model", root)).items():
        file = root / f"{path}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        at_the_top = {line.split()[1].partition(".")[0] for line in text.split("\n") if line.startswith(("import ", "from "))}  # fmt: skip
        asked |= set(get_imports(file)) - at_the_top - sys.stdlib_module_names
    return asked


@pytest.mark.slow
@pytest.mark.parametrize("folder", ["distilbert", "hubert", "inkling", "patchtst", "fastspeech2_conformer"])
def test_the_loader_asks_for_nothing_optional(folder: str, tmp_path: Path) -> None:
    assert required(folder, tmp_path) == set()


@pytest.mark.exhaustive
def test_the_loader_asks_for_nothing_optional_of_any_model(tmp_path: Path) -> None:
    from tests.copies.released import released

    folders = model_folders(released("transformers-5.23.0").packages["transformers"])
    asked = {folder: required(folder, tmp_path / folder) for folder in folders}
    assert {folder: packages for folder, packages in asked.items() if packages} == {}


SAVE = """
import sys, my_models
from transformers import AutoConfig, AutoModelForMaskedLM

configuration = AutoConfig.for_model("my_distilbert", vocab_size=50, dim=32, hidden_dim=48, n_layers=2, n_heads=4)
AutoModelForMaskedLM.from_config(configuration).save_pretrained(sys.argv[1])
"""
LOAD = """
import sys
from transformers import AutoModelForMaskedLM

print(type(AutoModelForMaskedLM.from_pretrained(sys.argv[1], trust_remote_code=True)).__name__)
"""


@pytest.mark.slow
def test_what_is_saved_loads_where_the_optional_package_is_missing(tmp_path: Path) -> None:
    installed = part_of_transformers(tmp_path / "installed", "5.23.0", "distilbert")
    made = add_model(tmp_path, "like", "transformers:distilbert", "--name", "my_distilbert", "--into", "my_models", "--yes", path=installed)  # fmt: skip
    assert made.returncode == 0, made.stderr
    run = add_model(tmp_path / "my_models", "check-copies", "--strict", "--output-format", "json", path=installed)
    assert json.loads(run.stdout) == []
    saved = str(tmp_path / "saved")

    def done(code: str, path: str) -> str:
        environment = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "home"), "PYTHONPATH": path}
        run = subprocess.run([sys.executable, "-c", code, saved], cwd=tmp_path, env=environment, capture_output=True, text=True)  # fmt: skip
        assert run.returncode == 0, run.stderr
        return run.stdout.strip()

    done(SAVE, str(tmp_path / "my_models" / "src"))
    assert done(LOAD, "") == "MyDistilbertForMaskedLM"

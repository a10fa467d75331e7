"""The wheel, in an environment with nothing else: no torch, no source checkout."""

from __future__ import annotations

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]


def run(*command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert result.returncode == 0, f"{command}\n{result.stdout}\n{result.stderr}"
    return result


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT), folder=folder)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def command(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`add-model`, installed from the wheel into an empty environment."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    run(str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(wheel), folder=folder)
    found = run(str(python), "-c", "import importlib.util as u; print(u.find_spec('torch'))", folder=folder)
    assert found.stdout.strip() == "None"
    return folder / "bin" / "add-model"


def test_the_wheel_brings_the_templates_and_the_zoo(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert "add_model/templates/model/docs/models/NAME.md.jinja" in names
    assert "add_model/templates/library/.github/workflows/ci.yml.jinja" in names
    assert "add_model/zoo/tests/models/bert/test_modeling_bert.py" in names
    assert "add_model/templates/porting/test_integration.py.jinja" in names
    assert "add_model/family.toml" in names


def test_the_main_job_runs_from_an_empty_folder_without_torch(command: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    run(str(command), "like", "bert", "--name", "brand_new_bert", "--into", "my_models", "--yes", folder=empty)
    library = empty / "my_models"
    modeling = library / "src/my_models/models/brand_new_bert/modeling_brand_new_bert.py"
    assert "class BrandNewBertForMaskedLM(" in modeling.read_text()
    assert "# Copied from add_model.zoo.models.bert.modeling_bert.BertModel with" in modeling.read_text()
    checked = run(str(command), "check-copies", folder=library)
    markers = sum(path.read_text().count("# Copied from ") for path in (library / "src").rglob("*.py"))
    assert markers > 20 and f"{markers} markers checked" in checked.stdout + checked.stderr
    listed = run(str(command), "references", "--json", folder=library)
    assert "brand_new_bert" in listed.stdout
    status = subprocess.run([str(command), "status", "brand_new_bert"], cwd=library, capture_output=True, text=True)
    assert status.returncode == 1 and "model skeleton added" in status.stdout and status.stderr == ""


def test_it_writes_the_same_bytes_as_the_source_checkout(command: Path, tmp_path: Path) -> None:
    for name, tool in (("wheel", [str(command)]), ("checkout", [sys.executable, "-m", "add_model"])):
        (tmp_path / name).mkdir()
        run(*tool, "like", "gpt2", "--name", "tiny_gpt", "--into", "my_models", "--yes", folder=tmp_path / name)
    trees = [
        {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        for folder in (tmp_path / "wheel", tmp_path / "checkout")
    ]
    assert trees[0] == trees[1]

"""What README.md and the generated projects tell a stranger to type, in environments that hold what is declared and no more.

None of this project's own test extras is there: what a library needs and does not say is missing.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.test_wheel import ROOT, wheel

__all__ = ["wheel"]  # the fixture

pytestmark = pytest.mark.slow

TORCH = next(line for line in (ROOT / "constraints.txt").read_text().splitlines() if line.startswith("torch=="))
(TRANSFORMERS,) = re.findall(r'"(transformers==[^";]+); python_version >= ', (ROOT / "pyproject.toml").read_text())
BUNDLED = "from add_model.zoo.models.bert import BertConfig as C, BertModel as M; M(C(hidden_size=24)).save_pretrained('saved')"


class Shell:
    """A shell with an environment of its own activated, and next to nothing of what surrounds it."""

    def __init__(self, environment: Path, folder: Path) -> None:
        """Makes the environment; commands are run in the folder until one changes it."""
        venv.create(environment, with_pip=True)
        self.folder = folder
        kept = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_", "XDG_"))}
        self.variables = kept | {
            "PATH": f"{environment / 'bin'}:/usr/bin:/bin",
            "HOME": str(environment),
            "HF_HUB_OFFLINE": "1",
            "OMP_NUM_THREADS": "1",
            "TOKENIZERS_PARALLELISM": "false",
        }

    def run(self, command: str) -> str:
        """What a command prints; it must succeed."""
        if command.startswith("cd "):
            self.folder /= command.removeprefix("cd ")
            return ""
        result = subprocess.run(
            ["bash", "-e", "-c", command],
            cwd=self.folder,
            env=self.variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert result.returncode == 0, f"$ {command}\n{result.stdout}"
        return result.stdout

    def run_next(self, printed: str) -> None:
        """Types what a command says comes next."""
        commands = [line.strip() for line in printed.partition("Next:\n")[2].splitlines()]
        assert commands
        for command in commands:
            self.run(re.sub("^less ", "cat ", command))

    def has(self, module: str) -> bool:
        """Whether a module can be imported."""
        code = f"import importlib.util; print(importlib.util.find_spec('{module}') is not None)"
        return self.run(f'python -c "{code}"').strip() == "True"


def python_code(page: str) -> str:
    """The first Python block of a page."""
    return page.split("```python\n")[1].split("```")[0]


def test_what_next_says_works_with_what_is_declared(wheel: Path, tmp_path: Path) -> None:
    shell = Shell(tmp_path / "environment", tmp_path)
    shell.run(f"pip install --quiet {TORCH}")
    shell.run(f"pip install --quiet '{wheel}[torch]'")
    assert not shell.has("pytest") and not shell.has("transformers")
    # What the bundled models need is there, so that one can be saved.
    shell.run(f'python -c "{BUNDLED}"')
    shell.run_next(shell.run("add-model like bert --name brand_new_bert --into my_models --yes"))
    assert not shell.has("transformers")
    shell.run("ruff check . && ruff format --check .")
    # The same in a package that depends on Transformers.
    shell.folder = tmp_path
    shell.run(f"pip install --quiet {TRANSFORMERS}")
    shell.run_next(shell.run("add-model like transformers:llama --name my_llama --into mine --yes"))
    shell.run_next(shell.run("add-model like wav2vec2 --name my_wav2vec2 --yes"))
    shell.run("add-model like vit --name my_vit --yes")
    # Step 8 of the fourteen has its evidence as in any library: what is left open are the original's numbers.
    shell.run("! add-model verify tests my_vit")
    assert " passed; none holds the original's numbers yet" in " ".join(shell.run("! add-model status my_vit").split())
    assert "ruff" in shell.run("ruff --version && ruff check . && ruff format --check .")
    (tmp_path / "snippet.py").write_text(python_code((tmp_path / "mine/README.md").read_text()))
    shell.folder = tmp_path
    shell.run("python snippet.py")
    saved = {path.name for path in (tmp_path / "folder").iterdir()}
    assert {"config.json", "model.safetensors", "modeling_my_llama.py"} <= saved
    assert (tmp_path / "folder/model.safetensors").stat().st_size < 50_000_000


def steps(library: Path) -> list[str]:
    """The commands of a generated workflow."""
    text = (library / ".github/workflows/ci.yml").read_text()
    found = re.findall(r"(?m)^ *(?:- )?run: (?:\|\n((?:^ {10}.*\n)+)|(.+)\n)", text)
    return [re.sub("(?m)^ {10}", "", several) or one for several, one in found]


def test_a_library_is_developed_without_add_model(tmp_path: Path) -> None:
    for arguments in (["gpt2", "--name", "tiny_gpt"], ["transformers:opt", "--name", "my_opt"]):
        folder = tmp_path / arguments[-1]
        folder.mkdir()
        like = [sys.executable, "-m", "add_model", "like", *arguments, "--into", "my_models", "--yes"]
        subprocess.run(like, cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=True, capture_output=True)
    shell = Shell(tmp_path / "environment", tmp_path)
    shell.run(f"pip install --quiet {TORCH}")
    for name in ("tiny_gpt", "my_opt"):
        shell.folder = tmp_path / name / "my_models"
        printed = {command: shell.run(command) for command in steps(shell.folder) if "download.pytorch" not in command}
        assert 'pip install -e ".[dev]"' in printed and "pytest" in printed
        assert not shell.has("add_model")
        (check,) = [command for command in printed if "check-copies" in command]
        assert printed[check].startswith("::notice title=Copies not checked::")

"""Models with every single head alone, with none and with all: the strongest test of what is left out."""

import json
import sys
from pathlib import Path

import pytest

from add_model.references import find_reference
from tests.scaffold.libraries import bundled

from .commands import add_model_here, done, run

pytestmark = pytest.mark.slow

# One of each kind in the everyday tests, and every other bundled model when there is time.
OF_EACH_KIND = ("bert", "gpt2", "bart")
OTHERS = tuple(model_type for model_type in bundled() if model_type not in OF_EACH_KIND)
REFERENCES = (*OF_EACH_KIND, *(pytest.param(model_type, marks=pytest.mark.exhaustive) for model_type in OTHERS))

# Models with one head, and with none: with "none" and "all", so many tasks.
FEWER_TASKS = {"decision_transformer": 2, "vit_mae": 3}


def add_every_variant(library: Path, reference: str) -> list[str]:
    """Adds a model for each head alone, one with none and one with all; returns what was written, by path."""
    tasks = (*find_reference(reference, None).heads, "none", "all")
    # Of the others Pegasus has the fewest heads: two.
    assert len(tasks) >= (6 if reference in OF_EACH_KIND else FEWER_TASKS.get(reference, 4))
    written: list[str] = []
    for task in tasks:
        name = f"only_{task.replace('-', '_')}"
        written += json.loads(done(library, reference, "--name", name, "--heads", task, "--json"))["written"]
    return written


@pytest.mark.parametrize("reference", REFERENCES)
def test_what_is_written_compiles_and_is_as_ruff_would_have_it(library: Path, reference: str) -> None:
    for path in add_every_variant(library, reference):
        if path.endswith(".py"):
            compile((library / path).read_bytes(), path, "exec")
    for command in (["check"], ["format", "--check"]):
        result = run([sys.executable, "-m", "ruff", *command, "--no-cache", "."], library)
        assert result.returncode == 0, result.stdout
    copies = add_model_here(library, "check-copies", "--strict")
    assert copies.returncode == 0, copies.stdout


@pytest.mark.parametrize("reference", REFERENCES)
@pytest.mark.parametrize("tokenizer", ["same", "none"])
def test_the_tests_of_every_model_pass(library: Path, reference: str, tokenizer: str) -> None:
    for task in (*find_reference(reference, None).heads, "none"):
        name = f"only_{task.replace('-', '_')}"
        done(library, reference, "--name", name, "--heads", task, "--tokenizer-like", tokenizer)
    code = "import sys, torch, pytest; torch.set_num_threads(1); sys.path.insert(0, 'src'); sys.exit(pytest.main(sys.argv[1:]))"
    result = run([sys.executable, "-c", code, "-q", "-p", "no:cacheprovider", "-k", "only_", "tests"], library)
    assert result.returncode == 0, result.stdout[-6000:] + result.stderr


@pytest.mark.parametrize("references", [OF_EACH_KIND, pytest.param(OTHERS, marks=pytest.mark.exhaustive)])
def test_the_types_of_every_model_check(library: Path, references: tuple[str, ...]) -> None:
    for reference in references:
        for task in (*find_reference(reference, None).heads, "none"):
            name = f"{reference}_only_{task.replace('-', '_')}"
            done(library, reference, "--name", name, "--heads", task, "--tokenizer-like", "none")
    result = run([sys.executable, "-m", "mypy", "--cache-dir", str(library.parent / "types")], library)
    assert result.returncode == 0, result.stdout[-6000:]

"""What a comparison is worth as evidence of step 7: what it has to rest on, and what does not count."""

import json
import shutil
from pathlib import Path

import pytest

from .commands import Result, add_model_here, check_refusal, tree

NAME = "brand_new_bert"
FOLDER = f"src/my_models/models/{NAME}"
RESIDUAL = "self.LayerNorm(hidden_states + residual)"


def run(library: Path, *arguments: str, code: int = 0) -> Result:
    result = add_model_here(library, *arguments)
    assert result.returncode == code, (arguments, result.stdout, result.stderr)
    return result


def record(library: Path, target: str, out: str, *arguments: str) -> None:
    run(library, "record", target, "--out", out, "--parameters", "0B", *arguments)


def compare(library: Path, original: str = "original.safetensors", new: str = "new.safetensors", code: int = 0) -> Result:  # fmt: skip
    return run(library, "compare", original, new, code=code)


def states(library: Path, *numbers: int) -> list[str]:
    document = json.loads(add_model_here(library, "status", NAME, "--json").stdout)
    return [document["steps"][number - 1]["state"] for number in numbers]


def step_7(library: Path) -> dict:
    return json.loads(add_model_here(library, "status", NAME, "--json").stdout)["steps"][6]


def forget_residual(library: Path) -> None:
    modeling = library / FOLDER / f"modeling_{NAME}.py"
    assert RESIDUAL in modeling.read_text()
    modeling.write_text(modeling.read_text().replace(RESIDUAL, "self.LayerNorm(hidden_states)"))


@pytest.fixture
def recorded(library: Path) -> Path:
    """A library with recordings of an original and of the new model, whose random weights are the same."""
    record(library, "zoo:bert", "original.safetensors")
    record(library, NAME, "new.safetensors")
    return library


def test_a_comparison_with_the_original_is_evidence(recorded: Path) -> None:
    assert compare(recorded).stderr == ""
    assert states(recorded, 3, 4, 7) == ["done", "done", "done"]


def test_the_new_model_compared_with_itself_is_none(recorded: Path) -> None:
    shutil.copy(recorded / "new.safetensors", recorded / "copy.safetensors")
    before = tree(recorded)
    for other in ("new.safetensors", "copy.safetensors"):
        result = compare(recorded, other)
        assert "equal" in result.stdout
        assert result.stderr.splitlines() == [f"not kept as evidence: both recordings are of {NAME} itself; compare it with one of the original"]  # fmt: skip
    assert tree(recorded) == before
    assert states(recorded, 3, 4, 7) == ["open", "open", "open"]


def test_the_new_model_is_not_its_own_original(library: Path) -> None:
    before = tree(library)
    result = add_model_here(library, "record", NAME, "--out", "original.safetensors", "--original-of", NAME)
    check_refusal(result, (f"--original-of {NAME}", "the new model itself", "record its original"))
    assert tree(library) == before


def test_the_numbers_of_the_new_model_are_not_the_originals(recorded: Path) -> None:
    (recorded / "converted").mkdir()
    (recorded / "converted/config.json").write_text('{"architectures": ["BrandNewBertModel"]}')
    before = tree(recorded)
    arguments = ["--from", "new.safetensors", "--checkpoint", "converted"]
    check_refusal(add_model_here(recorded, "verify", "end-to-end", NAME, *arguments), ("new.safetensors", f"of {NAME} itself", "the original"))  # fmt: skip
    assert tree(recorded) == before

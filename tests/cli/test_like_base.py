"""A library has the modules and the auto classes that its models use, and no others, whatever comes and goes."""

from __future__ import annotations

from pathlib import Path

import pytest

from add_model.references import zoo

from .commands import add_model_here, contents, done

GENERATION = {f"src/my_models/generation_{name}.py" for name in ("beams", "scores", "utils")}
BERT_ONLY = ("MaskedLM", "MultipleChoice", "NextSentencePrediction")


def modules(root: Path) -> set[str]:
    """The modules of a library, without those of its models."""
    found = {path.relative_to(root).as_posix() for path in root.rglob("*.py")}
    return {path for path in found if "/models/" not in path}


def text(root: Path, name: str) -> str:
    return (root / "src/my_models" / f"{name}.py").read_text()


def removed(root: Path, name: str) -> str:
    result = add_model_here(root, "remove", name)
    assert (result.returncode, result.stderr) == (0, ""), result.stderr
    return result.stdout


def test_a_library_of_an_encoder_holds_no_generation(library: Path) -> None:
    package = {"__init__", "activations", "auto", "auto_tokenizer", "configuration_utils", "key_value_cache"}
    package |= {"modeling_outputs", "modeling_utils", "registry"}
    package |= {"tokenization_batch", "tokenization_files", "tokenization_utils"}
    tests = {"tests/__init__.py", "tests/test_modeling_common.py", "tests/test_tokenization_common.py"}
    assert modules(library) == {f"src/my_models/{name}.py" for name in package} | tests
    assert "class GenerationTesterMixin" not in (library / "tests/test_modeling_common.py").read_text()
    for name in ("__init__", "auto", "registry"):
        assert "CausalLM" not in text(library, name) and "CAUSAL_LM" not in text(library, name)
        assert "Image" not in text(library, name) and "IMAGE" not in text(library, name)
    for name in BERT_ONLY:
        assert f"    AutoModelFor{name}," in text(library, "__init__")


@pytest.mark.parametrize("heads", ["all", "question-answering"])
def test_a_model_that_needs_more_brings_it_and_takes_it_away_again(library: Path, heads: str) -> None:
    before = contents(library)
    done(library, "zoo:gpt2", "--name", "jay", "--heads", heads, "--yes")
    after = contents(library)
    own = {path for path in before if "brand_new_bert" in path}
    assert own and all(after[path] == before[path] for path in own)
    # A model without a head that generates brings no generation either.
    assert (GENERATION <= after.keys()) == (heads == "all")
    assert ("class AutoModelForCausalLM(" in text(library, "auto")) == (heads == "all")
    removed(library, "jay")
    assert contents(library) == before


def test_what_is_used_by_another_model_stays(library: Path) -> None:
    done(library, "zoo:bart", "--name", "jay", "--yes")
    done(library, "library:jay", "--name", "kite", "--yes")
    with_both = modules(library)
    removed(library, "jay")
    assert modules(library) == with_both
    assert "AutoModelForSeq2SeqLM" in text(library, "__init__")
    assert "MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES" in text(library, "registry")
    removed(library, "kite")
    assert modules(library) == with_both - GENERATION


def test_what_other_code_uses_stays(library: Path) -> None:
    done(library, "zoo:gpt2", "--name", "jay", "--yes")
    own = library / "src/my_models/training.py"
    own.write_text("from . import AutoModelForCausalLM\nfrom .generation_scores import ScoreRules\n")
    removed(library, "jay")
    assert "AutoModelForCausalLM" in text(library, "__init__") and "class AutoModelForCausalLM" in text(
        library, "auto"
    )
    # What auto classes look into is there, even without an entry.
    assert "MODEL_FOR_CAUSAL_LM_MAPPING_NAMES: dict[str, str] = {}" in text(library, "registry")
    assert GENERATION & modules(library) == {"src/my_models/generation_scores.py"}


def test_what_was_edited_stays_and_is_named(library: Path) -> None:
    done(library, "zoo:gpt2", "--name", "jay", "--yes")
    path = library / "src/my_models/generation_utils.py"
    path.write_text(path.read_text() + "\n# mine\n")
    shown = removed(library, "jay")
    assert "left: src/my_models/generation_utils.py (nothing uses it any more" in shown
    assert path.read_text().endswith("# mine\n")
    # What it imports is still there.
    assert GENERATION <= modules(library)


def test_auto_classes_come_into_files_that_were_edited(library: Path) -> None:
    for name in ("__init__", "auto"):
        path = library / "src/my_models" / f"{name}.py"
        path.write_text(f"# mine\n{path.read_text()}\nMINE = 1\n")
    done(library, "zoo:bart", "--name", "jay", "--yes")
    for name in ("__init__", "auto"):
        assert text(library, name).startswith("# mine\n") and text(library, name).endswith("\nMINE = 1\n")
        assert "AutoModelForSeq2SeqLM" in text(library, name)
    before = text(library, "auto")
    removed(library, "jay")
    assert text(library, "auto") == before
    assert "MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES: dict[str, str] = {}" in text(library, "registry")


def test_where_an_edit_leaves_no_place_the_summary_says_what_is_missing(library: Path) -> None:
    path = library / "src/my_models/__init__.py"
    path.write_text("from .auto import *\n")
    shown = add_model_here(library, "like", "zoo:gpt2", "--name", "jay", "--yes").stdout
    assert "AutoModelForCausalLM" in shown and "in src/my_models/__init__.py (the file was edited" in shown
    assert path.read_text() == "from .auto import *\n"


def test_an_emptied_library_takes_any_model(library: Path) -> None:
    removed(library, "brand_new_bert")
    assert modules(library) == {
        *(f"src/my_models/{name}.py" for name in ("__init__", "auto", "configuration_utils", "modeling_utils")),
        *("src/my_models/registry.py", "tests/__init__.py"),
    }
    done(library, "zoo:gpt2", "--name", "jay", "--yes")
    assert "AutoTokenizer" in text(library, "__init__") and GENERATION <= modules(library)


def test_a_library_that_has_every_module_already_loses_none_that_was_not_used(library: Path) -> None:
    """As versions of this tool wrote them that laid down the whole bundled library."""
    bundled = zoo().package_folder
    for path in bundled.glob("*.py"):
        kept = library / "src/my_models" / path.name
        if path.name != "registry.py":
            kept.write_text(path.read_text() + "\n# As it was then.\n")
    registry = (bundled / "registry.py").read_text()
    mappings = [line.split(":")[0] for line in registry.splitlines() if "_MAPPING_NAMES: " in line]
    own = library / "src/my_models/registry.py"
    missing = [name for name in mappings if f"{name}:" not in own.read_text()]
    own.write_text(own.read_text() + "".join(f"\n{name}: dict[str, str] = {{}}\n" for name in missing))
    before = contents(library)
    done(library, "zoo:gpt2", "--name", "jay", "--yes")
    changed = {path for path, content in contents(library).items() if path in before and content != before[path]}
    assert changed == {"docs/index.md", "src/my_models/registry.py", "tests/test_modeling_common.py"}
    assert "left: src/my_models/generation_utils.py (nothing uses it any more" in removed(library, "jay")
    assert contents(library).keys() == before.keys()


def test_windows_line_ends_stay(library: Path) -> None:
    for name in ("src/my_models/__init__.py", "src/my_models/auto.py", "tests/test_modeling_common.py"):
        path = library / name
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    before = contents(library)
    done(library, "zoo:gpt2", "--name", "jay", "--heads", "causal-lm", "--yes")
    assert b"AutoModelForCausalLM,\r\n" in (library / "src/my_models/__init__.py").read_bytes()
    removed(library, "jay")
    assert contents(library) == before


def test_modules_that_cannot_be_read_as_python_are_no_hindrance(library: Path, tmp_path: Path) -> None:
    done(library, "zoo:gpt2", "--name", "jay", "--heads", "causal-lm", "--yes")
    (tmp_path / "outside.py").write_text("from my_models.generation_beams import BeamSearch\n")
    (library / "src/my_models/linked.py").symlink_to(tmp_path / "outside.py")
    (library / "src/my_models/broken.py").write_bytes(b"from .generation_scores import (\xff\n")
    removed(library, "jay")
    # A module that does not parse keeps what it mentions; one that is not of the library keeps nothing.
    assert GENERATION & modules(library) == {"src/my_models/generation_scores.py"}

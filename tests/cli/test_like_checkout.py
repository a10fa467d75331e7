"""`add-model like` inside a source tree of Transformers, as somebody types it."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scaffold.checkout.trees import committed, make_checkout

from .commands import Contents, add_model_here, add_model_process, contents, done, refused
from .test_like_interrupted import check_nothing_happened, in_a_namespace, needs_mounts

NEW = ("wren", "--name", "brand_new_wren")
MODELS = "src/transformers/models"
FOLDER = f"{MODELS}/brand_new_wren"
TESTED = "tests/models/brand_new_wren/test_tokenization_brand_new_wren.py"
TOKENIZER = "class FinchTokenizer:\n    pass\n\n\n__all__ = ['FinchTokenizer']\n"
LAZY = "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    from .configuration_{0} import *\n    from .modeling_{0} import *\n"  # fmt: skip


@pytest.fixture(params=[5, 4])
def checkout(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return make_checkout(tmp_path / "checkout", request.param)


@pytest.fixture
def with_tokenizer(tmp_path: Path) -> Path:
    """A checkout in which `finch` has a tokenizer, and `wren` one that `WrenModel`'s file names."""
    modeling = "class FinchModel:\n    pass\n\n\n__all__ = ['FinchModel']\n"
    changed = {
        f"{MODELS}/finch/__init__.py": LAZY.format("finch") + "    from .tokenization_finch import *\n",
        f"{MODELS}/finch/configuration_finch.py": "class FinchConfig:\n    model_type = 'finch'\n\n\n__all__ = ['FinchConfig']\n",
        f"{MODELS}/finch/modeling_finch.py": modeling,
        f"{MODELS}/finch/tokenization_finch.py": TOKENIZER,
        f"{MODELS}/wren/__init__.py": LAZY.format("wren") + "    from .tokenization_wren import *\n",
        f"{MODELS}/wren/tokenization_wren.py": TOKENIZER.replace("Finch", "Wren"),
        "tests/models/finch/test_tokenization_finch.py": "from transformers import FinchTokenizer\n",
        "tests/models/wren/test_tokenization_wren.py": "from transformers import WrenTokenizer\n\nORIGINAL = True\n",
    }
    return make_checkout(tmp_path / "checkout", 5, changed)


def written(root: Path, before: Contents) -> Iterator[str]:
    """The files below a root that are new or changed, but for what the tool remembers."""
    for path, content in contents(root).items():
        if content is not None and before.get(path) != content and not path.startswith(".add-model"):
            yield path


def test_a_model_is_added_with_everything_around_it(checkout: Path) -> None:
    before = contents(checkout)
    shown = done(checkout.parent, *NEW, "--into", "checkout")
    new = set(written(checkout, before))
    folder = {f"{FOLDER}/{name}" for name in os.listdir(checkout / FOLDER)}
    assert {f"{FOLDER}/configuration_brand_new_wren.py", f"{FOLDER}/modeling_brand_new_wren.py"} <= folder <= new
    assert "tests/models/brand_new_wren/test_modeling_brand_new_wren.py" in new
    assert "docs/source/en/model_doc/brand_new_wren.md" in new
    edited = new & before.keys()
    assert {f"{MODELS}/__init__.py", f"{MODELS}/auto/modeling_auto.py", "docs/source/en/_toctree.yml"} <= edited
    for path in edited:
        old, lines = (before[path] or b"").splitlines(), (checkout / path).read_bytes().splitlines()
        rest = iter(lines)
        assert all(line in rest for line in old), path
    assert "BrandNewWren, like transformers:wren" in shown


def test_every_block_holds_at_birth(checkout: Path) -> None:
    done(checkout, *NEW)
    result = add_model_here(checkout, "check-copies", "--no-cache", "--strict", FOLDER)
    assert (result.returncode, result.stdout) == (0, ""), result.stdout
    assert "# Copied from transformers.models.wren.modeling_wren.WrenModel with Wren->BrandNewWren\nclass BrandNewWrenModel" in (checkout / FOLDER / "modeling_brand_new_wren.py").read_text()  # fmt: skip


def test_the_answers_make_the_same_bytes_again(checkout: Path, tmp_path: Path) -> None:
    untouched = make_checkout(tmp_path / "other", 5 if (checkout / MODELS / "auto/auto_mappings.py").exists() else 4)
    done(checkout, *NEW, "--novelty", "It sings.")
    answers = checkout / ".add-model/models/brand_new_wren/answers.toml"
    done(untouched, "--answers", str(answers))
    assert contents(untouched) == contents(checkout)


def test_nothing_is_touched_by_a_dry_run(checkout: Path) -> None:
    before = contents(checkout)
    document = json.loads(done(checkout, *NEW, "--dry-run", "--json"))
    assert contents(checkout) == before
    assert document["package"] == "transformers" and document["reference"] == "transformers:wren"
    assert f"{FOLDER}/modeling_brand_new_wren.py" in document["written"]
    assert f"{MODELS}/auto/modeling_auto.py" in document["edited"]


@pytest.mark.parametrize("into", [".", "src", "src/transformers"])
def test_a_folder_within_the_checkout_stands_for_it(checkout: Path, into: str) -> None:
    document = json.loads(done(checkout, *NEW, "--into", into, "--dry-run", "--json"))
    assert document["root"] == str(checkout)


def test_the_checkout_around_the_working_folder_is_the_default(checkout: Path) -> None:
    done(checkout / MODELS, *NEW)
    assert (checkout / FOLDER).is_dir()


@pytest.mark.parametrize("reference", ["wren", "transformers:wren", "library:wren", "wren_text_model"])
def test_a_reference_is_a_folder_or_a_model_type(tmp_path: Path, reference: str) -> None:
    checkout = make_checkout(tmp_path / "checkout")
    done(checkout, reference, "--name", "brand_new_wren")
    assert (
        'reference = "transformers:wren"' in (checkout / ".add-model/models/brand_new_wren/answers.toml").read_text()
    )


def test_a_model_can_be_made_from_one_that_was_made(checkout: Path) -> None:
    done(checkout, *NEW)
    done(checkout, "brand_new_wren", "--name", "third")
    text = (checkout / MODELS / "third/modeling_third.py").read_text()
    assert "# Copied from transformers.models.brand_new_wren.modeling_brand_new_wren.BrandNewWrenModel with BrandNewWren->Third\nclass ThirdModel" in text  # fmt: skip


def test_uncommitted_changes_are_no_hindrance_and_said(checkout: Path) -> None:
    committed(checkout)
    page = checkout / "docs/source/en/model_doc/wren.md"
    page.write_text(page.read_text() + "\nMore.\n")
    result = add_model_here(checkout, "like", *NEW)
    assert result.returncode == 0
    assert result.stderr.startswith("note: docs/source/en/model_doc/wren.md had uncommitted changes")
    assert len(result.stderr.splitlines()) == 1


def test_a_clean_tree_is_not_spoken_of(checkout: Path) -> None:
    done(committed(checkout), *NEW)


def test_a_tokenizer_of_another_model(with_tokenizer: Path) -> None:
    done(with_tokenizer, *NEW, "--tokenizer-like", "finch")
    tokenizer = (with_tokenizer / FOLDER / "tokenization_brand_new_wren.py").read_text()
    assert "# Copied from transformers.models.finch.tokenization_finch.FinchTokenizer\nclass BrandNewWrenTokenizer" in tokenizer  # fmt: skip
    assert '("brand_new_wren", "BrandNewWrenTokenizer" if is_tokenizers_available() else None)' in (with_tokenizer / MODELS / "auto/tokenization_auto.py").read_text()  # fmt: skip
    assert "from .tokenization_brand_new_wren import *" in (with_tokenizer / FOLDER / "__init__.py").read_text()
    assert (with_tokenizer / TESTED).read_text() == "from transformers import BrandNewWrenTokenizer\n"


def test_a_tokenizer_that_is_shared_with_the_reference(with_tokenizer: Path) -> None:
    done(with_tokenizer, *NEW, "--tokenizer-like", "shared")
    assert not (with_tokenizer / FOLDER / "tokenization_brand_new_wren.py").exists()
    assert "tokenization" not in (with_tokenizer / FOLDER / "__init__.py").read_text()
    assert not (with_tokenizer / TESTED).exists()
    assert '("brand_new_wren", "FinchTokenizer"' in (with_tokenizer / MODELS / "auto/tokenization_auto.py").read_text()


def test_processors_of_another_model_stand_in_no_table_as_the_references(tmp_path: Path) -> None:
    """What a script cannot generate stands in a table of its own, which wins over the one beside it."""
    pair = '("{}", {{"torchvision": "{}ImageProcessor"}})'
    changed = {
        f"{MODELS}/auto/image_processing_auto.py": "from .auto_mappings import IMAGE_PROCESSOR_MAPPING_NAMES\n\n"
        f"MISSING_IMAGE_PROCESSOR_MAPPING_NAMES = dict([{pair.format('finch', 'Albatross')}])\n"
        "IMAGE_PROCESSOR_MAPPING_NAMES.update(MISSING_IMAGE_PROCESSOR_MAPPING_NAMES)\n",
        f"{MODELS}/wren/image_processing_wren.py": "class WrenImageProcessor:\n    pass\n\n\n__all__ = ['WrenImageProcessor']\n",
    }
    root = make_checkout(tmp_path / "checkout", 5, changed)
    done(root, "finch", "--name", "jay", "--yes", "--tokenizer-like", "wren")
    auto = root / MODELS / "auto"
    assert (auto / "image_processing_auto.py").read_text() == changed[f"{MODELS}/auto/image_processing_auto.py"]
    assert '"torchvision": "JayImageProcessor"' in (auto / "auto_mappings.py").read_text()


def test_no_tokenizer(with_tokenizer: Path) -> None:
    done(with_tokenizer, *NEW, "--tokenizer-like", "none")
    assert not (with_tokenizer / FOLDER / "tokenization_brand_new_wren.py").exists()
    assert '("brand_new_wren"' not in (with_tokenizer / MODELS / "auto/tokenization_auto.py").read_text()


def test_the_models_of_a_checkout_are_listed(checkout: Path) -> None:
    rows = json.loads(add_model_here(checkout, "references", "--json").stdout)
    available = {row["type"] for row in rows if row["available"]}
    assert available == {path.parent.name for path in (checkout / MODELS).glob("*/modeling_*.py")} - {"auto"}


@pytest.mark.parametrize(
    ("arguments", "naming"),
    [
        (("wran", "--name", "x"), ("wran", "transformers:wren", "references")),
        (("zoo:bert", "--name", "x"), ("zoo:bert", "transformers:llama")),
        (("albatross", "--name", "x"), ("albatross", "add-model references")),
        (("auto", "--name", "x"), ("auto", "no modeling file")),
        (("../wren", "--name", "x"), ("../wren",)),
        (("wren", "--name", "wren"), ("wren", "--name")),
        (("wren", "--name", "finch"), ("finch", "exists", "--force")),
        (("wren", "--name", "fin_ch"), ("finch", "casing")),
        (("wren", "--name", "auto"), ("auto", "exists")),
        (("wren", "--name", "pre_trained"), ("PreTrained", "another")),
        (("wren", "--name", "class"), ("keyword",)),
        ((*NEW, "--heads", "causal-lm"), ("--heads", "all of its heads")),
        ((*NEW, "--heads", "none"), ("--heads", "all of its heads")),
        ((*NEW, "--tokenizer-like", "wran"), ("wran", "transformers:wren")),
    ],
)
def test_bad_input(checkout: Path, arguments: tuple[str, ...], naming: tuple[str, ...]) -> None:
    refused(checkout, *arguments, naming=naming)


def test_a_folder_without_a_modeling_file_is_no_reference(checkout: Path) -> None:
    (checkout / MODELS / "wren/modeling_wren.py").unlink()
    refused(checkout, *NEW, naming=("no modeling file", "another reference"))


def test_a_reference_that_does_not_parse(checkout: Path) -> None:
    (checkout / MODELS / "wren/modeling_wren.py").write_text("class WrenModel(:\n")
    refused(checkout, *NEW, naming=("wren/modeling_wren.py:1", "mend it"))


@pytest.mark.parametrize("missing", ["configuration_auto.py", "modeling_auto.py"])
def test_a_layout_that_is_neither_says_what_was_looked_for(checkout: Path, missing: str) -> None:
    (checkout / MODELS / "auto" / missing).unlink()
    refused(checkout, *NEW, "--into", ".", naming=("neither 4.x nor 5.x", "looked for", missing, "--into"))


def test_a_layout_of_long_ago(checkout: Path) -> None:
    package = checkout / "src/transformers/__init__.py"
    package.write_text('__version__ = "3.5.1"\n')
    refused(checkout, *NEW, "--into", ".", naming=("3.5.1", "4.x and 5.x"))


@pytest.mark.slow
@needs_mounts
@pytest.mark.parametrize("read_only", [".", MODELS, "docs"])
def test_a_read_only_checkout_or_folder_in_it(tmp_path: Path, read_only: str) -> None:
    root = make_checkout(tmp_path / "checkout")
    mount = (
        f"mount --bind {root / read_only} {root / read_only}; mount -o remount,ro,bind {root / read_only}; cd {root}"
    )
    check_nothing_happened(in_a_namespace(root, mount, *NEW), "cannot be written", read_only.removeprefix("."))


def test_a_process_of_its_own(checkout: Path) -> None:
    result = add_model_process(checkout, "like", *NEW, "--yes")
    assert (result.returncode, result.stderr) == (0, "")

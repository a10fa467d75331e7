"""`like` in a source tree of Diffusers, as a user has it: what is written where, and that it is taken back to the byte."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.commands import add_model_here, contents, done

from .trees import BOTH, TORCH, dummies, make_tree

TRANSFORMER = "src/diffusers/models/transformers/transformer_brand_new_wren.py"


def like(root: Path, *arguments: str) -> str:
    return done(root, *arguments, "--into", ".", "--yes")


def run(root: Path, *arguments: str) -> str:
    """Runs another command, which must succeed."""
    result = add_model_here(root, *arguments)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def added(root: Path, name: str, before: dict[str, str]) -> list[str]:
    """The lines that a file has more than before, stripped."""
    old = before[name].splitlines()
    lines = (root / name).read_text().splitlines()
    for line in old:
        lines.remove(line)
    return [line.strip() for line in lines]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return make_tree(tmp_path / "diffusers")


@pytest.fixture
def before(tree: Path) -> dict[str, str]:
    return {path.relative_to(tree).as_posix(): path.read_text() for path in tree.rglob("*") if path.is_file()}


def test_a_transformer_is_written_with_each_block_marked(tree: Path) -> None:
    like(tree, "wren", "--what", "transformer", "--name", "brand_new_wren")
    text = (tree / TRANSFORMER).read_text()
    source = "# Copied from diffusers.models.transformers.transformer_wren"
    assert f"{source}.WrenPosEmbed with WrenPosEmbed->" not in text
    assert f"{source}.WrenBlock with Wren->BrandNewWren\nclass BrandNewWrenBlock(nn.Module):" in text
    assert "class BrandNewWrenTransformer2DModel(ModelMixin, ConfigMixin):" in text
    assert "    @register_to_config\n    def __init__(self, dim: int = 8, num_layers: int = 2):" in text
    # What is another model's, or was not asked for, keeps its name.
    assert "[`WrenPipeline`]; see also [`Wren2Transformer2DModel`]" in text
    checked = add_model_here(tree, "check-copies", "--strict")
    assert (checked.returncode, "4 markers checked" in checked.stdout + checked.stderr) == (0, True), checked.stdout


def test_every_package_file_on_the_way_exports_it(tree: Path, before: dict[str, str]) -> None:
    like(tree, "wren", "--what", "transformer", "--name", "brand_new_wren")
    new = "BrandNewWrenTransformer2DModel"
    assert added(tree, "src/diffusers/__init__.py", before) == [f'"{new}",', f"{new},"]
    assert added(tree, "src/diffusers/models/__init__.py", before) == [
        f'_import_structure["transformers.transformer_brand_new_wren"] = ["{new}"]',
        f"{new},",
    ]
    assert added(tree, "src/diffusers/models/transformers/__init__.py", before) == [f"from .transformer_brand_new_wren import {new}"]  # fmt: skip
    top = (tree / "src/diffusers/__init__.py").read_text()
    assert f'            "AutoencoderKL",\n            "{new}",\n            "Wren2Transformer2DModel",\n' in top


def test_dummies_are_those_that_the_librarys_script_would_write(tree: Path) -> None:
    like(tree, "wren", "--name", "brand_new_wren")
    like(tree, "finch", "--name", "zebra_finch")
    assert (tree / "src/diffusers/utils/dummy_pt_objects.py").read_text() == dummies(
        [
            "AutoencoderKL",
            "BrandNewWrenControlNetModel",
            "BrandNewWrenTransformer2DModel",
            "Wren2Transformer2DModel",
            "WrenControlNetModel",
            "WrenTransformer2DModel",
            "FinchScheduler",
            "SchedulerMixin",
            "ZebraFinchScheduler",
        ],
        TORCH,
    )
    assert (tree / "src/diffusers/utils/dummy_torch_and_transformers_objects.py").read_text() == dummies(
        ["BrandNewWrenImg2ImgPipeline", "BrandNewWrenPipeline", "GullPipeline", "WrenImg2ImgPipeline", "WrenPipeline"],
        BOTH,
    )


def test_all_of_a_name_goes_together(tree: Path) -> None:
    like(tree, "wren", "--name", "brand_new_wren")
    pipeline = (tree / "src/diffusers/pipelines/brand_new_wren/pipeline_brand_new_wren.py").read_text()
    assert "from ...models import AutoencoderKL, BrandNewWrenTransformer2DModel" in pipeline
    assert 'model_cpu_offload_seq = "transformer->vae"' in pipeline
    controlnet = (tree / "src/diffusers/models/controlnets/controlnet_brand_new_wren.py").read_text()
    # The one is the transformer's, the other comes from elsewhere, although the transformer has one of that name.
    assert "from ..transformers.transformer_brand_new_wren import BrandNewWrenBlock" in controlnet
    assert "from ..embeddings import WrenPosEmbed" in controlnet
    package = (tree / "src/diffusers/pipelines/brand_new_wren/__init__.py").read_text()
    assert '"pipeline_brand_new_wren_img2img": ["BrandNewWrenImg2ImgPipeline"],' in package
    run(tree, "check-copies", "--strict")


def test_a_pipeline_alone_keeps_the_references_model(tree: Path) -> None:
    like(tree, "wren", "--what", "pipeline", "--name", "brand_new_wren")
    text = (tree / "src/diffusers/pipelines/brand_new_wren/pipeline_brand_new_wren.py").read_text()
    assert "from ...models import AutoencoderKL, WrenTransformer2DModel" in text
    assert not (tree / TRANSFORMER).exists()


def test_a_model_whose_name_says_what_it_is_goes_on_saying_so(tree: Path) -> None:
    like(tree, "autoencoder_kl", "--name", "my_vae")
    text = (tree / "src/diffusers/models/autoencoders/autoencoder_my_vae.py").read_text()
    assert "class AutoencoderMyVae(ModelMixin):" in text
    # An output that is imported, and a word of the language, are not the model's.
    assert "return AutoencoderKLOutput(" in text and '"""A VAE with a KL loss."""' in text


def test_a_scheduler_keeps_what_it_is_configured_with(tree: Path) -> None:
    like(tree, "finch", "--name", "my_finch")
    text = (tree / "src/diffusers/schedulers/scheduling_my_finch.py").read_text()
    assert "class MyFinchSchedulerOutput(BaseOutput):" in text and "class MyFinchScheduler(" in text
    assert 'kind: str = "finch"' in text
    test = (tree / "tests/schedulers/test_scheduler_my_finch.py").read_text()
    assert "scheduler_classes = (MyFinchScheduler,)" in test


def test_tables_that_the_reference_is_in_have_the_new_model_too(tree: Path, before: dict[str, str]) -> None:
    like(tree, "wren", "--name", "brand_new_wren")
    assert added(tree, "src/diffusers/pipelines/auto_pipeline.py", before) == [
        "from .brand_new_wren import BrandNewWrenImg2ImgPipeline, BrandNewWrenPipeline",
        '("brand-new-wren", BrandNewWrenPipeline),',
        '("brand-new-wren-img2img", BrandNewWrenImg2ImgPipeline),',
    ]
    loaders = (tree / "src/diffusers/loaders/single_file_model.py").read_text()
    assert '    "BrandNewWrenTransformer2DModel": {\n        "checkpoint_mapping_fn": convert_wren,\n' in loaders


def test_what_treats_the_reference_specially_is_said(tree: Path) -> None:
    said = like(tree, "wren", "--name", "brand_new_wren", "--json")
    assert json.loads(said)["left_out"] == [
        {
            "what": "src/diffusers/hooks/_helpers.py:2",
            "why": "names WrenBlock; look whether the new model is to be named there, too",
        }
    ]


def test_pages_and_tests_are_written_and_listed(tree: Path) -> None:
    like(tree, "wren", "--name", "brand_new_wren")
    contents_table = (tree / "docs/source/en/_toctree.yml").read_text()
    assert (
        "    - local: api/models/albatross_transformer\n      title: AlbatrossTransformer2DModel\n"
        "    - local: api/models/brand_new_wren_transformer\n      title: BrandNewWrenTransformer2DModel\n"
        "    - local: api/models/wren_transformer\n" in contents_table
    )
    assert "    - local: api/pipelines/brand_new_wren\n      title: BrandNewWren\n" in contents_table
    page = (tree / "docs/source/en/api/pipelines/brand_new_wren.md").read_text()
    assert page.startswith("# BrandNewWren\n") and "[[autodoc]] BrandNewWrenPipeline\n" in page
    test = (tree / "tests/pipelines/brand_new_wren/test_pipeline_brand_new_wren.py").read_text()
    assert "pipeline_class = BrandNewWrenPipeline" in test and "transformer = BrandNewWrenTransformer2DModel" in test
    assert (tree / "tests/models/transformers/test_models_transformer_brand_new_wren.py").is_file()


def test_the_written_files_are_as_the_trees_own_settings_have_them(tree: Path) -> None:
    like(tree, "wren", "--name", "brand_new_wren")
    for command in (["check"], ["format", "--check"]):
        result = subprocess.run([sys.executable, "-m", "ruff", *command, "--no-cache", "src"], cwd=tree, capture_output=True, text=True)  # fmt: skip
        assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("reference", ["wren", "autoencoder_kl", "finch"])
def test_removal_leaves_the_tree_as_it_was(tree: Path, reference: str) -> None:
    at_first = contents(tree)
    like(tree, reference, "--name", "brand_new")
    assert contents(tree) != at_first
    run(tree, "remove", "brand_new")
    assert contents(tree) == at_first


def test_two_models_beside_one_another_are_removed_in_any_order(tree: Path) -> None:
    at_first = contents(tree)
    for first, last in (("brand_new_wren", "another_wren"), ("another_wren", "brand_new_wren")):
        like(tree, "wren", "--what", "transformer", "--name", "brand_new_wren")
        like(tree, "wren", "--what", "transformer", "--name", "another_wren")
        run(tree, "remove", first)
        run(tree, "remove", last)
        assert contents(tree) == at_first


def test_stored_answers_make_the_same_again_and_a_second_run_nothing_twice(tree: Path) -> None:
    like(tree, "wren", "--what", "transformer,controlnet", "--name", "brand_new_wren")
    made = contents(tree)
    answers = ".add-model/models/brand_new_wren/answers.toml"
    like(tree, "--answers", answers, "--force")
    assert contents(tree) == made
    (tree / TRANSFORMER).unlink()
    like(tree, "wren", "--what", "transformer,controlnet", "--name", "brand_new_wren", "--finish")
    assert contents(tree) == made


def test_a_dry_run_touches_nothing(tree: Path) -> None:
    at_first = contents(tree)
    like(tree, "wren", "--name", "brand_new_wren", "--dry-run")
    assert contents(tree) == at_first


def test_references_are_the_trees_own(tree: Path) -> None:
    rows = json.loads(run(tree, "references", "--json"))
    assert [row["type"] for row in rows if row["available"]] == ["autoencoder_kl", "finch", "wren", "wren2"]


def test_what_stands_in_for_an_import_that_fails_is_called_as_that(tmp_path: Path) -> None:
    name = "src/diffusers/schedulers/scheduling_finch.py"
    text = "try:\n    from birds import FinchSong\nexcept ImportError:\n    FinchSong = None\n\n\nclass FinchScheduler:\n    song = FinchSong\n"  # fmt: skip
    tree = make_tree(tmp_path / "diffusers", {name: text})
    like(tree, "finch", "--name", "my_finch")
    assert "from birds import FinchSong\n" in (tree / name.replace("finch", "my_finch")).read_text()


def test_auto_pipelines_import_only_what_they_list(tmp_path: Path) -> None:
    name = "src/diffusers/pipelines/auto_pipeline.py"
    table = 'from .wren import WrenImg2ImgPipeline, WrenPipeline\n\n\nMAPPING = dict([("wren", WrenPipeline)])\nMAPPING["i"] = WrenImg2ImgPipeline\n'  # fmt: skip
    tree = make_tree(tmp_path / "diffusers", {name: table})
    like(tree, "wren", "--name", "my_wren")
    assert "from .my_wren import MyWrenPipeline\n" in (tree / name).read_text()

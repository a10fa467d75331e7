"""Models of images: their image processor is copied, left out or another model's, and brings what it needs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import tomlkit

from .commands import add_model_here, contents, done, refused
from .test_like import check_copies_is_clean, files, registry

IMAGES = {f"src/my_models/{name}.py" for name in ("image_processing_utils", "image_transforms")}
COMMON_TESTS = "tests/test_image_processing_common.py"


def dependencies(root: Path) -> set[str]:
    """The names of what a project depends on."""
    project = tomlkit.parse((root / "pyproject.toml").read_text())["project"]
    return {requirement.partition(">")[0] for requirement in project["dependencies"]}


@pytest.fixture
def vision(tmp_path: Path) -> Path:
    """A library with a model like ViT."""
    done(tmp_path, "vit", "--name", "brand_new_vit", "--into", "my_models", "--yes")
    return tmp_path / "my_models"


def test_a_library_of_images_has_what_images_need_and_no_tokenizer(vision: Path) -> None:
    text = (vision / "src/my_models/models/brand_new_vit/image_processing_brand_new_vit.py").read_text()
    assert "# Copied from add_model.zoo.models.vit.image_processing_vit.ViTImageProcessor with ViT->BrandNewVit\n" in text  # fmt: skip
    assert registry(vision)["IMAGE_PROCESSOR_MAPPING_NAMES"] == {"brand_new_vit": "BrandNewVitImageProcessor"}
    assert files(vision) >= IMAGES | {COMMON_TESTS}
    assert not [path for path in files(vision) if "tokeniz" in path]
    assert dependencies(vision) == {"huggingface-hub", "numpy", "pillow", "safetensors", "torch"}
    assert "AutoImageProcessor" in (vision / "src/my_models/__init__.py").read_text()
    check_copies_is_clean(vision)


def test_the_docs_say_what_a_model_of_images_has(vision: Path) -> None:
    checklist = (vision / "docs/checklists/brand_new_vit.md").read_text()
    assert "9. **Image processor added.** `src/my_models/models/brand_new_vit/image_processing_brand_new_vit.py` stands. Compare its `pixel_values`" in checklist  # fmt: skip
    assert "10. **End-to-end integration tests.** Model and image processor on" in checklist
    card = (vision / "docs/model_cards/brand_new_vit.md").read_text()
    assert "from my_models import AutoImageProcessor, AutoModel\n" in card
    assert 'image_processor = AutoImageProcessor.from_pretrained("path/to/checkpoint")\n' in card
    assert "how images are to be prepared" in (vision / "docs/models/brand_new_vit.md").read_text()
    assert "`add-model like vit --name another_vit`" in (vision / "README.md").read_text()
    for text in (checklist, card):
        assert "okenizer" not in text and "input_ids" not in text


def test_the_docs_of_a_model_of_images_without_a_processor_name_none(library: Path) -> None:
    done(library, "zoo:vit", "--name", "jay", "--tokenizer-like", "none")
    assert "from my_models import AutoModel\n" in (library / "docs/model_cards/jay.md").read_text()
    assert "9. **Tokenizer added.** The model has none" in (library / "docs/checklists/jay.md").read_text()


def test_status_asks_a_model_of_images_for_no_tokenizer(vision: Path) -> None:
    steps = json.loads(add_model_here(vision, "status", "brand_new_vit", "--json").stdout)["steps"]
    ninth = next(step for step in steps if step["number"] == 9)
    assert ninth["state"] == "not applicable"
    assert ninth["evidence"] == "the model reads images: it has an image processor"


def test_record_makes_up_an_image(vision: Path) -> None:
    from add_model.porting.recording.file import load_recording, tensors_of
    from add_model.zoo.models.vit import ViTConfig, ViTModel

    config = ViTConfig(hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8, image_size=6, patch_size=2)  # fmt: skip
    ViTModel(config).save_pretrained(vision / "tiny")
    saved = vision / "tiny/config.json"
    saved.write_text(saved.read_text().replace("ViTModel", "BrandNewVitModel").replace('"vit"', '"brand_new_vit"'))
    arguments = ("brand_new_vit", "--checkpoint", "tiny", "--out", "new.safetensors")
    result = add_model_here(vision, "record", *arguments)
    assert result.returncode == 0, result.stderr
    inputs = dict(tensors_of(load_recording(vision / "new.safetensors").root.inputs))
    assert {name: tuple(tensor.shape) for name, tensor in inputs.items()} == {"pixel_values": (1, 3, 6, 6)}


def test_a_library_of_texts_has_no_images(library: Path) -> None:
    assert not IMAGES & files(library) and COMMON_TESTS not in files(library)
    assert not [path for path in files(library) if "vision" in path or "backbone" in path]
    assert dependencies(library) == {"huggingface-hub", "numpy", "safetensors", "tokenizers", "torch"}


def test_a_model_of_images_beside_one_of_texts_comes_and_goes(library: Path) -> None:
    before = contents(library)
    done(library, "zoo:vit", "--name", "jay", "--yes")
    assert dependencies(library) == {"huggingface-hub", "numpy", "pillow", "safetensors", "tokenizers", "torch"}
    own = {path for path in before if "brand_new_bert" in path}
    assert own and all(contents(library)[path] == before[path] for path in own)
    check_copies_is_clean(library)
    assert add_model_here(library, "remove", "jay").returncode == 0
    assert contents(library) == before


def test_what_a_project_says_of_images_itself_stays(library: Path) -> None:
    project = library / "pyproject.toml"
    project.write_text(project.read_text().replace('"numpy>=1.26"', '"numpy>=1.26", "Pillow==12.0"'))
    before = contents(library)
    done(library, "zoo:vit", "--name", "jay", "--yes")
    assert project.read_bytes() == before["pyproject.toml"]
    add_model_here(library, "remove", "jay")
    assert contents(library) == before


def test_dependencies_that_stand_elsewhere_are_left_to_the_user(library: Path) -> None:
    project = library / "pyproject.toml"
    lines = [line for line in project.read_text().splitlines() if not line.startswith("dependencies")]
    project.write_text("\n".join(lines) + "\n")
    shown = json.loads(done(library, "zoo:vit", "--name", "jay", "--yes", "--json"))
    assert ("dependencies in your pyproject.toml", "add pillow") in {
        tuple(each.values()) for each in shown["left_out"]
    }


def test_no_image_processor(library: Path) -> None:
    shown = json.loads(done(library, "zoo:vit", "--name", "jay", "--tokenizer-like", "none", "--json"))
    assert not [path for path in files(library) if "image_processing" in path]
    assert "jay" not in registry(library).get("IMAGE_PROCESSOR_MAPPING_NAMES", {})
    assert "pillow" not in dependencies(library)
    for path in shown["written"]:
        assert "ImageProcessor" not in (library / path).read_text(), path


def test_an_image_processor_like_another_models(vision: Path) -> None:
    processor = vision / "src/my_models/models/brand_new_vit/image_processing_brand_new_vit.py"
    processor.write_text(processor.read_text().replace('224, "width": 224', '96, "width": 96').replace("# Copied from", "# Like"))  # fmt: skip
    written = json.loads(done(vision, "zoo:vit", "--name", "jay", "--tokenizer-like", "brand_new_vit", "--json"))
    text = (vision / "src/my_models/models/jay/image_processing_jay.py").read_text()
    assert 'size = {"height": 96, "width": 96}' in text and "class JayImageProcessor(" in text
    assert "# Copied from my_models.models.brand_new_vit.image_processing_brand_new_vit." in text
    assert registry(vision)["IMAGE_PROCESSOR_MAPPING_NAMES"]["jay"] == "JayImageProcessor"
    assert [each["what"] for each in written["left_out"]] == ["configuration for the image processor of library:brand_new_vit"]  # fmt: skip


def test_texts_and_images_are_not_read_by_each_others_means(library: Path) -> None:
    refused(library, "bert", "--name", "new", "--tokenizer-like", "vit", naming=("vit", "no tokenizer", "none"))
    refused(library, "vit", "--name", "jay", "--tokenizer-like", "bert", naming=("bert", "no image processor", "none"))

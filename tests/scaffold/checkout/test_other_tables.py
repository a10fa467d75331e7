"""What a model loads and trains through, outside the auto classes: entries where there are tables, notes elsewhere."""

from __future__ import annotations

from pathlib import Path

from .test_registration import added_lines, register
from .trees import make_checkout

PACKAGE = "src/transformers/"


def notes(root: Path) -> dict[str, str]:
    """File and line -> what is said of it."""
    return {
        f"{note.path.relative_to(root / PACKAGE).as_posix()}:{note.line}": note.text for note in register(root).notes
    }


def test_a_tokenizer_is_converted_as_the_references_is(tmp_path: Path) -> None:
    registration = register(make_checkout(tmp_path))
    assert added_lines(registration, "convert_slow_tokenizer.py") == ['"JayTokenizer": FinchConverter,']


def test_checkpoints_are_converted_by_the_rules_of_the_reference(tmp_path: Path) -> None:
    registration = register(make_checkout(tmp_path))
    assert sorted(added_lines(registration, "conversion_mapping.py")) == ['"JayTextModel": "WrenTextModel",', '"jay": "finch",']  # fmt: skip


def test_rules_that_lead_to_what_the_new_model_calls_otherwise_are_followed_by_one_of_its_own(tmp_path: Path) -> None:
    root = make_checkout(tmp_path)
    path = root / PACKAGE / "conversion_mapping.py"
    path.write_text(path.read_text().replace('"WrenTextModel": ["rename the song"]', '"WrenTextModel": ["wren.song"]'))
    assert "conversion_mapping.py:10" not in notes(root)
    added = added_lines(register(root), "conversion_mapping.py")
    own = 'mapping["JayTextModel"] = [*mapping["WrenTextModel"], WeightRenaming(r"^wren\\.", "jay.")]'
    assert sorted(added) == ['"jay": "finch",', own]


def test_rules_of_a_class_that_nobody_is_offered_are_shared_as_well(tmp_path: Path) -> None:
    root = make_checkout(tmp_path)
    path = root / PACKAGE / "conversion_mapping.py"
    path.write_text(
        path.read_text().replace('"WrenTextModel": ["re', '"WrenHidden": ["sing"],\n        "WrenTextModel": ["re')
    )
    assert '"JayHidden": "WrenHidden",' in added_lines(register(root), "conversion_mapping.py")


def test_a_loss_of_its_own_is_kept(tmp_path: Path) -> None:
    table = 'LOSS_MAPPING = {\n    "ForCausalLM": loss,\n    "WrenForCausalLM": wren_loss,\n}\n'
    registration = register(make_checkout(tmp_path, changed={f"{PACKAGE}loss/loss_utils.py": table}))
    assert added_lines(registration, "loss_utils.py") == ['"JayForCausalLM": wren_loss,']


def test_lists_of_what_is_supported_get_a_name(tmp_path: Path) -> None:
    table = '_REGULAR_SUPPORTED_MODEL_NAMES_AND_TASKS = [\n    "finch",\n    "wren",\n    #    "xlnet",\n]\n_FX_SUPPORTED_MODELS_WITH_KV_CACHE = ["wren", "finch"]\n_SPECIAL_SUPPORTED_MODELS = [\n    "WrenTextModel",\n    # none else\n]\n'  # fmt: skip
    root = make_checkout(tmp_path, changed={f"{PACKAGE}utils/fx.py": table})
    edit = next(edit for edit in register(root).edits if edit.path.name == "fx.py")
    namespace: dict[str, list[str]] = {}
    exec(edit.after, namespace)
    assert namespace["_REGULAR_SUPPORTED_MODEL_NAMES_AND_TASKS"] == ["finch", "jay", "wren"]
    assert namespace["_FX_SUPPORTED_MODELS_WITH_KV_CACHE"] == ["wren", "jay", "finch"]
    assert namespace["_SPECIAL_SUPPORTED_MODELS"] == ["JayTextModel", "WrenTextModel"]


def test_an_export_names_the_path_of_the_new_class(tmp_path: Path) -> None:
    table = 'class FeaturesManager:\n    _SUPPORTED_MODEL_TYPE = {\n        "wren": supported("default", config="models.wren.WrenConfig"),\n    }\n'  # fmt: skip
    registration = register(make_checkout(tmp_path, changed={f"{PACKAGE}onnx/features.py": table}))
    assert added_lines(registration, "features.py") == ['"jay": supported("default", config="models.jay.JayConfig"),']


def test_a_folder_that_no_type_is_called_after_gets_its_configuration(tmp_path: Path) -> None:
    table = 'HARDCODED_CONFIG_FOR_MODELS = {\n    "wren": "WrenTextConfig",\n}\n'
    registration = register(make_checkout(tmp_path, changed={f"{PACKAGE}utils/auto_docstring.py": table}))
    assert all(edit.path.name != "auto_docstring.py" for edit in registration.edits)


def test_places_in_code_that_treat_the_reference_specially_are_named(tmp_path: Path) -> None:
    code = '''"""Speaks of "wren" in prose."""


class Pipeline:
    """As "wren" does."""

    KINDS = ("wren", "finch")

    def run(self, model):
        """Runs "wren"."""
        # "wren" is a bird
        if model.config.model_type == "wren" or type(model).__name__ == "WrenModel":
            return "a wren"
'''
    root = make_checkout(
        tmp_path, changed={f"{PACKAGE}pipelines/base.py": code, f"{PACKAGE}pipelines/broken.py": '"wren" ('}
    )
    found = notes(root)
    assert found.keys() == {"pipelines/base.py:7", "pipelines/base.py:12"}
    assert "Pipeline.KINDS treats 'wren' specially" in found["pipelines/base.py:7"]
    assert "Pipeline.run treats 'WrenModel', 'wren' specially" in found["pipelines/base.py:12"]

"""Small standalone libraries for tests: a registry, and as much of a model as reading it takes."""

from collections.abc import Mapping
from pathlib import Path

from add_model.family import family
from add_model.library import Library, library_at
from add_model.scaffold.answers import Answers, dump_answers

ZOO_MODELS = Path(__file__).parents[2] / "add_model" / "zoo" / "models"
MAPPINGS = {
    "CONFIG_MAPPING_NAMES": "Config",
    "MODEL_MAPPING_NAMES": "Model",
    "MODEL_FOR_MASKED_LM_MAPPING_NAMES": "ForMaskedLM",
}


def bundled() -> list[str]:
    """The model types of the zoo, which has a folder for each, in the order of the family."""
    return [member.model_type for member in family() if (ZOO_MODELS / member.model_type / "__init__.py").exists()]


def make_library(root: Path, models: Mapping[str, str], made_from: Mapping[str, Answers] | None = None) -> Library:
    """A library whose models have a base model, a masked-lm head and no tokenizer.

    Args:
        root: its folder.
        models: model type -> prefix of the classes.
        made_from: model type -> the answers stored for it.
    """
    package = root / "src" / "my_models"
    (package / "models").mkdir(parents=True)
    (root / "pyproject.toml").write_text('[tool.add-model]\npackage = "my_models"\n')
    (package / "__init__.py").write_text("")
    tables = (
        f"{mapping}: dict[str, str] = { ({model_type: camel + suffix for model_type, camel in models.items()})!r}\n"
        for mapping, suffix in MAPPINGS.items()
    )
    (package / "registry.py").write_text("\n".join(tables))
    for model_type, answers in (made_from or {}).items():
        path = root / ".add-model" / "models" / model_type / "answers.toml"
        path.parent.mkdir(parents=True)
        path.write_text(dump_answers(answers))
    return library_at(root)

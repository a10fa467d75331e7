"""What the questionnaire yields: a plain value that can be stored in a library and replayed."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from add_model.errors import AddModelError
from add_model.names import ModelName
from add_model.nearest import close
from add_model.reading import read_settings
from add_model.toml_text import TOMLDecodeError, parse_toml
from add_model.visible import visible

ANSWERS_VERSION = 1
# How much of an unknown answer's name is shown.
_SHOWN = 60
SAME_TOKENIZER = "same"
NO_TOKENIZER = "none"
SHARED_TOKENIZER = "shared"
SINGLE_STYLE = "single"
MODULAR_STYLE = "modular"


@dataclass(frozen=True)
class Answers:
    """The answers to the questionnaire.

    Attributes:
        reference: the model to start from, with its origin (`zoo:bert`).
        name: the new model's type, in snake_case.
        package: the name of the package that holds the library.
        heads: the tasks whose classes are written (`("masked-lm",)`), in the reference's order.
        tokenizer_like: `same` (as the reference's), `none`, or another reference (`zoo:gpt2`); in a checkout also
            `shared` (the reference's own, with nothing written for it).
        novelty: what is new in the model compared with the reference; goes into the docs page and the checklist.
        style: `single` for files that stand by themselves, each block marked; in a checkout also `modular`, for one in
            which each class derives from the reference's, and the single files that follow from it.
        class_name: what the new model's classes start with (`MyGPT`); empty for what its type says (`MyGpt`).
    """

    reference: str
    name: str
    package: str
    heads: tuple[str, ...]
    tokenizer_like: str = SAME_TOKENIZER
    novelty: str = ""
    style: str = SINGLE_STYLE
    class_name: str = ""

    @property
    def model_name(self) -> ModelName:
        """The new model's name in every casing.

        Raises:
            AddModelError: it is none.
        """
        return ModelName.from_snake(self.name, self.class_name or None)

    @property
    def for_pages(self) -> Answers:
        """The answers as pages quote them, where nobody sees what hides in a text; they may be replayed from anywhere."""
        return replace(self, novelty=visible(self.novelty, keep="\n"))


def dump_answers(answers: Answers) -> str:
    """The answers as a TOML document; equal answers give equal bytes."""
    import tomlkit

    document = tomlkit.document()
    document.add(
        tomlkit.comment("The answers this model was made from. Make it again with: add-model like --answers FILE")
    )
    document["version"] = ANSWERS_VERSION
    for key, value in asdict(answers).items():
        if (key, value) in (("style", SINGLE_STYLE), ("class_name", "")):
            continue  # what most models have
        document[key] = list(value) if isinstance(value, tuple) else value
    return tomlkit.dumps(document)


def load_answers(path: Path) -> Answers:
    """Reads a stored answers file.

    Raises:
        AddModelError: the file is missing, does not parse, is of another version, or an answer is missing, unknown or
            of the wrong kind.
    """
    try:
        table = parse_toml(read_settings(path).decode("utf-8").replace("\r\n", "\n"))
    except (OSError, UnicodeDecodeError, TOMLDecodeError) as error:
        raise AddModelError(f"--answers {path}: cannot be read: {error}") from error
    except ValueError as error:
        raise AddModelError(
            f"--answers {path}: is nested too deeply, or holds too long a number, to be read"
        ) from error
    version = table.pop("version", None)
    if version != ANSWERS_VERSION:
        raise AddModelError(f"--answers {path}: is of version {version!r}, this add-model reads version {ANSWERS_VERSION}; answer the questions again, or use the add-model that wrote it")  # fmt: skip
    return _answers(table, path)


def _answers(table: dict[str, Any], path: Path) -> Answers:
    known = [field.name for field in fields(Answers)]
    for key, value in table.items():
        if key not in known:
            key = key[:_SHOWN]
            likely = close(key, known, 1)
            raise AddModelError(f"--answers {path}: unknown answer `{key}`; {f'did you mean `{likely[0]}`?' if likely else 'known: ' + ', '.join(known)}")  # fmt: skip
        if key == "heads" and not (isinstance(value, list) and all(isinstance(head, str) for head in value)):
            raise AddModelError(f"--answers {path}: `heads` must be a list of strings")
        if key != "heads" and not isinstance(value, str):
            raise AddModelError(f"--answers {path}: `{key}` must be a string")
    missing = [name for name in ("reference", "name", "package", "heads") if name not in table]
    if missing:
        raise AddModelError(f"--answers {path}: lacks `{missing[0]}`; add it, or answer the questions again")
    return Answers(**{**table, "heads": tuple(table["heads"])})

"""Whether a model card says what a reader of a published checkpoint needs: data, task, limits, code that runs."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from add_model.errors import AddModelError
from add_model.library import installed_package
from add_model.porting.model.documented import Finding
from add_model.porting.model.ported_model import PortedModel
from add_model.porting.steps.docs_page import placeholders
from add_model.porting.steps.model_tests import environment
from add_model.scratch import scratch_folder

# What the template writes where the checkpoint's name has to stand.
CHECKPOINT_PLACEHOLDER = "path/to/checkpoint"
_FRONT_MATTER = re.compile(r"\A---\r?\n(.*?)\r?\n---\r?\n", re.DOTALL)
_CODE = re.compile(r"^```(?:python|py)[^\S\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE)
_HEADING = re.compile(r"^#{1,6}\s+(.*)$", re.MULTILINE)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
# What a card has to say, and the words in a heading under which it says it.
_SUBJECTS = {
    "what it is for": ("for", "task", "use", "uses", "usage", "intended"),
    "the training data": ("data", "dataset", "datasets", "corpus"),
    "its limits": ("limits", "limitations", "limitation", "bias", "biases", "risks"),
}
_SHOWN = 200
_HARMLESS = ("TOKENIZERS_PARALLELISM",)


def card_findings(path: Path, text: str) -> tuple[Finding, ...]:
    """What is left to do on a card, by line."""
    return tuple(
        sorted((*placeholders(path, text), *_metadata(path, text), *_unsaid(path, text)), key=lambda found: found.line)
    )


def metadata_of(text: str) -> Mapping[str, Any] | None:
    """The metadata at the top of a card; `None` where there is none, or it is no mapping.

    Raises:
        AddModelError: huggingface_hub, which reads it, is not installed.
    """
    if not _FRONT_MATTER.match(text):
        return None
    if installed_package("huggingface_hub") is None:
        raise AddModelError("huggingface_hub is not installed beside add-model; install it: pip install huggingface_hub")  # fmt: skip
    from huggingface_hub import ModelCard

    try:
        data: Any = ModelCard(text).data
        metadata: Mapping[str, Any] = data.to_dict()
    except Exception:
        # Whatever the reader of YAML raises: it is no metadata that the Hub could read.
        return None
    return metadata


def code_problem(model: PortedModel, path: Path, text: str, names: Mapping[str, str]) -> Finding | None:
    """Runs the card's Python code, all of it in one process, and says why it fails; `None` where it runs.

    Args:
        model: the model, whose library is importable from its sources in that process.
        path: the card.
        text: what it says.
        names: names of checkpoints in the code -> the folder that stands for them.
    """
    blocks = list(_CODE.finditer(text))
    # Empty lines before a block make the lines of the code those of the card.
    code = ""
    for block in blocks:
        code += "\n" * (text.count("\n", 0, block.start(1)) - code.count("\n")) + block[1]
    for name, place in names.items():
        code = code.replace(name, place)
    with scratch_folder() as folder:
        script = folder / "card.py"
        script.write_text(code, encoding="utf-8")
        result = subprocess.run(
            [sys.executable, str(script)],
            cwd=folder,
            # The code of a card needs no token: the folder on this machine stands for the repository.
            env={
                name: value for name, value in environment(model).items() if "TOKEN" not in name or name in _HARMLESS
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
        )
        if result.returncode == 0:
            return None
        lines = re.findall(rf'File "{re.escape(str(script))}", line (\d+)', result.stderr)
    said = next((line for line in reversed(result.stderr.splitlines()) if line.strip()), f"exit {result.returncode}")
    return Finding(path, int(lines[-1]) if lines else 1, f"its code fails: {said.strip()[:_SHOWN]}")


def _metadata(path: Path, text: str) -> Iterator[Finding]:
    metadata = metadata_of(text)
    if metadata is None:
        yield Finding(path, 1, "has no metadata that can be read; begin it with a YAML block between two lines of ---")
    elif not metadata.get("license"):
        yield Finding(path, 1, "its metadata names no license; add one, such as license: apache-2.0")


def _unsaid(path: Path, text: str) -> Iterator[Finding]:
    sections = _sections(text)
    for subject, words in _SUBJECTS.items():
        own = [place for place in sections if not words_of(place[1]).isdisjoint(words)]
        if not own:
            yield Finding(
                path, 1, f"does not say {subject}; add a section with `{words[0]}` or the like in its heading"
            )
        elif not any(_COMMENT.sub("", body).strip() for _, _, body in own):
            yield Finding(path, own[0][0], f"the section {own[0][1]!r} is empty; say {subject}")
    if not _CODE.search(text):
        yield Finding(path, 1, "shows no code; add a ```python block that loads the checkpoint")


def words_of(text: str) -> set[str]:
    """The words of a heading, in lower case."""
    return set(re.findall(r"[a-z]+", text.lower()))


def _sections(text: str) -> list[tuple[int, str, str]]:
    """Line of the heading, heading and body of each section; what looks like a heading in code is none."""
    plain = _CODE.sub(lambda match: re.sub(r"^#", " ", match.group(), flags=re.MULTILINE), text)
    headings = list(_HEADING.finditer(plain))
    ends = [heading.start() for heading in headings[1:]] + [len(plain)]
    return [
        (plain.count("\n", 0, heading.start()) + 1, heading[1].strip(), plain[heading.end() : end])
        for heading, end in zip(headings, ends, strict=True)
    ]

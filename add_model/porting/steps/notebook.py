"""A notebook that demonstrates a model, written once from its checkpoint, and run from top to bottom."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from add_model.errors import AddModelError
from add_model.extras import install_command
from add_model.library import installed_package
from add_model.porting.evidence import Evidence, make
from add_model.porting.model.ported_model import PortedModel
from add_model.porting.rendering import rendered
from add_model.porting.steps.integration_test import architecture_of, arguments_of, relative_path
from add_model.porting.steps.model_tests import environment
from add_model.porting.steps.publishing import holds_tokenizer
from add_model.references import read_text
from add_model.registry import TOKENIZER_MAPPING, Registry

_NEEDED = ("nbformat", "nbclient", "ipykernel")
_CODE = re.compile(r"^```python\n(.*?)\n```$", re.DOTALL | re.MULTILINE)
_DEFAULT_TEXT = "The quick brown fox jumps over the lazy dog."
_CELL_SECONDS = 600
_SHOWN = 160
# What stands for the right answer in each task; a class of another task is not trained in the notebook.
_LABELS = {
    "masked-lm": 'inputs["input_ids"]',
    "causal-lm": 'inputs["input_ids"]',
    "seq-to-seq-causal-lm": 'inputs["input_ids"]',
    "sequence-classification": "torch.zeros(1, dtype=torch.long, device=DEVICE)",
    "token-classification": 'torch.zeros_like(inputs["input_ids"])',
    "image-classification": "torch.zeros(1, dtype=torch.long, device=DEVICE)",
}
# What the model takes first, and what of it the notebook makes where there is no tokenizer.
_KINDS = {"pixel_values": "image", "input_features": "features", "input_values": "samples"}


def notebook_text(model: PortedModel, checkpoint: Path, text: str | None) -> str:
    """The notebook as JSON.

    Args:
        model: the model.
        checkpoint: the folder of its converted checkpoint.
        text: what the model is shown; a sentence of no meaning without it.

    Raises:
        AddModelError: the checkpoint is none of the model, or lacks the tokenizer that the notebook loads.
    """
    architecture = architecture_of(model, checkpoint)
    arguments = arguments_of(model, architecture)
    kind = _KINDS.get(arguments[0] if arguments else "", "ids")
    tokenizer = model.classes.get(TOKENIZER_MAPPING, "") if kind == "ids" else ""
    if tokenizer and not holds_tokenizer(checkpoint):
        raise AddModelError(f"{model.shown(checkpoint)}: holds no tokenizer for {tokenizer} to load; put the original's vocabulary files there")  # fmt: skip
    heads = Registry({mapping: {model.name: name} for mapping, name in model.classes.items()}).heads(model.name)
    task = next((task for task, name in heads.items() if name == architecture), "")
    markdown = rendered(
        "notebook.md",
        {
            "title": model.called.title,
            "package": model.module,
            "architecture": architecture,
            "tokenizer": tokenizer,
            "kind": kind,
            # What holds texts against images is nothing without one.
            "takes_image": kind == "image" or task == "zero-shot-image-classification",
            "takes_text_too": kind != "ids" and "decoder_input_ids" in arguments,
            "checkpoint": relative_path(model.notebook.parent, checkpoint),
            "text": text or _DEFAULT_TEXT,
            "task": task,
            "labels": _LABELS.get(task, ""),
        },
    )
    cells = [cell for cell in _cells(markdown) if cell["source"]]
    content = {
        "cells": [{**cell, "id": f"cell-{number}"} for number, cell in enumerate(cells, 1)],
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def run_notebook(model: PortedModel, checkpoint: Path | None) -> Evidence:
    """Runs the notebook in a kernel of its own, and returns the result of step 14; the file is left as it is.

    Args:
        model: the model.
        checkpoint: the folder that the notebook loads, where it is known: the result rests on its files as well.

    Raises:
        AddModelError: what runs notebooks is not installed, or the file is no notebook.
    """
    check_installed()
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    path = model.notebook
    try:
        notebook: Any = nbformat.reads(read_text(path), as_version=4)  # type: ignore[no-untyped-call]
    except (ValueError, AttributeError, KeyError, TypeError) as error:
        raise AddModelError(f"{model.shown(path)}: is no notebook: {error}; mend it, or --force writes a new one") from error  # fmt: skip
    number = sum(cell.cell_type == "code" for cell in notebook.cells)
    resources = {"metadata": {"path": str(path.parent)}}
    client = NotebookClient(notebook, timeout=_CELL_SECONDS, kernel_name="python3", resources=resources)
    started, problem = time.monotonic(), None
    try:
        client.execute(env=environment(model))
    except CellExecutionError as error:
        problem = f"{error.ename}: {error.evalue}"
    except (CellTimeoutError, DeadKernelError) as error:
        problem = str(error)
    seconds = time.monotonic() - started
    figure = f"{number} cells ran from top to bottom in {seconds:.1f} s" if number else "holds no code"
    if problem is not None:
        place = sum(cell.cell_type == "code" and cell.execution_count is not None for cell in notebook.cells)
        figure = f"cell {max(place, 1)} of {number} fails: {' '.join(problem.split())[:_SHOWN]}"
    passed = problem is None and number > 0
    shown = [found for found in sorted(checkpoint.glob("*")) if found.is_file()] if checkpoint is not None else []
    details = {} if checkpoint is None else {"checkpoint": model.shown(checkpoint)}
    return make(
        model.root, "notebook", passed=passed, figure=figure, files=[path, *model.code(), *shown], details=details
    )


def check_installed() -> None:
    """Raises `AddModelError` where what runs notebooks is not installed."""
    missing = [name for name in _NEEDED if installed_package(name) is None]
    if missing:
        raise AddModelError(f"{missing[0]} is not installed beside add-model; install it: {install_command('notebook')}")  # fmt: skip


def _cells(markdown: str) -> Iterator[dict[str, Any]]:
    """Code between fences becomes cells of code, what stands between them cells of text."""
    end = 0
    for match in _CODE.finditer(markdown):
        yield _text_cell(markdown[end : match.start()])
        yield {
            "cell_type": "code",
            "execution_count": None,
            "metadata": {},
            "outputs": [],
            "source": match[1].strip().splitlines(keepends=True),
        }
        end = match.end()
    yield _text_cell(markdown[end:])


def _text_cell(text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": text.strip().splitlines(keepends=True)}

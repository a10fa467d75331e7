"""Makes a model like every model of Transformers, judges each by results, and prints a table.

    python benchmarks/every_model.py                       the installed release, all folders that hold a modeling file
    python benchmarks/every_model.py --sample              forty of them, the known traps included
    python benchmarks/every_model.py --tree transformers-4.46.3 --named --python venv/bin/python
    python benchmarks/every_model.py --models bert opt     these

Each model is made in a scratch copy by the code of `add-model like`, and judged in a process that imports the scratch
copy: it imports; every public class exists, is exported and is registered like the reference's; each model class
instantiates on the meta device exactly when the reference's does, with the same parameters; tiny models answer with the
same bits; check-copies is clean on it, and ruff finds no more in it than in the reference.

What is judged is kept in a state file below --work; run it again and it goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))

from tests.transformers_models.folders import EXCEPTIONS, NAMED, SAMPLE, model_folders, new_name  # noqa: E402
from tests.transformers_models.quality import quality_problems  # noqa: E402
from tests.transformers_models.scratch import (  # noqa: E402
    add_model_like,
    changes_elsewhere,
    make_scratch,
    package_of,
)
from tests.transformers_models.table import append_line, read_lines, rows, summary  # noqa: E402


def main() -> None:
    """Shares the models out among processes, waits for them, and prints the table."""
    arguments = _arguments()
    tree = arguments.tree or _installed()
    references = _chosen(arguments, tree)
    arguments.work.mkdir(parents=True, exist_ok=True)
    if arguments.fresh:
        shutil.rmtree(arguments.work)
        arguments.work.mkdir()
    if arguments.share is not None:
        _work(arguments, tree, references[arguments.share :: arguments.processes])
        return
    shares = [
        subprocess.Popen([sys.executable, *sys.argv, "--share", str(number)] if not arguments.fresh else
                         [sys.executable, *[word for word in sys.argv if word != "--fresh"], "--share", str(number)])
        for number in range(arguments.processes)
    ]  # fmt: skip
    failed = [share.wait() for share in shares]
    lines = {}
    for number in range(arguments.processes):
        lines |= read_lines(arguments.work / f"state-{number}.jsonl")
    judged = [line for reference, line in lines.items() if reference in references]
    print("\n".join(rows(judged)))
    print(summary(judged))
    changes = [
        change for tree_number in range(arguments.processes) for change in _changes(arguments, tree, tree_number)
    ]
    print("\n".join(changes) if changes else "nothing else in the trees has changed but for what was added")
    missing = len(set(references) - lines.keys())
    if missing or any(failed):
        sys.exit(f"{missing} of {len(references)} models were not judged; run it again to go on")
    if changes or any(line["problems"] and line["reference"] not in EXCEPTIONS for line in judged):
        sys.exit(1)


def _changes(arguments: argparse.Namespace, tree: Path, number: int) -> Iterator[str]:
    scratch = arguments.work / f"tree-{number}"
    for change in changes_elsewhere(tree, scratch) if scratch.is_dir() else ():
        yield f"tree {number}: {change}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tree", type=Path, help="a checkout or unpacked archive; default: the installed release")
    parser.add_argument("--models", nargs="+", help="folders below models/")
    parser.add_argument("--sample", action="store_true", help="the fixed sample of forty")
    parser.add_argument("--named", action="store_true", help="the architectures that the domain page names")
    parser.add_argument("--pattern", default="brand_new_{}", help="the new names; {} is the folder's")
    parser.add_argument("--style", default="single", help="single, or modular where the tree has modular files")
    parser.add_argument("--python", default=sys.executable, help="the interpreter that can import the tree")
    parser.add_argument("--no-forward", action="store_true", help="leave out the forward passes, half of the time")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--chunk", type=int, default=40, help="how many models are judged between two notes")
    parser.add_argument("--work", type=Path, default=Path("every_model_work"), help="scratch trees and state")
    parser.add_argument("--fresh", action="store_true", help="start over")
    parser.add_argument("--share", type=int, help=argparse.SUPPRESS)
    return parser.parse_args()


def _chosen(arguments: argparse.Namespace, tree: Path) -> list[str]:
    if arguments.models:
        return list(arguments.models)
    if arguments.sample or arguments.named:
        return list(SAMPLE if arguments.sample else NAMED)
    return model_folders(package_of(tree))


def _work(arguments: argparse.Namespace, tree: Path, references: Sequence[str]) -> None:
    """Judges one share of the models, chunk by chunk, in a scratch tree of its own."""
    scratch = (arguments.work / f"tree-{arguments.share}").resolve()
    state = arguments.work / f"state-{arguments.share}.jsonl"
    if not scratch.is_dir():
        make_scratch(tree, scratch)
    left = [reference for reference in references if reference not in read_lines(state)]
    for start in range(0, len(left), arguments.chunk):
        chunk = {
            reference: new_name(reference, arguments.pattern) for reference in left[start : start + arguments.chunk]
        }
        made: dict[str, str] = {}
        for reference, name in chunk.items():
            there = (scratch / "src" / "transformers" / "models" / name).is_dir()
            error = None if there else add_model_like(scratch, reference, name, "--style", arguments.style)
            if error is None:
                made[reference] = name
            else:
                append_line(state, {"reference": reference, "name": name, "problems": [f"not made: {error}"]})
        if not made:
            continue
        quality = quality_problems(scratch, made)
        for line in _judged(arguments, scratch, made):
            line["problems"] += quality[line["name"]]
            append_line(state, line)
            print(*rows([line]), file=sys.stderr, flush=True)


def _judged(arguments: argparse.Namespace, scratch: Path, made: dict[str, str]) -> Iterator[dict]:
    """The lines of the judge, each as soon as it is there; and one for every model that it did not get to."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(scratch / "src"), str(REPOSITORY)])}
    command = [arguments.python, "-m", "tests.transformers_models.judge", str(scratch)]
    command += ["--no-forward"] if arguments.no_forward else []
    command += [f"{reference}={name}" for reference, name in made.items()]
    left = dict(made)
    with tempfile.TemporaryFile("w+") as said:
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=said, text=True) as process:
            assert process.stdout is not None
            for text in process.stdout:
                if text.startswith("{"):
                    line = json.loads(text)
                    left.pop(line["reference"], None)
                    yield line
        said.seek(0)
        because = " ".join(said.read().split())[-300:]
    for reference, name in left.items():
        yield {"reference": reference, "name": name, "problems": [f"the judge ended: {because}"], "counts": {}}


def _installed() -> Path:
    specification = importlib.util.find_spec("transformers")
    if specification is None or specification.origin is None:
        raise SystemExit("transformers is not installed; name a tree with --tree")
    return Path(specification.origin).parent


if __name__ == "__main__":
    main()

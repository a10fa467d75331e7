"""Makes a model like every model of Transformers, judges each by results, and prints a table.

    python benchmarks/every_model.py                       the installed release, all folders that hold a modeling file
    python benchmarks/every_model.py --sample              forty of them, the known traps included
    python benchmarks/every_model.py --kinds checkout      in a source tree only, or only in a package beside the library
    python benchmarks/every_model.py --tree transformers-4.46.3 --named --python venv/bin/python
    python benchmarks/every_model.py --models bert opt     these

Each model is made in a scratch copy by the code of `add-model like`, once in the tree and once in a package that depends
on it, and judged in a process that imports the scratch copy: it imports; every public class exists, is exported and is
registered like the reference's; each model class instantiates on the meta device exactly when the reference's does, with
the same parameters; tiny models answer with the same bits; tokenizers, processors and their like are made and answer
alike; a checkpoint that the reference saved loads with the same names missing and left over. Its markers can be read by
scripts that go line by line, check-copies is clean on it, every renamed name is bound, and neither ruff nor, where it is
installed, the library's own linter finds more in it than in the reference.

What is judged is kept in state files below --work; run it again and it goes on where it was stopped. Models come in an
order of chance that is always the same, so that what was judged until then is a sample; --report prints the table of it.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))

from tests.transformers_models.folders import EXCEPTIONS, NAMED, SAMPLE, model_folders, new_name  # noqa: E402
from tests.transformers_models.lines import line_of, with_checks  # noqa: E402
from tests.transformers_models.places import PACKAGE, Places  # noqa: E402
from tests.transformers_models.quality import quality_problems  # noqa: E402
from tests.transformers_models.scratch import (  # noqa: E402
    add_model_beside,
    add_model_like,
    changes_elsewhere,
    make_scratch,
    package_of,
)
from tests.transformers_models.table import (  # noqa: E402
    Line,
    append_line,
    read_lines,
    rows,
    summary,
    table_of_checks,
)

CHECKOUT, IN_PACKAGE = "checkout", "package"


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
    failed = [] if arguments.report else [share.wait() for share in _shares(arguments)]
    changes = [] if arguments.report else list(_changes(arguments, tree))
    states = {kind: _judged_so_far(arguments, kind) for kind in arguments.kinds}
    judged = [
        line | {"kind": kind}
        for kind, lines in states.items()
        for reference, line in lines.items()
        if reference in references
    ]
    print("\n".join(rows(judged)))
    for kind in arguments.kinds:
        print(f"\n{kind}: {summary(line for line in judged if line['kind'] == kind)}")
    print()
    print("\n".join(table_of_checks(judged)))
    print("\n".join(changes) if changes else "nothing else in the trees has changed but for what was added")
    missing = sum(len(set(references) - lines.keys()) for lines in states.values())
    if missing or any(failed):
        sys.exit(f"{missing} of {len(references) * len(states)} models were not judged; run it again to go on")
    if changes or any(line["problems"] and line["reference"] not in EXCEPTIONS for line in judged):
        sys.exit(1)


def _shares(arguments: argparse.Namespace) -> list[subprocess.Popen[bytes]]:
    words = [word for word in sys.argv if word != "--fresh"]
    return [
        subprocess.Popen([sys.executable, *words, "--share", str(number)]) for number in range(arguments.processes)
    ]


def _judged_so_far(arguments: argparse.Namespace, kind: str) -> dict[str, Line]:
    lines: dict[str, Line] = {}
    for path in sorted(arguments.work.glob(f"state-{kind}-*.jsonl")):
        lines |= read_lines(path)
    return lines


def _changes(arguments: argparse.Namespace, tree: Path) -> Iterator[str]:
    for scratch in sorted(arguments.work.glob("tree-*")):
        for change in changes_elsewhere(tree, scratch):
            yield f"{scratch.name}: {change}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tree", type=Path, help="a checkout or unpacked archive; default: the installed release")
    parser.add_argument("--models", nargs="+", help="folders below models/")
    parser.add_argument("--sample", action="store_true", help="the fixed sample of forty")
    parser.add_argument("--named", action="store_true", help="the architectures that the domain page names")
    parser.add_argument("--kinds", nargs="+", choices=(CHECKOUT, IN_PACKAGE), default=[CHECKOUT, IN_PACKAGE])
    parser.add_argument("--pattern", default="brand_new_{}", help="the new names; {} is the folder's")
    parser.add_argument("--style", default="single", help="single, or modular where the tree has modular files")
    parser.add_argument("--python", default=sys.executable, help="the interpreter that can import the tree")
    parser.add_argument("--no-forward", action="store_true", help="leave out the forward passes, half of the time")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--chunk", type=int, default=40, help="how many models are judged between two notes")
    parser.add_argument("--work", type=Path, default=Path("every_model_work"), help="scratch trees and state")
    parser.add_argument("--report", action="store_true", help="print the table of what has been judged so far")
    parser.add_argument("--fresh", action="store_true", help="start over")
    parser.add_argument("--share", type=int, help=argparse.SUPPRESS)
    return parser.parse_args()


def _chosen(arguments: argparse.Namespace, tree: Path) -> list[str]:
    if arguments.models:
        return list(arguments.models)
    if arguments.sample or arguments.named:
        return list(SAMPLE if arguments.sample else NAMED)
    folders = model_folders(package_of(tree))
    random.Random(0).shuffle(folders)
    return folders


def _work(arguments: argparse.Namespace, tree: Path, references: Sequence[str]) -> None:
    """Judges one share of the models, chunk by chunk, in a scratch tree and a package of its own."""
    # A package registers its models beside the library's own, among which they must not be.
    trees = {
        CHECKOUT: (arguments.work / f"tree-{arguments.share}").resolve(),
        IN_PACKAGE: (arguments.work / f"library-{arguments.share}").resolve(),
    }
    for kind in arguments.kinds:
        if not trees[kind].is_dir():
            make_scratch(tree, trees[kind])
    for start in range(0, len(references), arguments.chunk):
        for kind in arguments.kinds:
            _work_on(arguments, trees[kind], kind, references[start : start + arguments.chunk])


def _work_on(arguments: argparse.Namespace, scratch: Path, kind: str, references: Sequence[str]) -> None:
    """Makes and judges what of a chunk has not been judged."""
    state = arguments.work / f"state-{kind}-{arguments.share}.jsonl"
    known = read_lines(state)
    package = (arguments.work / f"package-{arguments.share}" / PACKAGE).resolve()
    models = scratch / "src" / "transformers" / "models"
    places = Places(models, models)
    if kind == IN_PACKAGE:
        places = Places(models, package / "src" / PACKAGE, PACKAGE)
    made: dict[str, str] = {}
    for reference in references:
        if reference in known:
            continue
        name = new_name(reference, arguments.pattern)
        error = None
        if not (places.models / name).is_dir():
            if kind == IN_PACKAGE:
                error = add_model_beside(package, reference, name)
            else:
                error = add_model_like(scratch, reference, name, "--style", arguments.style)
        if error is None:
            made[reference] = name
        else:
            append_line(state, line_of(reference, name, {"imports": [f"not made: {error}"]}, {}))
    if not made:
        return
    quality = quality_problems(places, made)
    for line in _judged(arguments, scratch, places, made):
        line = with_checks(line, quality[line["name"]])
        append_line(state, line)
        print(*rows([line | {"kind": kind}]), file=sys.stderr, flush=True)


def _judged(
    arguments: argparse.Namespace, scratch: Path, places: Places, made: dict[str, str]
) -> Iterator[dict[str, Any]]:
    """The lines of the judge, each as soon as it is there; and one for every model that it did not get to."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(scratch / "src"), str(REPOSITORY)])}
    command = [arguments.python, "-m", "tests.transformers_models.judge", str(scratch)]
    command += [] if places.is_in_tree else ["--package", str(places.models)]
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
        yield line_of(reference, name, {"imports": [f"the judge ended: {because}"]}, {})


def _installed() -> Path:
    specification = importlib.util.find_spec("transformers")
    if specification is None or specification.origin is None:
        raise SystemExit("transformers is not installed; name a tree with --tree")
    return Path(specification.origin).parent


if __name__ == "__main__":
    main()

"""Models like those of the installed Transformers, as the files that `like` would write; nothing is written."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from add_model.scaffold.answers import Answers
from add_model.scaffold.checkout.plan import make_checkout_plan
from add_model.scaffold.checkout.render import render_checkout
from add_model.scaffold.out_of_tree.render import render_out_of_tree
from add_model.scaffold.out_of_tree.target import new_package
from add_model.scaffold.rendering import Rendering
from tests.scaffold.checkout.installed import installed


def answers(folder: str, name: str, package: str) -> Answers:
    return Answers(f"transformers:{folder}", name, package, ("all",))


@lru_cache(maxsize=4)
def in_a_checkout(folder: str, name: str) -> Rendering:
    """What is written into a checkout: here, into the installed release as if it were one."""
    return render_checkout(make_checkout_plan(answers(folder, name, "transformers"), installed()))


def in_a_package(folder: str, name: str, root: Path) -> Rendering:
    """What is written for a package of one's own."""
    target = new_package(root, "my_models")
    return render_out_of_tree(make_checkout_plan(answers(folder, name, "my_models"), target.installed), target)


def modules(rendering: Rendering) -> dict[str, str]:
    """Dotted path of each module of the new model's folder, as if it stood in Transformers -> its text."""
    name = rendering.name.snake
    files = {file.path: file.text for file in rendering.files if file.path.suffix == ".py" and name in file.path.parts}
    code = {path: text for path, text in files.items() if "tests" not in path.parts}
    inside = {path: path.with_suffix("").parts for path in code}
    return {
        ".".join(["transformers", "models", *inside[path][inside[path].index(name) :]]): text
        for path, text in code.items()
    }

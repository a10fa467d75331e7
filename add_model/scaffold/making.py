"""From answers to files in memory, for whatever kind of place the model goes into."""

from __future__ import annotations

from add_model.scaffold.answers import Answers
from add_model.scaffold.checkout.layout import Checkout
from add_model.scaffold.out_of_tree.target import OutOfTree
from add_model.scaffold.questionnaire import Request
from add_model.scaffold.rendering import Rendering


def make(answers: Answers, request: Request) -> Rendering:
    """Plans and renders the model that the answers describe; nothing is written.

    Raises:
        AddModelError: a reference has gone, a file cannot be read, or a template fails.
    """
    if isinstance(request.target, Checkout):
        from add_model.scaffold.checkout.plan import make_checkout_plan
        from add_model.scaffold.checkout.render import render_checkout

        return render_checkout(make_checkout_plan(answers, request.target))
    if isinstance(request.target, OutOfTree):
        from add_model.scaffold.checkout.plan import make_checkout_plan
        from add_model.scaffold.out_of_tree.render import render_out_of_tree

        return render_out_of_tree(make_checkout_plan(answers, request.target.installed), request.target)
    from add_model.scaffold.standalone.plan import make_plan
    from add_model.scaffold.standalone.render import render

    return render(make_plan(answers, request.target, request.root))

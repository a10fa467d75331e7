"""The directive `drawn-objects`: what docs/find_objects.py draws, made anew whenever the site is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx

_SCRIPT = Path(__file__).with_name("find_objects.py")
# Where the site keeps its pictures.
_PICTURE = "_images/found_objects.png"


class DrawnObjects(Directive):
    """Stands for the script and, where there is PyTorch, for the picture that it makes."""

    def run(self) -> list[nodes.Node]:
        environment = self.state.document.settings.env
        environment.note_dependency(str(_SCRIPT))
        code = _SCRIPT.read_text(encoding="utf-8")
        block = nodes.literal_block(code, code, language="python")
        if not _can_draw():
            return [block, nodes.paragraph("", "This site was built without PyTorch, so the picture is not here.")]
        to_root = "../" * environment.docname.count("/")
        says = "A ball and a box, each with a frame and its name around it"
        return [block, nodes.raw("", f'<img src="{to_root}{_PICTURE}" alt="{says}">', format="html")]


def _can_draw() -> bool:
    try:
        import PIL  # noqa: F401
        import scipy  # noqa: F401
        import torch  # noqa: F401
    except ImportError:
        return False
    return True


def _draw(app: Sphinx, failed: Exception | None) -> None:
    # Of a build that failed nobody looks at the pictures.
    if failed is not None or app.statuscode or app.builder.format != "html" or not _can_draw():
        return
    from find_objects import drawn_objects

    picture = Path(app.outdir) / _PICTURE
    picture.parent.mkdir(exist_ok=True)
    drawn_objects().save(picture)


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("drawn-objects", DrawnObjects)
    app.connect("build-finished", _draw)
    return {"parallel_read_safe": True}

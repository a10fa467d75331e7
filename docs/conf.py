"""How the site is built from this folder: sphinx-build --fail-on-warning docs FOLDER."""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]

from add_model import __version__  # noqa: E402

project = "add-model"
author = "the authors of add-model"
release = version = __version__

extensions = ["myst_parser", "command_reference", "drawn_objects"]
# A link to a file, a heading or a picture that is not there is a warning, and a warning ends the build.
nitpicky = True
myst_heading_anchors = 3
source_suffix = {".md": "markdown"}

# No font, script or picture comes from another site: the pages can be read without a network.
# Options are spelled with two hyphens.
smartquotes = False

html_theme = "furo"
html_title = "add-model"
html_copy_source = False
html_show_sphinx = False

"""A small source tree in the form that git checkouts of Diffusers have; every text in it is our own.

`wren` is a transformer with a controlnet and two pipelines, `autoencoder_kl` a model whose classes say what it is,
`finch` a scheduler; `gull` is deprecated, and `heron` has only a modular pipeline.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

TOP = """\
__version__ = "0.42.1"

from typing import TYPE_CHECKING

from .utils import OptionalDependencyNotAvailable, _LazyModule, is_torch_available, is_transformers_available


_import_structure = {
    "configuration_utils": ["ConfigMixin"],
    "models": [],
    "pipelines": [],
    "schedulers": [],
}

try:
    if not is_torch_available():
        raise OptionalDependencyNotAvailable()
except OptionalDependencyNotAvailable:
    from .utils import dummy_pt_objects  # noqa F403

    _import_structure["utils.dummy_pt_objects"] = [name for name in dir(dummy_pt_objects) if not name.startswith("_")]
else:
    _import_structure["models"].extend(
        [
            "AutoencoderKL",
            "Wren2Transformer2DModel",
            "WrenControlNetModel",
            "WrenTransformer2DModel",
        ]
    )
    _import_structure["schedulers"].extend(["FinchScheduler", "SchedulerMixin"])

try:
    if not (is_torch_available() and is_transformers_available()):
        raise OptionalDependencyNotAvailable()
except OptionalDependencyNotAvailable:
    from .utils import dummy_torch_and_transformers_objects  # noqa F403

    _import_structure["utils.dummy_torch_and_transformers_objects"] = [
        name for name in dir(dummy_torch_and_transformers_objects) if not name.startswith("_")
    ]
else:
    _import_structure["pipelines"].extend(
        [
            "GullPipeline",
            "WrenImg2ImgPipeline",
            "WrenPipeline",
        ]
    )

if TYPE_CHECKING:
    from .configuration_utils import ConfigMixin

    try:
        if not is_torch_available():
            raise OptionalDependencyNotAvailable()
    except OptionalDependencyNotAvailable:
        from .utils.dummy_pt_objects import *  # noqa F403
    else:
        from .models import (
            AutoencoderKL,
            Wren2Transformer2DModel,
            WrenControlNetModel,
            WrenTransformer2DModel,
        )
        from .schedulers import FinchScheduler, SchedulerMixin

    try:
        if not (is_torch_available() and is_transformers_available()):
            raise OptionalDependencyNotAvailable()
    except OptionalDependencyNotAvailable:
        from .utils.dummy_torch_and_transformers_objects import *  # noqa F403
    else:
        from .pipelines import GullPipeline, WrenImg2ImgPipeline, WrenPipeline
else:
    import sys

    sys.modules[__name__] = _LazyModule(__name__, globals()["__file__"], _import_structure, module_spec=__spec__)
"""

_MODELS = """\
from typing import TYPE_CHECKING

from ..utils import _LazyModule, is_torch_available


_import_structure = {}

if is_torch_available():
    _import_structure["autoencoders.autoencoder_kl"] = ["AutoencoderKL"]
    _import_structure["controlnets.controlnet_wren"] = ["WrenControlNetModel"]
    _import_structure["transformers.transformer_wren"] = ["WrenTransformer2DModel"]
    _import_structure["transformers.transformer_wren2"] = ["Wren2Transformer2DModel"]


if TYPE_CHECKING:
    if is_torch_available():
        from .autoencoders import AutoencoderKL
        from .controlnets import WrenControlNetModel
        from .transformers import (
            Wren2Transformer2DModel,
            WrenTransformer2DModel,
        )
"""

TRANSFORMER = '''\
"""The Wren transformer."""

import torch
from torch import nn

from ...configuration_utils import ConfigMixin, register_to_config
from ..attention import FeedForward
from ..modeling_utils import ModelMixin


class WrenPosEmbed(nn.Module):
    def forward(self, ids):
        return ids.float()


class WrenBlock(nn.Module):
    """A block of Wren."""

    def __init__(self, dim: int):
        super().__init__()
        self.ff = FeedForward(dim)

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        return hidden_states + self.ff(hidden_states)


class WrenTransformer2DModel(ModelMixin, ConfigMixin):
    """The transformer of [`WrenPipeline`]; see also [`Wren2Transformer2DModel`]."""

    @register_to_config
    def __init__(self, dim: int = 8, num_layers: int = 2):
        super().__init__()
        self.pos_embed = WrenPosEmbed()
        self.blocks = nn.ModuleList([WrenBlock(dim) for _ in range(num_layers)])

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        for block in self.blocks:
            hidden_states = block(hidden_states)
        return hidden_states
'''

_WREN2 = """\
from torch import nn

from ..modeling_utils import ModelMixin


class Wren2Transformer2DModel(ModelMixin):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(2, 2)
"""

_CONTROLNET = """\
from torch import nn

from ..embeddings import WrenPosEmbed
from ..modeling_utils import ModelMixin
from ..transformers.transformer_wren import WrenBlock


class WrenControlNetModel(ModelMixin):
    def __init__(self, dim: int = 8):
        super().__init__()
        self.pos_embed = WrenPosEmbed()
        self.blocks = nn.ModuleList([WrenBlock(dim)])
"""

_AUTOENCODER = '''\
from torch import nn

from ..modeling_outputs import AutoencoderKLOutput
from ..modeling_utils import ModelMixin


class AutoencoderKL(ModelMixin):
    """A VAE with a KL loss."""

    def __init__(self, channels: int = 4):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 1)

    def encode(self, sample):
        return AutoencoderKLOutput(latent_dist=self.conv(sample))
'''

_SCHEDULERS = """\
from typing import TYPE_CHECKING

from ..utils import OptionalDependencyNotAvailable, is_torch_available


_import_structure = {}

try:
    if not is_torch_available():
        raise OptionalDependencyNotAvailable()
except OptionalDependencyNotAvailable:
    from ..utils import dummy_pt_objects  # noqa F403
else:
    _import_structure["scheduling_finch"] = ["FinchScheduler"]
    _import_structure["scheduling_utils"] = ["SchedulerMixin"]

if TYPE_CHECKING:
    try:
        if not is_torch_available():
            raise OptionalDependencyNotAvailable()
    except OptionalDependencyNotAvailable:
        from ..utils.dummy_pt_objects import *  # noqa F403
    else:
        from .scheduling_finch import FinchScheduler
        from .scheduling_utils import SchedulerMixin
"""

_SCHEDULER = """\
from dataclasses import dataclass

from ..configuration_utils import ConfigMixin, register_to_config
from ..utils import BaseOutput
from .scheduling_utils import SchedulerMixin


@dataclass
class FinchSchedulerOutput(BaseOutput):
    prev_sample: float


class FinchScheduler(SchedulerMixin, ConfigMixin):
    @register_to_config
    def __init__(self, steps: int = 10, kind: str = "finch"):
        self.steps = steps

    def step(self, output, timestep, sample):
        return FinchSchedulerOutput(prev_sample=sample - output / self.steps)
"""

_PIPELINES = """\
from typing import TYPE_CHECKING

from ..utils import OptionalDependencyNotAvailable, is_torch_available, is_transformers_available


_dummy_objects = {}
_import_structure = {"deprecated": []}

try:
    if not (is_torch_available() and is_transformers_available()):
        raise OptionalDependencyNotAvailable()
except OptionalDependencyNotAvailable:
    from ..utils import dummy_torch_and_transformers_objects  # noqa F403
else:
    _import_structure["deprecated"].extend(["GullPipeline"])
    _import_structure["wren"] = ["WrenPipeline", "WrenImg2ImgPipeline"]

if TYPE_CHECKING:
    try:
        if not (is_torch_available() and is_transformers_available()):
            raise OptionalDependencyNotAvailable()
    except OptionalDependencyNotAvailable:
        from ..utils.dummy_torch_and_transformers_objects import *  # noqa F403
    else:
        from .deprecated import GullPipeline
        from .wren import WrenImg2ImgPipeline, WrenPipeline
"""

_PIPELINE_PACKAGE = """\
from typing import TYPE_CHECKING

from ...utils import _LazyModule


_import_structure = {
    "pipeline_output": ["WrenPipelineOutput"],
    "pipeline_wren": ["WrenPipeline"],
    "pipeline_wren_img2img": ["WrenImg2ImgPipeline"],
}

if TYPE_CHECKING:
    from .pipeline_output import WrenPipelineOutput
    from .pipeline_wren import WrenPipeline
    from .pipeline_wren_img2img import WrenImg2ImgPipeline
"""

_PIPELINE = """\
from ...models import AutoencoderKL, WrenTransformer2DModel
from ..pipeline_utils import DiffusionPipeline
from .pipeline_output import WrenPipelineOutput


class WrenPipeline(DiffusionPipeline):
    model_cpu_offload_seq = "transformer->vae"

    def __init__(self, transformer: WrenTransformer2DModel, vae: AutoencoderKL):
        super().__init__()
        self.register_modules(transformer=transformer, vae=vae)

    def check_inputs(self, height):
        if height % 8:
            raise ValueError("height")

    def __call__(self, height=8):
        self.check_inputs(height)
        return WrenPipelineOutput(images=[])
"""

_IMG2IMG = """\
from ..pipeline_utils import DiffusionPipeline
from .pipeline_output import WrenPipelineOutput


class WrenImg2ImgPipeline(DiffusionPipeline):
    # Copied from diffusers.pipelines.wren.pipeline_wren.WrenPipeline.check_inputs
    def check_inputs(self, height):
        if height % 8:
            raise ValueError("height")

    def __call__(self, image, height=8):
        self.check_inputs(height)
        return WrenPipelineOutput(images=[image])
"""

_OUTPUT = """\
from dataclasses import dataclass

from ...utils import BaseOutput


@dataclass
class WrenPipelineOutput(BaseOutput):
    images: list
"""

_AUTO = """\
from collections import OrderedDict

from .wren import WrenImg2ImgPipeline, WrenPipeline


AUTO_TEXT2IMAGE_PIPELINES_MAPPING = OrderedDict(
    [
        ("wren", WrenPipeline),
    ]
)

AUTO_IMAGE2IMAGE_PIPELINES_MAPPING = OrderedDict(
    [
        ("wren-img2img", WrenImg2ImgPipeline),
    ]
)
"""

_LOADERS = """\
def convert_wren(checkpoint):
    return checkpoint


SINGLE_FILE_LOADABLE_CLASSES = {
    "WrenTransformer2DModel": {
        "checkpoint_mapping_fn": convert_wren,
        "default_subfolder": "transformer",
    },
}
"""

_HOOKS = """\
def register():
    from ..models.transformers.transformer_wren import WrenBlock

    return WrenBlock
"""

_TOC = """\
- sections:
  - sections:
    - local: api/models/overview
      title: Overview
    - local: api/models/albatross_transformer
      title: AlbatrossTransformer2DModel
    - local: api/models/wren_transformer
      title: WrenTransformer2DModel
    title: Models
  - sections:
    - local: api/pipelines/wren
      title: Wren
    title: Pipelines
  title: API
"""

_DUMMY_HEAD = "# This file is autogenerated by the command `make fix-copies`, do not edit.\nfrom ..utils import DummyObject, requires_backends\n"  # fmt: skip


def dummy(name: str, backends: str) -> str:
    """What stands in for a class, as the library's script writes it."""
    return f"""

class {name}(metaclass=DummyObject):
    _backends = [{backends}]

    def __init__(self, *args, **kwargs):
        requires_backends(self, [{backends}])

    @classmethod
    def from_config(cls, *args, **kwargs):
        requires_backends(cls, [{backends}])

    @classmethod
    def from_pretrained(cls, *args, **kwargs):
        requires_backends(cls, [{backends}])
"""


def dummies(names: list[str], backends: str) -> str:
    """A whole file of dummies."""
    return _DUMMY_HEAD + "".join(dummy(name, backends) for name in names)


TORCH, BOTH = '"torch"', '"torch", "transformers"'
_FILES: Mapping[str, str] = {
    "pyproject.toml": '[tool.ruff]\nline-length = 119\n\n[tool.ruff.lint]\nselect = ["F", "I"]\n\n[tool.ruff.lint.per-file-ignores]\n"__init__.py" = ["F401", "F403", "F811"]\n\n[tool.ruff.lint.isort]\nlines-after-imports = 2\nknown-first-party = ["diffusers"]\n',  # fmt: skip
    "src/diffusers/__init__.py": TOP,
    "src/diffusers/models/__init__.py": _MODELS,
    "src/diffusers/models/transformers/__init__.py": "from ...utils import is_torch_available\n\n\nif is_torch_available():\n    from .transformer_wren import WrenTransformer2DModel\n    from .transformer_wren2 import Wren2Transformer2DModel\n",  # fmt: skip
    "src/diffusers/models/transformers/transformer_wren.py": TRANSFORMER,
    "src/diffusers/models/transformers/transformer_wren2.py": _WREN2,
    "src/diffusers/models/controlnets/__init__.py": "from .controlnet_wren import WrenControlNetModel\n",
    "src/diffusers/models/controlnets/controlnet_wren.py": _CONTROLNET,
    "src/diffusers/models/autoencoders/__init__.py": "from .autoencoder_kl import AutoencoderKL\n",
    "src/diffusers/models/autoencoders/autoencoder_kl.py": _AUTOENCODER,
    "src/diffusers/schedulers/__init__.py": _SCHEDULERS,
    "src/diffusers/schedulers/scheduling_finch.py": _SCHEDULER,
    "src/diffusers/schedulers/scheduling_utils.py": "class SchedulerMixin:\n    pass\n",
    "src/diffusers/pipelines/__init__.py": _PIPELINES,
    "src/diffusers/pipelines/auto_pipeline.py": _AUTO,
    "src/diffusers/pipelines/wren/__init__.py": _PIPELINE_PACKAGE,
    "src/diffusers/pipelines/wren/pipeline_wren.py": _PIPELINE,
    "src/diffusers/pipelines/wren/pipeline_wren_img2img.py": _IMG2IMG,
    "src/diffusers/pipelines/wren/pipeline_output.py": _OUTPUT,
    "src/diffusers/pipelines/deprecated/__init__.py": "from .gull import GullPipeline\n",
    "src/diffusers/pipelines/deprecated/gull/__init__.py": "class GullPipeline:\n    pass\n",
    "src/diffusers/modular_pipelines/heron/__init__.py": "",
    "src/diffusers/loaders/single_file_model.py": _LOADERS,
    "src/diffusers/hooks/_helpers.py": _HOOKS,
    "src/diffusers/utils/dummy_pt_objects.py": dummies(
        [
            "AutoencoderKL",
            "Wren2Transformer2DModel",
            "WrenControlNetModel",
            "WrenTransformer2DModel",
            "FinchScheduler",
            "SchedulerMixin",
        ],  # fmt: skip
        TORCH,
    ),
    "src/diffusers/utils/dummy_torch_and_transformers_objects.py": dummies(
        ["GullPipeline", "WrenImg2ImgPipeline", "WrenPipeline"], BOTH
    ),
    "docs/source/en/_toctree.yml": _TOC,
    "docs/source/en/api/models/wren_transformer.md": "# WrenTransformer2DModel\n\nA transformer.\n\n## WrenTransformer2DModel\n\n[[autodoc]] WrenTransformer2DModel\n",  # fmt: skip
    "docs/source/en/api/pipelines/wren.md": "# Wren\n\n[[autodoc]] WrenPipeline\n\t- all\n\t- __call__\n",
    "tests/models/transformers/__init__.py": "",
    "tests/models/transformers/test_models_transformer_wren.py": "from diffusers import WrenTransformer2DModel\n\n\nclass WrenTransformerTests:\n    model_class = WrenTransformer2DModel\n",  # fmt: skip
    "tests/pipelines/wren/__init__.py": "",
    "tests/pipelines/wren/test_pipeline_wren.py": "from diffusers import WrenPipeline, WrenTransformer2DModel\n\n\nclass WrenPipelineTests:\n    pipeline_class = WrenPipeline\n    transformer = WrenTransformer2DModel\n",  # fmt: skip
    "tests/schedulers/test_scheduler_finch.py": "from diffusers import FinchScheduler\n\n\nclass FinchSchedulerTest:\n    scheduler_classes = (FinchScheduler,)\n",  # fmt: skip
}


def make_tree(root: Path, changed: Mapping[str, str | None] | None = None) -> Path:
    """Writes the tree; `changed` replaces files of it, or leaves them out."""
    for name, text in {**_FILES, **(changed or {})}.items():
        if text is not None:
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return root


def make_work_tree(root: Path) -> Path:
    """Writes the tree, as a git work tree with one commit."""
    make_tree(root)
    for command in (["init", "-q"], ["add", "--all"], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "a"]):  # fmt: skip
        subprocess.run(["git", *command], cwd=root, check=True)
    return root

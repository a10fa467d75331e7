"""The base class of all models: building, saving and loading."""

from __future__ import annotations

import copy
import inspect
import json
import pickle
import re
import warnings
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import torch
from huggingface_hub import ModelCard, ModelHubMixin
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from .configuration_utils import CONFIG_FILE_NAME, PreTrainedConfig, find_file, read_config_file, read_json_file

SAFE_WEIGHTS_NAME = "model.safetensors"
PICKLED_WEIGHTS_NAME = "pytorch_model.bin"
# Where weights are looked for, in this order; an index names the files that large weights were split into.
WEIGHTS_FILE_NAMES = (
    SAFE_WEIGHTS_NAME,
    f"{SAFE_WEIGHTS_NAME}.index.json",
    PICKLED_WEIGHTS_NAME,
    f"{PICKLED_WEIGHTS_NAME}.index.json",
)

StateDict = dict[str, torch.Tensor]
ModelType = TypeVar("ModelType", bound="PreTrainedModel")


class PreTrainedModel(nn.Module, ModelHubMixin):
    """A model that is built from a configuration, and saved and loaded together with it.

    A model family has one subclass that sets the class attributes and `_init_weights`; the base model and every model
    with a head inherit from that one. A model with a head holds a base model under the name `base_model_prefix`.
    Every `__init__` ends with `self.post_init()`.

    Class attributes:
        config_class: the configuration of the family.
        base_model_prefix: name of the attribute that holds the base model in a model with a head.
        main_input_name: the argument of `forward` that no model of the family does without.
        _tied_weights_keys: weights that are the same tensor as another one when `config.tie_word_embeddings` is set,
            name to name of the original; saved once, under the name of the original.
        _shared_weights_keys: the same, of weights that are one tensor whatever the configuration says.
        _renamed_checkpoint_keys: regular expressions of weight names in older checkpoints, with the names of today.
        _ignored_checkpoint_keys: regular expressions of what checkpoints may hold and the model does not need.
    """

    config_class: ClassVar[type[PreTrainedConfig]] = PreTrainedConfig
    base_model_prefix: ClassVar[str] = ""
    main_input_name: ClassVar[str] = "input_ids"
    _tied_weights_keys: ClassVar[dict[str, str]] = {}
    _shared_weights_keys: ClassVar[dict[str, str]] = {}
    _renamed_checkpoint_keys: ClassVar[dict[str, str]] = {}
    _ignored_checkpoint_keys: ClassVar[tuple[str, ...]] = ()

    config: PreTrainedConfig

    def __init__(self, config: PreTrainedConfig) -> None:
        super().__init__()
        if not isinstance(config, self.config_class):
            raise TypeError(
                f"{type(self).__name__} is built from a {self.config_class.__name__}, not a {type(config).__name__}; "
                f"to load saved weights call {type(self).__name__}.from_pretrained"
            )
        self.config = config

    def post_init(self) -> None:
        """Initialise the weights and tie those that belong together."""
        with torch.no_grad():
            self._initialize_modules(self)
        self.tie_weights()

    def _initialize_modules(self, module: nn.Module) -> None:
        """Call `_init_weights` on a module after everything inside it.

        A model that is a part of this one has done so itself at the end of its own `__init__`.
        """
        for child in module.children():
            if not isinstance(child, PreTrainedModel):
                self._initialize_modules(child)
        self._init_weights(module)

    def _init_weights(self, module: nn.Module) -> None:
        """Set the parameters that `module` itself owns to their initial values, as the configuration says."""
        raise NotImplementedError(f"{type(self).__name__} must define _init_weights")

    @property
    def base_model(self) -> nn.Module:
        """The model without the head; the model itself when it has none."""
        base_model = getattr(self, self.base_model_prefix, self)
        assert isinstance(base_model, nn.Module)
        return base_model

    @property
    def device(self) -> torch.device:
        """The device of the parameters."""
        return next(self.parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        """The data type of the floating-point parameters."""
        return next(parameter.dtype for parameter in self.parameters() if parameter.is_floating_point())

    def num_parameters(self, only_trainable: bool = False) -> int:
        """Return the number of weights; tied ones count once."""
        return sum(
            parameter.numel() for parameter in self.parameters() if parameter.requires_grad or not only_trainable
        )

    def get_input_embeddings(self) -> nn.Module:
        """Return the module that turns token ids into vectors. A base model overrides this."""
        base_model = self.base_model
        if base_model is self or not isinstance(base_model, PreTrainedModel):
            raise NotImplementedError(f"{type(self).__name__} must define get_input_embeddings")
        return base_model.get_input_embeddings()

    def set_input_embeddings(self, embeddings: nn.Module) -> None:
        """Replace the module that turns token ids into vectors; weights tied to it follow."""
        base_model = self.base_model
        if base_model is self or not isinstance(base_model, PreTrainedModel):
            raise NotImplementedError(f"{type(self).__name__} must define set_input_embeddings")
        base_model.set_input_embeddings(embeddings)
        self.tie_weights()

    def get_output_embeddings(self) -> nn.Module | None:
        """Return the module that turns vectors into scores of the vocabulary, if the model has one."""
        return None

    def tied_weights(self) -> dict[str, str]:
        """Return the tied weights, name to name of the original, including those of the models inside this one."""
        tied: dict[str, str] = {}
        for path, module in self.named_modules():
            if isinstance(module, PreTrainedModel):
                prefix = f"{path}." if path else ""
                keys = dict(module._shared_weights_keys)
                if self.config.tie_word_embeddings:
                    keys.update(module._tied_weights_keys)
                tied.update({prefix + name: prefix + original for name, original in keys.items()})
        # A weight may be tied to one that is tied itself.
        for name, original in tied.items():
            while original in tied:
                original = tied[original]
            tied[name] = original
        return tied

    def tie_weights(self) -> None:
        """Make every tied weight the same tensor as its original."""
        for name, original in self.tied_weights().items():
            module_path, _, parameter_name = name.rpartition(".")
            setattr(self.get_submodule(module_path), parameter_name, self.get_parameter(original))

    def _save_pretrained(self, save_directory: Path) -> None:
        tied = self.tied_weights()
        weights = {name: weight.contiguous() for name, weight in self.state_dict().items() if name not in tied}
        save_file(weights, save_directory / SAFE_WEIGHTS_NAME, metadata={"format": "pt"})
        config = copy.deepcopy(self.config)
        config.architectures = [type(self).__name__]
        content = {**config.to_dict(), "dtype": str(self.dtype).removeprefix("torch.")}
        text = json.dumps(content, indent=2, sort_keys=True) + "\n"
        (save_directory / CONFIG_FILE_NAME).write_text(text, encoding="utf-8")

    def generate_model_card(self, *args: Any, **kwargs: Any) -> ModelCard:
        """Return the README.md that `save_pretrained` and `push_to_hub` put beside the weights if there is none."""
        name = type(self).__name__
        package = type(self).__module__.rpartition(".")[0]
        return ModelCard(
            f"---\nlibrary_name: {package.partition('.')[0]}\ntags:\n- {self.config.model_type}\n---\n\n"
            f"# {name}\n\n"
            f"{self.num_parameters():,} parameters. Load it with\n\n"
            f'```python\nfrom {package} import {name}\n\nmodel = {name}.from_pretrained("path/to/this/folder")\n```\n\n'
            "To be described: the data it was trained on, the task it is meant for, its limits.\n"
        )

    @classmethod
    def from_pretrained(
        cls: type[ModelType],
        pretrained_model_name_or_path: str | Path,
        *,
        config: PreTrainedConfig | None = None,
        dtype: torch.dtype | None = None,
        force_download: bool = False,
        token: str | bool | None = None,
        cache_dir: str | Path | None = None,
        local_files_only: bool = False,
        revision: str | None = None,
        **kwargs: Any,
    ) -> ModelType:
        """Build a model from a configuration and fill it with saved weights; it comes back in evaluation mode.

        A checkpoint of the base model fills a model with a head and the other way round; what the checkpoint does not
        hold keeps its initial values, and a warning names it.

        Args:
            pretrained_model_name_or_path: a folder written by `save_pretrained`, or the id of a Hub repository.
            config: used instead of the folder's `config.json`.
            dtype: data type of the weights, float32 if missing, whatever the checkpoint's is.
            force_download, token, cache_dir, local_files_only, revision: how to reach the Hub.
            kwargs: arguments of `__init__` such as `add_pooling_layer`; all others replace values of the
                configuration.

        Raises:
            FileNotFoundError: the folder or repository does not exist, or lacks the configuration or the weights.
            ValueError: the weights cannot be read safely, or have other shapes than the model's.
        """
        hub_options: dict[str, Any] = {
            "force_download": force_download,
            "token": token,
            "cache_dir": cache_dir,
            "local_files_only": local_files_only,
            "revision": revision,
        }
        init_names = inspect.signature(cls.__init__).parameters
        init_arguments = {name: kwargs.pop(name) for name in list(kwargs) if name in init_names}
        if config is None:
            config = cls.config_class.from_dict(
                read_config_file(pretrained_model_name_or_path, **hub_options), **kwargs
            )
        elif kwargs:
            raise TypeError(f"set {', '.join(kwargs)} on the config that is passed, not as further arguments")
        weights = read_weights(pretrained_model_name_or_path, **hub_options)
        model = cls(config, **init_arguments)
        model.load_checkpoint(weights, source=str(pretrained_model_name_or_path))
        if dtype is not None:
            model.to(dtype)
        model.eval()
        return model

    def load_checkpoint(self, weights: StateDict, source: str = "the checkpoint") -> None:
        """Fill the model with weights that were saved from it, from its base model or from another head.

        Raises:
            ValueError: a weight has another shape than the model's; nothing is loaded then.
        """
        own_weights = self.state_dict()
        found: StateDict = {}
        unexpected: list[str] = []
        for checkpoint_name, weight in weights.items():
            name = self._name_in_model(checkpoint_name, own_weights)
            if name is not None:
                found[name] = weight
            elif not any(re.search(pattern, checkpoint_name) for pattern in self._ignored_checkpoint_keys):
                unexpected.append(checkpoint_name)

        mismatched = [
            f"{name}: {tuple(weight.shape)} in {source}, {tuple(own_weights[name].shape)} in the model"
            for name, weight in found.items()
            if weight.shape != own_weights[name].shape
        ]
        if mismatched:
            raise ValueError(
                f"{source} does not fit {type(self).__name__}, check the values of the configuration; "
                f"different shapes: {'; '.join(mismatched)}"
            )

        # One tensor has several names here. The original's name counts; another one fills it only in its absence.
        tied = self.tied_weights()
        for name in [name for name in found if name in tied]:
            weight = found.pop(name)
            found.setdefault(tied[name], weight)
        self.load_state_dict(found, strict=False)
        missing = [name for name in own_weights if tied.get(name, name) not in found]
        _warn_about_names(type(self).__name__, source, missing, unexpected)

    def _name_in_model(self, checkpoint_name: str, own_weights: StateDict) -> str | None:
        """Return the model's name of a checkpoint's weight: as it is, or with the base model's prefix added or cut."""
        name = checkpoint_name
        for pattern, replacement in self._renamed_checkpoint_keys.items():
            name = re.sub(pattern, replacement, name)
        prefix = f"{self.base_model_prefix}."
        for candidate in (name, prefix + name, name.removeprefix(prefix)):
            if candidate in own_weights:
                return candidate
        return None


def _warn_about_names(model_name: str, source: str, missing: list[str], unexpected: list[str]) -> None:
    parts = []
    if missing:
        parts.append(f"not in it, so left at their initial values: {', '.join(missing)}")
    if unexpected:
        parts.append(f"in it but not in the model, so not used: {', '.join(unexpected)}")
    if parts:
        warnings.warn(f"{model_name} was filled from {source}; {'; '.join(parts)}", stacklevel=4)


def read_weights(folder_or_hub_id: str | Path, **hub_options: Any) -> StateDict:
    """Return the weights of a folder or a Hub repository, on the CPU; for the options see `find_file`.

    Raises:
        FileNotFoundError: there are no weights, or a file that an index names is missing.
        ValueError: a file is damaged, or cannot be read without running code from it.
    """
    for file_name in WEIGHTS_FILE_NAMES:
        path = find_file(folder_or_hub_id, file_name, **hub_options)
        if path is None:
            continue
        if not file_name.endswith(".index.json"):
            return _read_weights_file(path)
        weights: StateDict = {}
        for part_name in sorted(set(read_json_file(path)["weight_map"].values())):
            if Path(part_name).name != part_name:
                raise ValueError(f"{path} names a file outside its folder: {part_name}")
            part = find_file(folder_or_hub_id, part_name, **hub_options)
            if part is None:
                raise FileNotFoundError(f"{folder_or_hub_id} lacks {part_name}, which {file_name} names")
            weights.update(_read_weights_file(part))
        return weights
    raise FileNotFoundError(f"{folder_or_hub_id} has no weights: looked for {', '.join(WEIGHTS_FILE_NAMES)}")


def _read_weights_file(path: Path) -> StateDict:
    if path.suffix == ".safetensors":
        try:
            return load_file(path)
        except SafetensorError as error:
            raise ValueError(f"{path} is not a whole safetensors file, fetch it again: {error}") from error
    try:
        weights: StateDict = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ValueError(
            f"{path} holds more than weights and could run code when it is loaded; ask its author for safetensors"
        ) from error
    return weights

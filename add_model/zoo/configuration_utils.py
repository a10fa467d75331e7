"""The base class of all configurations, and the look-up of files in a folder or on the Hub."""

from __future__ import annotations

import copy
import json
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from huggingface_hub import hf_hub_download
from huggingface_hub.errors import EntryNotFoundError, HFValidationError, RepositoryNotFoundError

CONFIG_FILE_NAME = "config.json"
ATTENTION_IMPLEMENTATIONS = ("eager", "sdpa")
PROBLEM_TYPES = ("regression", "single_label_classification", "multi_label_classification")

# The keys that every configuration has, with the value that is left out of config.json.
COMMON_DEFAULTS: dict[str, Any] = {
    "architectures": None,
    "problem_type": None,
    "pad_token_id": None,
    "bos_token_id": None,
    "eos_token_id": None,
    "decoder_start_token_id": None,
    "forced_bos_token_id": None,
    "forced_eos_token_id": None,
    "is_encoder_decoder": False,
    "output_attentions": False,
    "output_hidden_states": False,
}

ConfigType = TypeVar("ConfigType", bound="PreTrainedConfig")


def find_file(
    folder_or_hub_id: str | Path,
    file_name: str,
    *,
    revision: str | None = None,
    token: str | bool | None = None,
    cache_dir: str | Path | None = None,
    force_download: bool = False,
    local_files_only: bool = False,
) -> Path | None:
    """Return the path of a file in a local folder, or of its downloaded copy when the name is a Hub repository.

    Returns `None` when the folder or the repository has no such file.

    Raises:
        FileNotFoundError: there is neither such a folder nor such a repository.
    """
    folder = Path(folder_or_hub_id)
    if folder.is_dir():
        path = folder / file_name
        return path if path.is_file() else None
    try:
        return Path(
            hf_hub_download(
                str(folder_or_hub_id),
                file_name,
                revision=revision,
                token=token,
                cache_dir=cache_dir,
                force_download=force_download,
                local_files_only=local_files_only,
            )
        )
    except EntryNotFoundError:
        return None
    except (HFValidationError, RepositoryNotFoundError) as error:
        raise FileNotFoundError(
            f"{str(folder_or_hub_id)!r} is neither a local folder nor a repository on the Hub that you can read; "
            "check the spelling, and log in with `hf auth login` when the repository is private"
        ) from error


def read_json_file(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file.

    Raises:
        ValueError: the file does not hold a JSON object.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is not valid JSON: {error}") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path} must hold a JSON object, not a {type(content).__name__}")
    return content


class PreTrainedConfig:
    """Everything that has to be known to build a model, saved beside its weights as `config.json`.

    A subclass takes its own values as keyword arguments with defaults, stores each under the same name, and passes
    the rest to this `__init__` *last*. Arguments that nobody knows become attributes as they are, so that a
    `config.json` with keys of other libraries is read and written back without loss.

    Class attributes:
        model_type: the name in the registry, and the value of the key of that name in `config.json`.
        attribute_map: other names of attributes, alias to stored name, such as `{"hidden_size": "n_embd"}`.

    Attributes:
        id2label: label of every class index; `num_labels` is its length.
        label2id: class index of every label.
        problem_type: "regression", "single_label_classification", "multi_label_classification", or `None` to
            conclude it from the labels.
        architectures: names of the classes that the saved weights belong to.
        pad_token_id, bos_token_id, eos_token_id: ids of the special tokens; several may end a text.
        decoder_start_token_id: first token of every decoder input of an encoder-decoder.
        forced_bos_token_id: token that `generate` puts first after the start token.
        forced_eos_token_id: token that `generate` puts last when the length limit is reached.
        tie_word_embeddings: whether input and output embeddings are one and the same weight.
        is_encoder_decoder: whether the model has an encoder and a decoder.
        use_cache: whether decoders return a key/value cache by default.
        output_attentions, output_hidden_states: whether a forward pass returns these by default.
        attention_implementation: "sdpa" (PyTorch's fused function) or "eager" (written out, returns attention
            probabilities). Belongs to the run, not to the model: it is never saved.
    """

    model_type: ClassVar[str] = ""
    attribute_map: ClassVar[dict[str, str]] = {}

    id2label: dict[int, str]
    label2id: dict[str, int]

    def __init__(
        self,
        *,
        num_labels: int | None = None,
        id2label: dict[int, str] | dict[str, str] | None = None,
        label2id: dict[str, int] | None = None,
        problem_type: str | None = None,
        architectures: list[str] | None = None,
        pad_token_id: int | None = None,
        bos_token_id: int | None = None,
        eos_token_id: int | list[int] | None = None,
        decoder_start_token_id: int | None = None,
        forced_bos_token_id: int | None = None,
        forced_eos_token_id: int | list[int] | None = None,
        tie_word_embeddings: bool = True,
        is_encoder_decoder: bool = False,
        use_cache: bool = True,
        output_attentions: bool = False,
        output_hidden_states: bool = False,
        attention_implementation: str = "sdpa",
        **kwargs: Any,
    ) -> None:
        if problem_type is not None and problem_type not in PROBLEM_TYPES:
            raise ValueError(f"unknown problem_type {problem_type!r}; known are: {', '.join(PROBLEM_TYPES)}")
        if attention_implementation not in ATTENTION_IMPLEMENTATIONS:
            raise ValueError(
                f"unknown attention_implementation {attention_implementation!r}; "
                f"known are: {', '.join(ATTENTION_IMPLEMENTATIONS)}"
            )
        self.problem_type = problem_type
        self.architectures = architectures
        self.pad_token_id = pad_token_id
        self.bos_token_id = bos_token_id
        self.eos_token_id = eos_token_id
        self.decoder_start_token_id = decoder_start_token_id
        self.forced_bos_token_id = forced_bos_token_id
        self.forced_eos_token_id = forced_eos_token_id
        self.tie_word_embeddings = tie_word_embeddings
        self.is_encoder_decoder = is_encoder_decoder
        self.use_cache = use_cache
        self.output_attentions = output_attentions
        self.output_hidden_states = output_hidden_states
        self.attention_implementation = attention_implementation
        self._set_labels(num_labels, id2label, label2id)
        for name, value in kwargs.items():
            setattr(self, name, value)

    def _set_labels(
        self,
        num_labels: int | None,
        id2label: dict[int, str] | dict[str, str] | None,
        label2id: dict[str, int] | None,
    ) -> None:
        if id2label is None:
            self.num_labels = 2 if num_labels is None else num_labels
        else:
            if num_labels is not None and num_labels != len(id2label):
                raise ValueError(f"num_labels is {num_labels}, but id2label names {len(id2label)} labels")
            self.id2label = {int(index): label for index, label in id2label.items()}
            self.label2id = {label: index for index, label in self.id2label.items()}
        if label2id is not None:
            self.label2id = dict(label2id)

    @property
    def num_labels(self) -> int:
        """How many labels a classification head tells apart."""
        return len(self.id2label)

    @num_labels.setter
    def num_labels(self, number: int) -> None:
        self.id2label = {index: f"LABEL_{index}" for index in range(number)}
        self.label2id = {label: index for index, label in self.id2label.items()}

    # Hidden from the type checker, so that it reports an attribute that no configuration declares.
    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            stored_name = type(self).attribute_map.get(name)
            if stored_name is None:
                raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
            return getattr(self, stored_name)

        def __setattr__(self, name: str, value: Any) -> None:
            super().__setattr__(type(self).attribute_map.get(name, name), value)

    def to_dict(self) -> dict[str, Any]:
        """Return what `config.json` holds: every attribute but the common ones that nobody changed."""
        class_defaults = vars(type(self)())
        content: dict[str, Any] = {"model_type": type(self).model_type}
        for name, value in vars(self).items():
            if name == "attention_implementation":
                continue
            if name in COMMON_DEFAULTS and value == COMMON_DEFAULTS[name] == class_defaults[name]:
                continue
            content[name] = copy.deepcopy(value)
        return content

    @classmethod
    def from_dict(cls: type[ConfigType], content: dict[str, Any], **overrides: Any) -> ConfigType:
        """Build a configuration from what `to_dict` returns; keyword arguments replace single values."""
        values = {
            cls.attribute_map.get(name, name): value
            for name, value in content.items()
            if name != "model_type" and not name.startswith("_")
        }
        if overrides.get("num_labels") is not None and "id2label" not in overrides:
            values.pop("id2label", None)
            values.pop("label2id", None)
        if "id2label" in values or "id2label" in overrides:
            # The names are the truth; a number beside them can only repeat it or be out of date.
            values.pop("num_labels", None)
        values.update({cls.attribute_map.get(name, name): value for name, value in overrides.items()})
        return cls(**values)

    def to_json_string(self) -> str:
        """Return the text of `config.json`."""
        return json.dumps(self.to_dict(), indent=2, sort_keys=True) + "\n"

    def save_pretrained(self, folder: str | Path) -> None:
        """Write `config.json` into a folder, which is made when it does not exist."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / CONFIG_FILE_NAME).write_text(self.to_json_string(), encoding="utf-8")

    @classmethod
    def from_pretrained(
        cls: type[ConfigType],
        folder_or_hub_id: str | Path,
        *,
        revision: str | None = None,
        token: str | bool | None = None,
        cache_dir: str | Path | None = None,
        force_download: bool = False,
        local_files_only: bool = False,
        **overrides: Any,
    ) -> ConfigType:
        """Read `config.json` from a folder or from a repository on the Hub; keyword arguments replace single values.

        Raises:
            FileNotFoundError: there is no such folder or repository, or it has no `config.json`.
            ValueError: the file is not a JSON object, or holds a value that the configuration refuses.
        """
        content = read_config_file(
            folder_or_hub_id,
            revision=revision,
            token=token,
            cache_dir=cache_dir,
            force_download=force_download,
            local_files_only=local_files_only,
        )
        model_type = content.get("model_type", cls.model_type)
        if model_type != cls.model_type:
            warnings.warn(
                f"{folder_or_hub_id} holds a configuration of model type {model_type!r}, read as {cls.model_type!r}",
                stacklevel=2,
            )
        return cls.from_dict(content, **overrides)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    # A configuration can be changed, so it cannot serve as a key.
    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{type(self).__name__} {self.to_json_string()}"


def read_config_file(folder_or_hub_id: str | Path, **hub_options: Any) -> dict[str, Any]:
    """Return the content of `config.json` in a folder or a repository on the Hub; for the options see `find_file`.

    Raises:
        FileNotFoundError: there is no such folder or repository, or it has no `config.json`.
        ValueError: the file is not a JSON object.
    """
    path = find_file(folder_or_hub_id, CONFIG_FILE_NAME, **hub_options)
    if path is None and Path(folder_or_hub_id).is_dir():
        raise FileNotFoundError(f"{folder_or_hub_id} has no {CONFIG_FILE_NAME}; was it made by save_pretrained?")
    if path is None:
        raise FileNotFoundError(
            f"{folder_or_hub_id} is no local folder, and no {CONFIG_FILE_NAME} of that name could be had from the Hub; "
            "check the spelling and the connection"
        )
    return read_json_file(path)

"""The class that finds the right tokenizer of a checkpoint by what its files name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from . import registry
from .auto import find_class, hub_options, import_class
from .configuration_utils import find_file, read_config_file, read_json_file

if TYPE_CHECKING:
    from .tokenization_utils import PreTrainedTokenizer


class AutoTokenizer:
    """Loads the tokenizer of any model type."""

    @classmethod
    def from_pretrained(cls, folder_or_hub_id: str | Path, **kwargs: Any) -> PreTrainedTokenizer:
        """Return the tokenizer of a folder or a Hub repository.

        The class is the one that `tokenizer_config.json` names, if the library has it; otherwise the one that belongs
        to the model type in `config.json`.

        Raises:
            FileNotFoundError: there is no such folder or repository, or it does not say which tokenizer it has.
            ValueError: no model of the library has its type, or that model has no tokenizer.
        """
        options = hub_options(kwargs)
        path = find_file(folder_or_hub_id, "tokenizer_config.json", **options)
        saved_class = str(read_json_file(path).get("tokenizer_class")) if path is not None else ""
        for model_type, class_name in registry.TOKENIZER_MAPPING_NAMES.items():
            if class_name == saved_class.removesuffix("Fast"):
                tokenizer_class = import_class(model_type, class_name)
                break
        else:
            model_type = read_config_file(folder_or_hub_id, **options).get("model_type", "")
            tokenizer_class = find_class(model_type, registry.TOKENIZER_MAPPING_NAMES, "tokenizer")
        return cast("PreTrainedTokenizer", tokenizer_class.from_pretrained(folder_or_hub_id, **kwargs))

"""Classes that find what turns images, sound, or several kinds of input into the arguments of a model."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from . import registry
from .auto import find_class, hub_options, import_class
from .configuration_utils import CONFIG_FILE_NAME, find_file, read_config_file, read_json_file


class AutoPreprocessorBase:
    """What the classes below share; each sets the class attributes.

    Class attributes:
        class_names: the registry's dictionary, model type to class name.
        purpose: what the class is, in words, for error messages.
        saved_names: files that may name the class, each with the key that does.
    """

    class_names: ClassVar[dict[str, str]] = {}
    purpose: ClassVar[str] = ""
    saved_names: ClassVar[dict[str, str]] = {}

    @classmethod
    def from_pretrained(cls, folder_or_hub_id: str | Path, **kwargs: Any) -> Any:
        """Return what a folder or a Hub repository has of this kind.

        The class is the one that its files name, if the library has it; otherwise the one that belongs to the model type
        in `config.json`, or, without such a file, one that files name alike.

        Raises:
            FileNotFoundError: there is no such folder or repository, or it does not say which class it needs.
            ValueError: no model of the library has its type, or that model has none of this kind.
        """
        options = hub_options(kwargs)
        saved_classes: set[str] = set()
        for file_name, key in cls.saved_names.items():
            path = find_file(folder_or_hub_id, file_name, **options)
            saved_class = str(read_json_file(path).get(key, "")) if path is not None else ""
            for model_type, class_name in cls.class_names.items():
                if class_name == saved_class.removesuffix("Fast"):
                    return import_class(model_type, class_name).from_pretrained(folder_or_hub_id, **kwargs)
            saved_classes.add(saved_class.removesuffix("Fast"))
        if find_file(folder_or_hub_id, CONFIG_FILE_NAME, **options) is None:
            # Files name some classes as the one that they are like, which this library need not have.
            for model_type, class_name in cls.class_names.items():
                found = import_class(model_type, class_name)
                if getattr(found, "saved_type", None) in saved_classes:
                    return found.from_pretrained(folder_or_hub_id, **kwargs)
        model_type = read_config_file(folder_or_hub_id, **options).get("model_type", "")
        return find_class(model_type, cls.class_names, cls.purpose).from_pretrained(folder_or_hub_id, **kwargs)


class AutoImageProcessor(AutoPreprocessorBase):
    """Loads the image processor of any model type."""

    class_names = registry.IMAGE_PROCESSOR_MAPPING_NAMES
    purpose = "image processor"
    saved_names = {"preprocessor_config.json": "image_processor_type"}


class AutoFeatureExtractor(AutoPreprocessorBase):
    """Loads the feature extractor of any model type."""

    class_names = registry.FEATURE_EXTRACTOR_MAPPING_NAMES
    purpose = "feature extractor"
    saved_names = {"preprocessor_config.json": "feature_extractor_type"}


class AutoProcessor(AutoPreprocessorBase):
    """Loads what holds the tokenizer and the image processor or feature extractor of any model type."""

    class_names = registry.PROCESSOR_MAPPING_NAMES
    purpose = "processor"
    saved_names = {"processor_config.json": "processor_class", "preprocessor_config.json": "processor_class"}

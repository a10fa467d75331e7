"""Classes that find the right class of a checkpoint by the `model_type` in its `config.json`."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any, ClassVar, cast

from . import registry
from .configuration_utils import PreTrainedConfig, read_config_file
from .modeling_utils import PreTrainedModel

HUB_OPTION_NAMES = ("force_download", "token", "cache_dir", "local_files_only", "revision")


def import_class(model_type: str, class_name: str) -> Any:
    """Return a class of the package of a model type."""
    # Imported on demand: a program that uses one model does not wait for the others.
    package = importlib.import_module(f".models.{model_type}", __package__)
    return getattr(package, class_name)


def find_class(model_type: str | None, names: dict[str, str], purpose: str) -> Any:
    """Return the class of a model type in one of the registry's dictionaries.

    Raises:
        ValueError: no model of the library has that type, or it has no class for this purpose.
    """
    if model_type not in registry.CONFIG_MAPPING_NAMES:
        known = ", ".join(registry.CONFIG_MAPPING_NAMES) or "none yet"
        raise ValueError(f"unknown model type {model_type!r}; known are: {known}")
    if model_type not in names:
        known = ", ".join(names) or "none yet"
        raise ValueError(f"the model type {model_type!r} has no {purpose}; model types that have one: {known}")
    return import_class(model_type, names[model_type])


def hub_options(kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments that say where files come from."""
    return {name: kwargs[name] for name in HUB_OPTION_NAMES if name in kwargs}


class AutoConfig:
    """Loads the configuration of any model type."""

    @classmethod
    def for_model(cls, model_type: str, **kwargs: Any) -> PreTrainedConfig:
        """Return a new configuration of a model type; the keyword arguments are the configuration's.

        Raises:
            ValueError: no model of the library has that type.
        """
        config_class = find_class(model_type, registry.CONFIG_MAPPING_NAMES, "configuration")
        return cast(PreTrainedConfig, config_class(**kwargs))

    @classmethod
    def from_pretrained(cls, folder_or_hub_id: str | Path, **kwargs: Any) -> PreTrainedConfig:
        """Return the configuration of a folder or a Hub repository; the arguments are `PreTrainedConfig`'s.

        Raises:
            FileNotFoundError: there is no such folder or repository, or it has no `config.json`.
            ValueError: no model of the library has its type.
        """
        content = read_config_file(folder_or_hub_id, **hub_options(kwargs))
        config_class = find_class(content.get("model_type"), registry.CONFIG_MAPPING_NAMES, "configuration")
        return cast(PreTrainedConfig, config_class.from_pretrained(folder_or_hub_id, **kwargs))


class AutoModelBase:
    """What the auto model classes share; each sets the two class attributes.

    Class attributes:
        class_names: the registry's dictionary, model type to class name.
        purpose: what the class is for, in words, for error messages.
    """

    class_names: ClassVar[dict[str, str]] = {}
    purpose: ClassVar[str] = ""

    @classmethod
    def from_config(cls, config: PreTrainedConfig) -> PreTrainedModel:
        """Return a new model with initial weights.

        Raises:
            ValueError: the configuration's model type is unknown or has no such model.
        """
        return cast(PreTrainedModel, find_class(config.model_type, cls.class_names, cls.purpose)(config))

    @classmethod
    def from_pretrained(cls, folder_or_hub_id: str | Path, **kwargs: Any) -> PreTrainedModel:
        """Return the model of a folder or a Hub repository; the arguments are `PreTrainedModel.from_pretrained`'s.

        Raises:
            FileNotFoundError: there is no such folder or repository, or files are missing from it.
            ValueError: its model type is unknown or has no such model, or the weights do not fit.
        """
        if kwargs.get("config") is not None:
            model_type = kwargs["config"].model_type
        else:
            model_type = read_config_file(folder_or_hub_id, **hub_options(kwargs)).get("model_type")
        model_class = find_class(model_type, cls.class_names, cls.purpose)
        return cast(PreTrainedModel, model_class.from_pretrained(folder_or_hub_id, **kwargs))


class AutoModel(AutoModelBase):
    """Loads the base model of any model type."""

    class_names = registry.MODEL_MAPPING_NAMES
    purpose = "base model"


class AutoModelForPreTraining(AutoModelBase):
    """Loads the model of any model type that is trained on the tasks of its publication."""

    class_names = registry.MODEL_FOR_PRETRAINING_MAPPING_NAMES
    purpose = "model for pretraining"


class AutoModelForMaskedLM(AutoModelBase):
    """Loads the model of any model type that fills in masked tokens."""

    class_names = registry.MODEL_FOR_MASKED_LM_MAPPING_NAMES
    purpose = "model for masked language modeling"


class AutoModelForCausalLM(AutoModelBase):
    """Loads the model of any model type that continues a text."""

    class_names = registry.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
    purpose = "model for causal language modeling"


class AutoModelForSeq2SeqLM(AutoModelBase):
    """Loads the model of any model type that turns one text into another."""

    class_names = registry.MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES
    purpose = "model for sequence-to-sequence language modeling"


class AutoModelForSequenceClassification(AutoModelBase):
    """Loads the model of any model type that classifies whole texts."""

    class_names = registry.MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES
    purpose = "model for sequence classification"


class AutoModelForTokenClassification(AutoModelBase):
    """Loads the model of any model type that classifies every token."""

    class_names = registry.MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING_NAMES
    purpose = "model for token classification"


class AutoModelForQuestionAnswering(AutoModelBase):
    """Loads the model of any model type that marks the answer in a text."""

    class_names = registry.MODEL_FOR_QUESTION_ANSWERING_MAPPING_NAMES
    purpose = "model for question answering"


class AutoModelForMultipleChoice(AutoModelBase):
    """Loads the model of any model type that picks one of several continuations."""

    class_names = registry.MODEL_FOR_MULTIPLE_CHOICE_MAPPING_NAMES
    purpose = "model for multiple choice"


class AutoModelForNextSentencePrediction(AutoModelBase):
    """Loads the model of any model type that judges whether one sentence follows another."""

    class_names = registry.MODEL_FOR_NEXT_SENTENCE_PREDICTION_MAPPING_NAMES
    purpose = "model for next sentence prediction"


class AutoModelForTextEncoding(AutoModelBase):
    """Loads the model of any model type that turns texts into vectors."""

    class_names = registry.MODEL_FOR_TEXT_ENCODING_MAPPING_NAMES
    purpose = "model for text encoding"


class AutoModelForImageClassification(AutoModelBase):
    """Loads the model of any model type that classifies whole images."""

    class_names = registry.MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING_NAMES
    purpose = "model for image classification"


class AutoModelForMaskedImageModeling(AutoModelBase):
    """Loads the model of any model type that fills in masked patches of images."""

    class_names = registry.MODEL_FOR_MASKED_IMAGE_MODELING_MAPPING_NAMES
    purpose = "model for masked image modeling"


class AutoModelForCausalImageModeling(AutoModelBase):
    """Loads the model of any model type that continues an image, one colour after the other."""

    class_names = registry.MODEL_FOR_CAUSAL_IMAGE_MODELING_MAPPING_NAMES
    purpose = "model for causal image modeling"


class AutoModelForObjectDetection(AutoModelBase):
    """Loads the model of any model type that finds objects in images."""

    class_names = registry.MODEL_FOR_OBJECT_DETECTION_MAPPING_NAMES
    purpose = "model for object detection"


class AutoModelForImageSegmentation(AutoModelBase):
    """Loads the model of any model type that outlines what is in images."""

    class_names = registry.MODEL_FOR_IMAGE_SEGMENTATION_MAPPING_NAMES
    purpose = "model for image segmentation"


class AutoModelForSemanticSegmentation(AutoModelBase):
    """Loads the model of any model type that classifies every pixel."""

    class_names = registry.MODEL_FOR_SEMANTIC_SEGMENTATION_MAPPING_NAMES
    purpose = "model for semantic segmentation"


class AutoBackbone(AutoModelBase):
    """Loads the model of any model type that gives its maps of an image to another model."""

    class_names = registry.MODEL_FOR_BACKBONE_MAPPING_NAMES
    purpose = "backbone"


class AutoModelForVision2Seq(AutoModelBase):
    """Loads the model of any model type that turns an image into a text."""

    class_names = registry.MODEL_FOR_VISION_2_SEQ_MAPPING_NAMES
    purpose = "model for vision-to-sequence modeling"


class AutoModelForAudioClassification(AutoModelBase):
    """Loads the model of any model type that classifies whole recordings."""

    class_names = registry.MODEL_FOR_AUDIO_CLASSIFICATION_MAPPING_NAMES
    purpose = "model for audio classification"


class AutoModelForCTC(AutoModelBase):
    """Loads the model of any model type that writes down speech, one frame after the other."""

    class_names = registry.MODEL_FOR_CTC_MAPPING_NAMES
    purpose = "model for connectionist temporal classification"


class AutoModelForSpeechSeq2Seq(AutoModelBase):
    """Loads the model of any model type that turns speech into a text."""

    class_names = registry.MODEL_FOR_SPEECH_SEQ_2_SEQ_MAPPING_NAMES
    purpose = "model for speech-to-sequence modeling"

"""A library of models in plain PyTorch: every model's whole forward pass stands in one file."""

from .auto import (
    AutoBackbone,
    AutoConfig,
    AutoModel,
    AutoModelForAudioClassification,
    AutoModelForCausalImageModeling,
    AutoModelForCausalLM,
    AutoModelForCTC,
    AutoModelForImageClassification,
    AutoModelForImageSegmentation,
    AutoModelForMaskedImageModeling,
    AutoModelForMaskedLM,
    AutoModelForMultipleChoice,
    AutoModelForNextSentencePrediction,
    AutoModelForObjectDetection,
    AutoModelForPreTraining,
    AutoModelForQuestionAnswering,
    AutoModelForSemanticSegmentation,
    AutoModelForSeq2SeqLM,
    AutoModelForSequenceClassification,
    AutoModelForSpeechSeq2Seq,
    AutoModelForTextEncoding,
    AutoModelForTokenClassification,
    AutoModelForVision2Seq,
)
from .auto_preprocessor import (
    AutoFeatureExtractor,
    AutoImageProcessor,
    AutoProcessor,
)
from .auto_tokenizer import AutoTokenizer
from .configuration_utils import PreTrainedConfig
from .modeling_utils import PreTrainedModel
from .tokenization_utils import PreTrainedTokenizer

__all__ = [
    "AutoBackbone",
    "AutoConfig",
    "AutoFeatureExtractor",
    "AutoImageProcessor",
    "AutoModel",
    "AutoModelForAudioClassification",
    "AutoModelForCTC",
    "AutoModelForCausalImageModeling",
    "AutoModelForCausalLM",
    "AutoModelForImageClassification",
    "AutoModelForImageSegmentation",
    "AutoModelForMaskedImageModeling",
    "AutoModelForMaskedLM",
    "AutoModelForMultipleChoice",
    "AutoModelForNextSentencePrediction",
    "AutoModelForObjectDetection",
    "AutoModelForPreTraining",
    "AutoModelForQuestionAnswering",
    "AutoModelForSemanticSegmentation",
    "AutoModelForSeq2SeqLM",
    "AutoModelForSequenceClassification",
    "AutoModelForSpeechSeq2Seq",
    "AutoModelForTextEncoding",
    "AutoModelForTokenClassification",
    "AutoModelForVision2Seq",
    "AutoProcessor",
    "AutoTokenizer",
    "PreTrainedConfig",
    "PreTrainedModel",
    "PreTrainedTokenizer",
]

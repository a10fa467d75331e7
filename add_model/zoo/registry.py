"""Which classes belong to which model type: the data behind the auto classes.

Every dictionary maps the `model_type` of a configuration to the name of a class in the package `models.<model_type>`.
Keys are sorted, one entry a line.
"""

CONFIG_MAPPING_NAMES: dict[str, str] = {
    "bart": "BartConfig",
    "bert": "BertConfig",
    "gpt2": "GPT2Config",
}

TOKENIZER_MAPPING_NAMES: dict[str, str] = {
    "bart": "BartTokenizer",
    "bert": "BertTokenizer",
    "gpt2": "GPT2Tokenizer",
}

IMAGE_PROCESSOR_MAPPING_NAMES: dict[str, str] = {}

FEATURE_EXTRACTOR_MAPPING_NAMES: dict[str, str] = {}

PROCESSOR_MAPPING_NAMES: dict[str, str] = {}

MODEL_MAPPING_NAMES: dict[str, str] = {
    "bart": "BartModel",
    "bert": "BertModel",
    "gpt2": "GPT2Model",
}

MODEL_FOR_PRETRAINING_MAPPING_NAMES: dict[str, str] = {}

MODEL_FOR_MASKED_LM_MAPPING_NAMES: dict[str, str] = {
    "bert": "BertForMaskedLM",
}

MODEL_FOR_CAUSAL_LM_MAPPING_NAMES: dict[str, str] = {
    "bart": "BartForCausalLM",
    "gpt2": "GPT2LMHeadModel",
}

MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES: dict[str, str] = {
    "bart": "BartForConditionalGeneration",
}

MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES: dict[str, str] = {
    "bart": "BartForSequenceClassification",
    "bert": "BertForSequenceClassification",
    "gpt2": "GPT2ForSequenceClassification",
}

MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING_NAMES: dict[str, str] = {
    "bert": "BertForTokenClassification",
    "gpt2": "GPT2ForTokenClassification",
}

MODEL_FOR_QUESTION_ANSWERING_MAPPING_NAMES: dict[str, str] = {
    "bart": "BartForQuestionAnswering",
    "bert": "BertForQuestionAnswering",
    "gpt2": "GPT2ForQuestionAnswering",
}

MODEL_FOR_MULTIPLE_CHOICE_MAPPING_NAMES: dict[str, str] = {
    "bert": "BertForMultipleChoice",
}

MODEL_FOR_NEXT_SENTENCE_PREDICTION_MAPPING_NAMES: dict[str, str] = {
    "bert": "BertForNextSentencePrediction",
}

MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING_NAMES: dict[str, str] = {}

MODEL_FOR_MASKED_IMAGE_MODELING_MAPPING_NAMES: dict[str, str] = {}

MODEL_FOR_OBJECT_DETECTION_MAPPING_NAMES: dict[str, str] = {}

MODEL_FOR_SEMANTIC_SEGMENTATION_MAPPING_NAMES: dict[str, str] = {}

MODEL_FOR_VISION_2_SEQ_MAPPING_NAMES: dict[str, str] = {}

MODEL_FOR_AUDIO_CLASSIFICATION_MAPPING_NAMES: dict[str, str] = {}

MODEL_FOR_CTC_MAPPING_NAMES: dict[str, str] = {}

MODEL_FOR_SPEECH_SEQ_2_SEQ_MAPPING_NAMES: dict[str, str] = {}

"""Which classes belong to which model type: the data behind the auto classes.

Every dictionary maps the `model_type` of a configuration to the name of a class in the package `models.<model_type>`.
Keys are sorted, one entry a line.
"""

CONFIG_MAPPING_NAMES: dict[str, str] = {
    "bart": "BartConfig",
    "bert": "BertConfig",
    "bloom": "BloomConfig",
    "gpt2": "GPT2Config",
    "gptj": "GPTJConfig",
    "opt": "OPTConfig",
}

TOKENIZER_MAPPING_NAMES: dict[str, str] = {
    "bart": "BartTokenizer",
    "bert": "BertTokenizer",
    "bloom": "BloomTokenizer",
    "gpt2": "GPT2Tokenizer",
    "gptj": "GPTJTokenizer",
    "opt": "OPTTokenizer",
}

MODEL_MAPPING_NAMES: dict[str, str] = {
    "bart": "BartModel",
    "bert": "BertModel",
    "bloom": "BloomModel",
    "gpt2": "GPT2Model",
    "gptj": "GPTJModel",
    "opt": "OPTModel",
}

MODEL_FOR_MASKED_LM_MAPPING_NAMES: dict[str, str] = {
    "bert": "BertForMaskedLM",
}

MODEL_FOR_CAUSAL_LM_MAPPING_NAMES: dict[str, str] = {
    "bart": "BartForCausalLM",
    "bloom": "BloomForCausalLM",
    "gpt2": "GPT2LMHeadModel",
    "gptj": "GPTJForCausalLM",
    "opt": "OPTForCausalLM",
}

MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES: dict[str, str] = {
    "bart": "BartForConditionalGeneration",
}

MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES: dict[str, str] = {
    "bart": "BartForSequenceClassification",
    "bert": "BertForSequenceClassification",
    "bloom": "BloomForSequenceClassification",
    "gpt2": "GPT2ForSequenceClassification",
    "gptj": "GPTJForSequenceClassification",
    "opt": "OPTForSequenceClassification",
}

MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING_NAMES: dict[str, str] = {
    "bert": "BertForTokenClassification",
    "bloom": "BloomForTokenClassification",
    "gpt2": "GPT2ForTokenClassification",
}

MODEL_FOR_QUESTION_ANSWERING_MAPPING_NAMES: dict[str, str] = {
    "bart": "BartForQuestionAnswering",
    "bert": "BertForQuestionAnswering",
    "bloom": "BloomForQuestionAnswering",
    "gpt2": "GPT2ForQuestionAnswering",
    "gptj": "GPTJForQuestionAnswering",
    "opt": "OPTForQuestionAnswering",
}

MODEL_FOR_MULTIPLE_CHOICE_MAPPING_NAMES: dict[str, str] = {
    "bert": "BertForMultipleChoice",
}

MODEL_FOR_NEXT_SENTENCE_PREDICTION_MAPPING_NAMES: dict[str, str] = {
    "bert": "BertForNextSentencePrediction",
}

"""Which classes belong to which model type: the data behind the auto classes.

Every dictionary maps the `model_type` of a configuration to the name of a class in the package `models.<model_type>`.
Keys are sorted, one entry a line.
"""

CONFIG_MAPPING_NAMES: dict[str, str] = {
    "bart": "BartConfig",
    "bert": "BertConfig",
    "gpt2": "GPT2Config",
    "pegasus": "PegasusConfig",
    "t5": "T5Config",
}

TOKENIZER_MAPPING_NAMES: dict[str, str] = {
    "bart": "BartTokenizer",
    "bert": "BertTokenizer",
    "gpt2": "GPT2Tokenizer",
    "pegasus": "PegasusTokenizer",
    "t5": "T5Tokenizer",
}

MODEL_MAPPING_NAMES: dict[str, str] = {
    "bart": "BartModel",
    "bert": "BertModel",
    "gpt2": "GPT2Model",
    "pegasus": "PegasusModel",
    "t5": "T5Model",
}

MODEL_FOR_MASKED_LM_MAPPING_NAMES: dict[str, str] = {
    "bert": "BertForMaskedLM",
}

MODEL_FOR_CAUSAL_LM_MAPPING_NAMES: dict[str, str] = {
    "bart": "BartForCausalLM",
    "gpt2": "GPT2LMHeadModel",
    "pegasus": "PegasusForCausalLM",
}

MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES: dict[str, str] = {
    "bart": "BartForConditionalGeneration",
    "pegasus": "PegasusForConditionalGeneration",
    "t5": "T5ForConditionalGeneration",
}

MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES: dict[str, str] = {
    "bart": "BartForSequenceClassification",
    "bert": "BertForSequenceClassification",
    "gpt2": "GPT2ForSequenceClassification",
    "t5": "T5ForSequenceClassification",
}

MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING_NAMES: dict[str, str] = {
    "bert": "BertForTokenClassification",
    "gpt2": "GPT2ForTokenClassification",
    "t5": "T5ForTokenClassification",
}

MODEL_FOR_QUESTION_ANSWERING_MAPPING_NAMES: dict[str, str] = {
    "bart": "BartForQuestionAnswering",
    "bert": "BertForQuestionAnswering",
    "gpt2": "GPT2ForQuestionAnswering",
    "t5": "T5ForQuestionAnswering",
}

MODEL_FOR_MULTIPLE_CHOICE_MAPPING_NAMES: dict[str, str] = {
    "bert": "BertForMultipleChoice",
}

MODEL_FOR_NEXT_SENTENCE_PREDICTION_MAPPING_NAMES: dict[str, str] = {
    "bert": "BertForNextSentencePrediction",
}

MODEL_FOR_TEXT_ENCODING_MAPPING_NAMES: dict[str, str] = {
    "t5": "T5EncoderModel",
}

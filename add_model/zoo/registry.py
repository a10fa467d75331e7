"""Which classes belong to which model type: the data behind the auto classes.

Every dictionary maps the `model_type` of a configuration to the name of a class in the package `models.<model_type>`.
Keys are sorted, one entry a line.
"""

CONFIG_MAPPING_NAMES: dict[str, str] = {
    "bart": "BartConfig",
    "bert": "BertConfig",
    "distilbert": "DistilBertConfig",
    "gpt2": "GPT2Config",
    "gptj": "GPTJConfig",
    "longformer": "LongformerConfig",
    "opt": "OPTConfig",
    "roberta": "RobertaConfig",
    "t5": "T5Config",
}

TOKENIZER_MAPPING_NAMES: dict[str, str] = {
    "bart": "BartTokenizer",
    "bert": "BertTokenizer",
    "distilbert": "DistilBertTokenizer",
    "gpt2": "GPT2Tokenizer",
    "gptj": "GPTJTokenizer",
    "longformer": "LongformerTokenizer",
    "opt": "OPTTokenizer",
    "roberta": "RobertaTokenizer",
    "t5": "T5Tokenizer",
}

MODEL_MAPPING_NAMES: dict[str, str] = {
    "bart": "BartModel",
    "bert": "BertModel",
    "distilbert": "DistilBertModel",
    "gpt2": "GPT2Model",
    "gptj": "GPTJModel",
    "longformer": "LongformerModel",
    "opt": "OPTModel",
    "roberta": "RobertaModel",
    "t5": "T5Model",
}

MODEL_FOR_MASKED_LM_MAPPING_NAMES: dict[str, str] = {
    "bert": "BertForMaskedLM",
    "distilbert": "DistilBertForMaskedLM",
    "longformer": "LongformerForMaskedLM",
    "roberta": "RobertaForMaskedLM",
}

MODEL_FOR_CAUSAL_LM_MAPPING_NAMES: dict[str, str] = {
    "bart": "BartForCausalLM",
    "gpt2": "GPT2LMHeadModel",
    "gptj": "GPTJForCausalLM",
    "opt": "OPTForCausalLM",
    "roberta": "RobertaForCausalLM",
}

MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES: dict[str, str] = {
    "bart": "BartForConditionalGeneration",
    "t5": "T5ForConditionalGeneration",
}

MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES: dict[str, str] = {
    "bart": "BartForSequenceClassification",
    "bert": "BertForSequenceClassification",
    "distilbert": "DistilBertForSequenceClassification",
    "gpt2": "GPT2ForSequenceClassification",
    "gptj": "GPTJForSequenceClassification",
    "longformer": "LongformerForSequenceClassification",
    "opt": "OPTForSequenceClassification",
    "roberta": "RobertaForSequenceClassification",
    "t5": "T5ForSequenceClassification",
}

MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING_NAMES: dict[str, str] = {
    "bert": "BertForTokenClassification",
    "distilbert": "DistilBertForTokenClassification",
    "gpt2": "GPT2ForTokenClassification",
    "longformer": "LongformerForTokenClassification",
    "roberta": "RobertaForTokenClassification",
    "t5": "T5ForTokenClassification",
}

MODEL_FOR_QUESTION_ANSWERING_MAPPING_NAMES: dict[str, str] = {
    "bart": "BartForQuestionAnswering",
    "bert": "BertForQuestionAnswering",
    "distilbert": "DistilBertForQuestionAnswering",
    "gpt2": "GPT2ForQuestionAnswering",
    "gptj": "GPTJForQuestionAnswering",
    "longformer": "LongformerForQuestionAnswering",
    "opt": "OPTForQuestionAnswering",
    "roberta": "RobertaForQuestionAnswering",
    "t5": "T5ForQuestionAnswering",
}

MODEL_FOR_MULTIPLE_CHOICE_MAPPING_NAMES: dict[str, str] = {
    "bert": "BertForMultipleChoice",
    "distilbert": "DistilBertForMultipleChoice",
    "longformer": "LongformerForMultipleChoice",
    "roberta": "RobertaForMultipleChoice",
}

MODEL_FOR_NEXT_SENTENCE_PREDICTION_MAPPING_NAMES: dict[str, str] = {
    "bert": "BertForNextSentencePrediction",
}

MODEL_FOR_TEXT_ENCODING_MAPPING_NAMES: dict[str, str] = {
    "t5": "T5EncoderModel",
}

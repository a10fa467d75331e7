"""Which classes belong to which model type: the data behind the auto classes.

Every dictionary maps the `model_type` of a configuration to the name of a class in the package `models.<model_type>`.
Keys are sorted, one entry a line.
"""

CONFIG_MAPPING_NAMES: dict[str, str] = {
    "albert": "AlbertConfig",
    "bart": "BartConfig",
    "bert": "BertConfig",
    "distilbert": "DistilBertConfig",
    "gpt2": "GPT2Config",
    "gptj": "GPTJConfig",
    "opt": "OPTConfig",
    "pegasus": "PegasusConfig",
    "roberta": "RobertaConfig",
    "t5": "T5Config",
    "xlnet": "XLNetConfig",
}

TOKENIZER_MAPPING_NAMES: dict[str, str] = {
    "albert": "AlbertTokenizer",
    "bart": "BartTokenizer",
    "bert": "BertTokenizer",
    "distilbert": "DistilBertTokenizer",
    "gpt2": "GPT2Tokenizer",
    "gptj": "GPTJTokenizer",
    "opt": "OPTTokenizer",
    "pegasus": "PegasusTokenizer",
    "roberta": "RobertaTokenizer",
    "t5": "T5Tokenizer",
    "xlnet": "XLNetTokenizer",
}

MODEL_MAPPING_NAMES: dict[str, str] = {
    "albert": "AlbertModel",
    "bart": "BartModel",
    "bert": "BertModel",
    "distilbert": "DistilBertModel",
    "gpt2": "GPT2Model",
    "gptj": "GPTJModel",
    "opt": "OPTModel",
    "pegasus": "PegasusModel",
    "roberta": "RobertaModel",
    "t5": "T5Model",
    "xlnet": "XLNetModel",
}

MODEL_FOR_PRETRAINING_MAPPING_NAMES: dict[str, str] = {
    "albert": "AlbertForPreTraining",
}

MODEL_FOR_MASKED_LM_MAPPING_NAMES: dict[str, str] = {
    "albert": "AlbertForMaskedLM",
    "bert": "BertForMaskedLM",
    "distilbert": "DistilBertForMaskedLM",
    "roberta": "RobertaForMaskedLM",
}

MODEL_FOR_CAUSAL_LM_MAPPING_NAMES: dict[str, str] = {
    "bart": "BartForCausalLM",
    "gpt2": "GPT2LMHeadModel",
    "gptj": "GPTJForCausalLM",
    "opt": "OPTForCausalLM",
    "pegasus": "PegasusForCausalLM",
    "roberta": "RobertaForCausalLM",
    "xlnet": "XLNetLMHeadModel",
}

MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES: dict[str, str] = {
    "bart": "BartForConditionalGeneration",
    "pegasus": "PegasusForConditionalGeneration",
    "t5": "T5ForConditionalGeneration",
}

MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES: dict[str, str] = {
    "albert": "AlbertForSequenceClassification",
    "bart": "BartForSequenceClassification",
    "bert": "BertForSequenceClassification",
    "distilbert": "DistilBertForSequenceClassification",
    "gpt2": "GPT2ForSequenceClassification",
    "gptj": "GPTJForSequenceClassification",
    "opt": "OPTForSequenceClassification",
    "roberta": "RobertaForSequenceClassification",
    "t5": "T5ForSequenceClassification",
    "xlnet": "XLNetForSequenceClassification",
}

MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING_NAMES: dict[str, str] = {
    "albert": "AlbertForTokenClassification",
    "bert": "BertForTokenClassification",
    "distilbert": "DistilBertForTokenClassification",
    "gpt2": "GPT2ForTokenClassification",
    "roberta": "RobertaForTokenClassification",
    "t5": "T5ForTokenClassification",
    "xlnet": "XLNetForTokenClassification",
}

MODEL_FOR_QUESTION_ANSWERING_MAPPING_NAMES: dict[str, str] = {
    "albert": "AlbertForQuestionAnswering",
    "bart": "BartForQuestionAnswering",
    "bert": "BertForQuestionAnswering",
    "distilbert": "DistilBertForQuestionAnswering",
    "gpt2": "GPT2ForQuestionAnswering",
    "gptj": "GPTJForQuestionAnswering",
    "opt": "OPTForQuestionAnswering",
    "roberta": "RobertaForQuestionAnswering",
    "t5": "T5ForQuestionAnswering",
    "xlnet": "XLNetForQuestionAnsweringSimple",
}

MODEL_FOR_MULTIPLE_CHOICE_MAPPING_NAMES: dict[str, str] = {
    "albert": "AlbertForMultipleChoice",
    "bert": "BertForMultipleChoice",
    "distilbert": "DistilBertForMultipleChoice",
    "roberta": "RobertaForMultipleChoice",
    "xlnet": "XLNetForMultipleChoice",
}

MODEL_FOR_NEXT_SENTENCE_PREDICTION_MAPPING_NAMES: dict[str, str] = {
    "bert": "BertForNextSentencePrediction",
}

MODEL_FOR_TEXT_ENCODING_MAPPING_NAMES: dict[str, str] = {
    "t5": "T5EncoderModel",
}

"""Which classes belong to which model type: the data behind the auto classes.

Every dictionary maps the `model_type` of a configuration to the name of a class in the package `models.<model_type>`.
Keys are sorted, one entry a line.
"""

CONFIG_MAPPING_NAMES: dict[str, str] = {
    "albert": "AlbertConfig",
    "bart": "BartConfig",
    "beit": "BeitConfig",
    "bert": "BertConfig",
    "bloom": "BloomConfig",
    "convnext": "ConvNextConfig",
    "deberta": "DebertaConfig",
    "decision_transformer": "DecisionTransformerConfig",
    "detr": "DetrConfig",
    "distilbert": "DistilBertConfig",
    "gpt2": "GPT2Config",
    "gptj": "GPTJConfig",
    "imagegpt": "ImageGPTConfig",
    "longformer": "LongformerConfig",
    "opt": "OPTConfig",
    "pegasus": "PegasusConfig",
    "roberta": "RobertaConfig",
    "segformer": "SegformerConfig",
    "swin": "SwinConfig",
    "t5": "T5Config",
    "vit": "ViTConfig",
    "vit_mae": "ViTMAEConfig",
    "xlnet": "XLNetConfig",
}

TOKENIZER_MAPPING_NAMES: dict[str, str] = {
    "albert": "AlbertTokenizer",
    "bart": "BartTokenizer",
    "bert": "BertTokenizer",
    "bloom": "BloomTokenizer",
    "deberta": "DebertaTokenizer",
    "distilbert": "DistilBertTokenizer",
    "gpt2": "GPT2Tokenizer",
    "gptj": "GPTJTokenizer",
    "longformer": "LongformerTokenizer",
    "opt": "OPTTokenizer",
    "pegasus": "PegasusTokenizer",
    "roberta": "RobertaTokenizer",
    "t5": "T5Tokenizer",
    "xlnet": "XLNetTokenizer",
}

IMAGE_PROCESSOR_MAPPING_NAMES: dict[str, str] = {
    "beit": "BeitImageProcessor",
    "convnext": "ConvNextImageProcessor",
    "detr": "DetrImageProcessor",
    "imagegpt": "ImageGPTImageProcessor",
    "segformer": "SegformerImageProcessor",
    "swin": "SwinImageProcessor",
    "vit": "ViTImageProcessor",
    "vit_mae": "ViTMAEImageProcessor",
}

FEATURE_EXTRACTOR_MAPPING_NAMES: dict[str, str] = {}

PROCESSOR_MAPPING_NAMES: dict[str, str] = {}

MODEL_MAPPING_NAMES: dict[str, str] = {
    "albert": "AlbertModel",
    "bart": "BartModel",
    "beit": "BeitModel",
    "bert": "BertModel",
    "bloom": "BloomModel",
    "convnext": "ConvNextModel",
    "deberta": "DebertaModel",
    "decision_transformer": "DecisionTransformerModel",
    "detr": "DetrModel",
    "distilbert": "DistilBertModel",
    "gpt2": "GPT2Model",
    "gptj": "GPTJModel",
    "imagegpt": "ImageGPTModel",
    "longformer": "LongformerModel",
    "opt": "OPTModel",
    "pegasus": "PegasusModel",
    "roberta": "RobertaModel",
    "segformer": "SegformerModel",
    "swin": "SwinModel",
    "t5": "T5Model",
    "vit": "ViTModel",
    "vit_mae": "ViTMAEModel",
    "xlnet": "XLNetModel",
}

MODEL_FOR_PRETRAINING_MAPPING_NAMES: dict[str, str] = {
    "albert": "AlbertForPreTraining",
    "vit_mae": "ViTMAEForPreTraining",
}

MODEL_FOR_MASKED_LM_MAPPING_NAMES: dict[str, str] = {
    "albert": "AlbertForMaskedLM",
    "bert": "BertForMaskedLM",
    "deberta": "DebertaForMaskedLM",
    "distilbert": "DistilBertForMaskedLM",
    "longformer": "LongformerForMaskedLM",
    "roberta": "RobertaForMaskedLM",
}

MODEL_FOR_CAUSAL_LM_MAPPING_NAMES: dict[str, str] = {
    "bart": "BartForCausalLM",
    "bloom": "BloomForCausalLM",
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
    "bloom": "BloomForSequenceClassification",
    "deberta": "DebertaForSequenceClassification",
    "distilbert": "DistilBertForSequenceClassification",
    "gpt2": "GPT2ForSequenceClassification",
    "gptj": "GPTJForSequenceClassification",
    "longformer": "LongformerForSequenceClassification",
    "opt": "OPTForSequenceClassification",
    "roberta": "RobertaForSequenceClassification",
    "t5": "T5ForSequenceClassification",
    "xlnet": "XLNetForSequenceClassification",
}

MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING_NAMES: dict[str, str] = {
    "albert": "AlbertForTokenClassification",
    "bert": "BertForTokenClassification",
    "bloom": "BloomForTokenClassification",
    "deberta": "DebertaForTokenClassification",
    "distilbert": "DistilBertForTokenClassification",
    "gpt2": "GPT2ForTokenClassification",
    "longformer": "LongformerForTokenClassification",
    "roberta": "RobertaForTokenClassification",
    "t5": "T5ForTokenClassification",
    "xlnet": "XLNetForTokenClassification",
}

MODEL_FOR_QUESTION_ANSWERING_MAPPING_NAMES: dict[str, str] = {
    "albert": "AlbertForQuestionAnswering",
    "bart": "BartForQuestionAnswering",
    "bert": "BertForQuestionAnswering",
    "bloom": "BloomForQuestionAnswering",
    "deberta": "DebertaForQuestionAnswering",
    "distilbert": "DistilBertForQuestionAnswering",
    "gpt2": "GPT2ForQuestionAnswering",
    "gptj": "GPTJForQuestionAnswering",
    "longformer": "LongformerForQuestionAnswering",
    "opt": "OPTForQuestionAnswering",
    "roberta": "RobertaForQuestionAnswering",
    "t5": "T5ForQuestionAnswering",
    "xlnet": "XLNetForQuestionAnsweringSimple",
}

MODEL_FOR_MULTIPLE_CHOICE_MAPPING_NAMES: dict[str, str] = {
    "albert": "AlbertForMultipleChoice",
    "bert": "BertForMultipleChoice",
    "distilbert": "DistilBertForMultipleChoice",
    "longformer": "LongformerForMultipleChoice",
    "roberta": "RobertaForMultipleChoice",
    "xlnet": "XLNetForMultipleChoice",
}

MODEL_FOR_NEXT_SENTENCE_PREDICTION_MAPPING_NAMES: dict[str, str] = {
    "bert": "BertForNextSentencePrediction",
}

MODEL_FOR_TEXT_ENCODING_MAPPING_NAMES: dict[str, str] = {
    "t5": "T5EncoderModel",
}

MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING_NAMES: dict[str, str] = {
    "beit": "BeitForImageClassification",
    "convnext": "ConvNextForImageClassification",
    "imagegpt": "ImageGPTForImageClassification",
    "segformer": "SegformerForImageClassification",
    "swin": "SwinForImageClassification",
    "vit": "ViTForImageClassification",
}

MODEL_FOR_MASKED_IMAGE_MODELING_MAPPING_NAMES: dict[str, str] = {
    "beit": "BeitForMaskedImageModeling",
    "swin": "SwinForMaskedImageModeling",
    "vit": "ViTForMaskedImageModeling",
}

MODEL_FOR_CAUSAL_IMAGE_MODELING_MAPPING_NAMES: dict[str, str] = {
    "imagegpt": "ImageGPTForCausalImageModeling",
}

MODEL_FOR_OBJECT_DETECTION_MAPPING_NAMES: dict[str, str] = {
    "detr": "DetrForObjectDetection",
}

MODEL_FOR_IMAGE_SEGMENTATION_MAPPING_NAMES: dict[str, str] = {
    "detr": "DetrForSegmentation",
}

MODEL_FOR_SEMANTIC_SEGMENTATION_MAPPING_NAMES: dict[str, str] = {
    "beit": "BeitForSemanticSegmentation",
    "segformer": "SegformerForSemanticSegmentation",
}

MODEL_FOR_BACKBONE_MAPPING_NAMES: dict[str, str] = {
    "convnext": "ConvNextBackbone",
    "swin": "SwinBackbone",
}

MODEL_FOR_VISION_2_SEQ_MAPPING_NAMES: dict[str, str] = {}

MODEL_FOR_AUDIO_CLASSIFICATION_MAPPING_NAMES: dict[str, str] = {}

MODEL_FOR_CTC_MAPPING_NAMES: dict[str, str] = {}

MODEL_FOR_SPEECH_SEQ_2_SEQ_MAPPING_NAMES: dict[str, str] = {}

"""What models of images return, beside what `modeling_outputs` has for all models.

Shapes are written with these names: `batch`, `channels`, `height` and `width` (of an image or of a map made of it),
`length` (patches of an image, and what is added to them), `hidden_size`, `heads`, `num_labels`. In a model whose maps
get smaller from stage to stage, sizes differ from one hidden state to the next.
"""

from dataclasses import dataclass

import torch

from .modeling_outputs import ModelOutput, TensorTuple


@dataclass(kw_only=True)
class BaseModelOutputWithNoAttention(ModelOutput):
    """Output of an encoder without attention.

    Attributes:
        last_hidden_state: output of the last stage, `(batch, channels, height, width)`.
        hidden_states: the embeddings and the output of every stage, each `(batch, channels, height, width)`.
    """

    last_hidden_state: torch.Tensor
    hidden_states: TensorTuple | None = None


@dataclass(kw_only=True)
class BaseModelOutputWithPoolingAndNoAttention(ModelOutput):
    """Output of an encoder without attention that also sums up the whole image in one vector.

    Attributes:
        last_hidden_state: output of the last stage, `(batch, channels, height, width)`.
        pooler_output: the vector of the whole image, `(batch, hidden_size)`.
        hidden_states: the embeddings and the output of every stage, each `(batch, channels, height, width)`.
    """

    last_hidden_state: torch.Tensor
    pooler_output: torch.Tensor | None = None
    hidden_states: TensorTuple | None = None


@dataclass(kw_only=True)
class BackboneOutput(ModelOutput):
    """Output of a backbone: the maps that another model goes on with.

    Attributes:
        feature_maps: the maps of the stages that `out_features` names, each `(batch, channels, height, width)`.
        hidden_states: the embeddings and the output of every stage, each `(batch, channels, height, width)` or
            `(batch, length, hidden_size)`.
        attentions: attention probabilities of every layer, each `(batch, heads, length, length)`.
    """

    feature_maps: TensorTuple
    hidden_states: TensorTuple | None = None
    attentions: TensorTuple | None = None


@dataclass(kw_only=True)
class ImageClassifierOutput(ModelOutput):
    """Output of a classifier of images.

    Attributes:
        loss: the loss, if labels were given.
        logits: scores of every class, before any softmax, `(batch, num_labels)`.
        hidden_states: the embeddings and the output of every layer, each `(batch, length, hidden_size)`, or of every
            stage, each `(batch, channels, height, width)`.
        attentions: attention probabilities of every layer, each `(batch, heads, length, length)`.
    """

    loss: torch.Tensor | None = None
    logits: torch.Tensor
    hidden_states: TensorTuple | None = None
    attentions: TensorTuple | None = None


@dataclass(kw_only=True)
class ImageClassifierOutputWithNoAttention(ModelOutput):
    """Output of a classifier of images without attention.

    Attributes:
        loss: the loss, if labels were given.
        logits: scores of every class, before any softmax, `(batch, num_labels)`.
        hidden_states: the embeddings and the output of every stage, each `(batch, channels, height, width)`.
    """

    loss: torch.Tensor | None = None
    logits: torch.Tensor
    hidden_states: TensorTuple | None = None


@dataclass(kw_only=True)
class MaskedImageModelingOutput(ModelOutput):
    """Output of a model that fills in masked patches.

    Attributes:
        loss: the difference between the masked patches and what was filled in, if a mask was given.
        reconstruction: the filled-in image, `(batch, channels, height, width)`.
        hidden_states: the embeddings and the output of every layer, each `(batch, length, hidden_size)`.
        attentions: attention probabilities of every layer, each `(batch, heads, length, length)`.
    """

    loss: torch.Tensor | None = None
    reconstruction: torch.Tensor
    hidden_states: TensorTuple | None = None
    attentions: TensorTuple | None = None


@dataclass(kw_only=True)
class SemanticSegmenterOutput(ModelOutput):
    """Output of a classifier of every pixel.

    Attributes:
        loss: the loss, if labels were given.
        logits: scores of every class, before any softmax, `(batch, num_labels, height, width)`; smaller than the
            image, in most models.
        hidden_states: the embeddings and the output of every layer, each `(batch, length, hidden_size)`, or of every
            stage, each `(batch, channels, height, width)`.
        attentions: attention probabilities of every layer, each `(batch, heads, length, length)`.
    """

    loss: torch.Tensor | None = None
    logits: torch.Tensor
    hidden_states: TensorTuple | None = None
    attentions: TensorTuple | None = None

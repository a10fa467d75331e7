"""The configuration of the DETR models."""

from __future__ import annotations

import copy
from typing import Any, ClassVar

from ...backbone_utils import aligned_stages
from ...configuration_utils import PreTrainedConfig

# The convolutional networks that published checkpoints name, by depths and kind of layer (table 1 of
# https://arxiv.org/abs/1512.03385).
RESNETS: dict[str, tuple[str, list[int]]] = {
    "resnet18": ("basic", [2, 2, 2, 2]),
    "resnet34": ("basic", [3, 4, 6, 3]),
    "resnet50": ("bottleneck", [3, 4, 6, 3]),
    "resnet101": ("bottleneck", [3, 4, 23, 3]),
    "resnet152": ("bottleneck", [3, 8, 36, 3]),
}
WIDTHS: dict[str, list[int]] = {"basic": [64, 128, 256, 512], "bottleneck": [256, 512, 1024, 2048]}
# What a backbone's configuration says where it says nothing, but for its stages: a ResNet-50.
BACKBONE_DEFAULTS: dict[str, Any] = {
    "model_type": "resnet",
    "num_channels": 3,
    "embedding_size": 64,
    "hidden_sizes": WIDTHS["bottleneck"],
    "depths": RESNETS["resnet50"][1],
    "layer_type": "bottleneck",
    "hidden_act": "relu",
    "downsample_in_first_stage": False,
    "downsample_in_bottleneck": False,
}


def named_backbone(name: str, num_channels: int, out_indices: list[int]) -> dict[str, Any]:
    """Return the configuration of a backbone that a checkpoint only names, such as `resnet50`.

    Raises:
        ValueError: no network that is built here has that name.
    """
    if name not in RESNETS:
        raise ValueError(f"unknown backbone {name!r}; known are: {', '.join(RESNETS)}")
    layer_type, depths = RESNETS[name]
    return {
        "num_channels": num_channels,
        "layer_type": layer_type,
        "depths": list(depths),
        "hidden_sizes": list(WIDTHS[layer_type]),
        "out_indices": list(out_indices),
    }


def complete_backbone(values: dict[str, Any]) -> dict[str, Any]:
    """Return a backbone's configuration with everything that it leaves unsaid.

    The maps that it returns are said by names (`out_features`), by numbers (`out_indices`) or not at all, which means
    the last stage alone; both are filled in.

    Raises:
        ValueError: it is not the configuration of a ResNet, its stages do not agree, or it names a map that is none.
    """
    complete = copy.deepcopy({**BACKBONE_DEFAULTS, **values})
    if complete["model_type"] != "resnet":
        raise ValueError(f"the backbone is a ResNet (model_type 'resnet'), not a {complete['model_type']!r}")
    if complete["layer_type"] not in WIDTHS:
        raise ValueError(f"unknown layer_type {complete['layer_type']!r}; known are: {', '.join(WIDTHS)}")
    if len(complete["depths"]) != len(complete["hidden_sizes"]):
        raise ValueError("the backbone's depths and hidden_sizes must be equally long, one value a stage")
    stage_names = ["stem", *(f"stage{number}" for number in range(1, len(complete["depths"]) + 1))]
    names, indices = aligned_stages(stage_names, complete.get("out_features"), complete.get("out_indices"))
    complete.update({"stage_names": stage_names, "out_features": names, "out_indices": indices})
    return complete


def renamed_backbone_keys() -> dict[str, str]:
    """Return regular expressions of the names that timm and torchvision give the weights of a ResNet, with ours."""
    renamed = {
        r"(backbone\.model\.)conv1\.": r"\1embedder.embedder.convolution.",
        r"(backbone\.model\.)bn1\.": r"\1embedder.embedder.normalization.",
    }
    for number in range(1, 5):
        renamed[rf"(backbone\.model\.)layer{number}\.(\d+)\."] = rf"\1encoder.stages.{number - 1}.layers.\2."
    layer = r"(encoder\.stages\.\d+\.layers\.\d+\.)"
    for number in range(1, 4):
        renamed[rf"{layer}conv{number}\."] = rf"\1layer.{number - 1}.convolution."
        renamed[rf"{layer}bn{number}\."] = rf"\1layer.{number - 1}.normalization."
    renamed[rf"{layer}downsample\.0\."] = r"\1shortcut.convolution."
    renamed[rf"{layer}downsample\.1\."] = r"\1shortcut.normalization."
    return renamed


def renamed_mask_head_keys() -> dict[str, str]:
    """Return regular expressions of the names that the original gives the weights that make masks, with ours."""
    return {
        r"bbox_attention\.([qk])_linear\.": r"bbox_attention.\1_proj.",
        r"mask_head\.out_lay\.": "mask_head.output_conv.",
        r"mask_head\.lay([12])\.": r"mask_head.conv\1.conv.",
        r"mask_head\.gn([12])\.": r"mask_head.conv\1.norm.",
        **{rf"mask_head\.adapter{n}\.": f"mask_head.fpn_stages.{n - 1}.fpn_adapter." for n in (1, 2, 3)},
        **{rf"mask_head\.lay{n}\.": f"mask_head.fpn_stages.{n - 3}.refine.conv." for n in (3, 4, 5)},
        **{rf"mask_head\.gn{n}\.": f"mask_head.fpn_stages.{n - 3}.refine.norm." for n in (3, 4, 5)},
    }


class DetrConfig(PreTrainedConfig):
    """Configuration of a DETR model; the defaults are those of facebook/detr-resnet-50.

    Args:
        backbone_config: values of the ResNet: `num_channels`, `embedding_size`, `hidden_sizes`, `depths`,
            `layer_type` ("bottleneck" or "basic"), `hidden_act`, `downsample_in_first_stage`,
            `downsample_in_bottleneck`, and which maps it returns, `out_features` ("stage1" to "stage4"). A
            configuration that names a network of the library timm (`{"model_type": "timm_backbone", "backbone":
            "resnet50"}`) is read as that of the same ResNet.
        backbone: name of the ResNet, where there is no `backbone_config`; `None` means "resnet50".
        num_channels: number of channels of an image, for a network that is only named.
        num_queries: number of object queries, the most objects that are found in an image.
        encoder_layers, decoder_layers: number of layers of the encoder and of the decoder.
        encoder_ffn_dim, decoder_ffn_dim: size of the layer inside their feed-forward networks.
        encoder_attention_heads, decoder_attention_heads: number of attention heads in each of their layers.
        encoder_layerdrop, decoder_layerdrop: read and written, and without effect, as in the published models.
        activation_function: name of the activation inside the feed-forward networks and the mask head.
        d_model: size of the hidden states; a multiple of both numbers of heads.
        dropout: dropout probability of what a sublayer adds to the residual stream.
        attention_dropout: dropout probability of the attention probabilities.
        activation_dropout: dropout probability behind the activation of the feed-forward networks.
        init_std: standard deviation of the normal distribution that new weights are drawn from.
        init_xavier_std: gain of the initial weights of the attention maps that masks are made of.
        auxiliary_loss: whether the output of every decoder layer is trained.
        position_embedding_type: "sine" for fixed two-dimensional positions, "learned" for learned ones.
        dilation: whether the last stage of the ResNet keeps the resolution and widens its convolutions instead.
        class_cost, bbox_cost, giou_cost: weights of the class, of the distance and of the overlap of boxes in the
            matching of queries and objects.
        mask_loss_coefficient, dice_loss_coefficient, bbox_loss_coefficient, giou_loss_coefficient: weights of the
            losses beside that of the class, whose weight is 1.
        eos_coefficient: weight of the class "no object" in the loss of the class.
        is_encoder_decoder: `True`.
        **kwargs: see `PreTrainedConfig`.
    """

    model_type: ClassVar[str] = "detr"
    attribute_map: ClassVar[dict[str, str]] = {
        "hidden_size": "d_model",
        "num_attention_heads": "encoder_attention_heads",
        "num_hidden_layers": "encoder_layers",
    }

    hidden_size: int
    num_attention_heads: int
    num_hidden_layers: int

    def __init__(
        self,
        *,
        backbone_config: dict[str, Any] | None = None,
        backbone: str | None = None,
        num_channels: int = 3,
        num_queries: int = 100,
        encoder_layers: int = 6,
        encoder_ffn_dim: int = 2048,
        encoder_attention_heads: int = 8,
        decoder_layers: int = 6,
        decoder_ffn_dim: int = 2048,
        decoder_attention_heads: int = 8,
        encoder_layerdrop: float = 0.0,
        decoder_layerdrop: float = 0.0,
        activation_function: str = "relu",
        d_model: int = 256,
        dropout: float = 0.1,
        attention_dropout: float = 0.0,
        activation_dropout: float = 0.0,
        init_std: float = 0.02,
        init_xavier_std: float = 1.0,
        auxiliary_loss: bool = False,
        position_embedding_type: str = "sine",
        dilation: bool = False,
        class_cost: float = 1,
        bbox_cost: float = 5,
        giou_cost: float = 2,
        mask_loss_coefficient: float = 1,
        dice_loss_coefficient: float = 1,
        bbox_loss_coefficient: float = 5,
        giou_loss_coefficient: float = 2,
        eos_coefficient: float = 0.1,
        is_encoder_decoder: bool = True,
        **kwargs: Any,
    ) -> None:
        if position_embedding_type not in ("sine", "learned"):
            raise ValueError(f"position_embedding_type is 'sine' or 'learned', not {position_embedding_type!r}")
        # Checkpoints that name a network of another library, in one of two ways, become what it is called here.
        values = dict(backbone_config or {})
        for key in ("use_timm_backbone", "use_pretrained_backbone", "backbone_kwargs"):
            kwargs.pop(key, None)
        if not values or values.get("model_type") == "timm_backbone":
            dilation = dilation or values.get("output_stride") == 16
            values = named_backbone(
                values.get("backbone") or backbone or "resnet50",
                values.get("num_channels", num_channels),
                values.get("out_indices") or [1, 2, 3, 4],
            )
        self.backbone_config = complete_backbone(values)
        if dilation and self.backbone_config["layer_type"] != "bottleneck":
            raise ValueError("dilation needs a ResNet of bottleneck layers")
        self.num_channels = num_channels
        self.num_queries = num_queries
        self.encoder_layers = encoder_layers
        self.encoder_ffn_dim = encoder_ffn_dim
        self.encoder_attention_heads = encoder_attention_heads
        self.decoder_layers = decoder_layers
        self.decoder_ffn_dim = decoder_ffn_dim
        self.decoder_attention_heads = decoder_attention_heads
        self.encoder_layerdrop = encoder_layerdrop
        self.decoder_layerdrop = decoder_layerdrop
        self.activation_function = activation_function
        self.d_model = d_model
        self.dropout = dropout
        self.attention_dropout = attention_dropout
        self.activation_dropout = activation_dropout
        self.init_std = init_std
        self.init_xavier_std = init_xavier_std
        self.auxiliary_loss = auxiliary_loss
        self.position_embedding_type = position_embedding_type
        self.dilation = dilation
        self.class_cost = class_cost
        self.bbox_cost = bbox_cost
        self.giou_cost = giou_cost
        self.mask_loss_coefficient = mask_loss_coefficient
        self.dice_loss_coefficient = dice_loss_coefficient
        self.bbox_loss_coefficient = bbox_loss_coefficient
        self.giou_loss_coefficient = giou_loss_coefficient
        self.eos_coefficient = eos_coefficient
        super().__init__(is_encoder_decoder=is_encoder_decoder, **kwargs)

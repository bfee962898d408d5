"""What the modules of open models hand to export.py."""

from dataclasses import dataclass, field

import numpy as np
import onnx
import torch
from torch import nn


@dataclass
class Example:
    """A model, example inputs by name, the names of its outputs, and the names of the dimensions that may vary."""

    module: nn.Module
    inputs: dict[str, torch.Tensor]
    outputs: list[str]
    dynamic: dict[str, dict[int, str]] = field(default_factory=dict)
    atol: float = 1e-4


@dataclass
class Ready:
    """A model that is ONNX already, example inputs by name, and what its outputs should be."""

    model: onnx.ModelProto
    inputs: dict[str, np.ndarray]
    expected: list[np.ndarray]
    atol: float = 1e-4


def image_model(module: nn.Module, channels: int = 3, size: int = 224, batch: int = 1) -> Example:
    image = torch.rand(batch, channels, size, size) * 2 - 1
    return Example(module, {"image": image}, ["logits"], {"image": {0: "batch"}})

"""A one-stage detector of objects in the manner of YOLOv8, with and without the choice of boxes in the graph."""

import torch
from torch import nn
from torch.nn import functional as F

from example import Example


class ConvUnit(nn.Sequential):
    def __init__(self, inputs: int, outputs: int, size: int = 3, stride: int = 1):
        super().__init__(
            nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False), nn.BatchNorm2d(outputs), nn.SiLU())


class SplitStage(nn.Module):
    """Half of the channels pass residual blocks one after the other; all intermediate results are joined."""

    def __init__(self, width: int, blocks: int):
        super().__init__()
        half = width // 2
        self.enter = ConvUnit(width, width, 1)
        self.blocks = nn.ModuleList(nn.Sequential(ConvUnit(half, half), ConvUnit(half, half)) for _ in range(blocks))
        self.leave = ConvUnit((blocks + 2) * half, width, 1)

    def forward(self, x):
        parts = list(self.enter(x).chunk(2, 1))
        for block in self.blocks:
            parts.append(parts[-1] + block(parts[-1]))
        return self.leave(torch.cat(parts, 1))


class Detector(nn.Module):
    """Images to boxes (left, top, right, bottom) and scores per class at every place of three grids."""

    strides = (8, 16, 32)

    def __init__(self, classes: int = 12, width: int = 16):
        super().__init__()
        self.classes = classes
        stages = [(3, width, 0), (width, 2 * width, 1), (2 * width, 4 * width, 2), (4 * width, 8 * width, 2),
                  (8 * width, 8 * width, 1)]
        self.stages = nn.ModuleList(
            nn.Sequential(ConvUnit(i, o, 3, 2), SplitStage(o, n) if n else nn.Identity()) for i, o, n in stages)
        self.pyramid = ConvUnit(32 * width, 8 * width, 1)
        self.narrow = nn.ModuleList([ConvUnit(16 * width, 4 * width, 1), ConvUnit(8 * width, 4 * width, 1)])
        self.heads = nn.ModuleList(nn.Conv2d(w * width, 4 + classes, 1) for w in (4, 4, 8))
        for head in self.heads:
            nn.init.normal_(head.weight, std=0.06)  # scores that differ, so that no rounding decides between boxes

    def forward(self, images):
        maps, x = [], images
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        fine, middle, coarse = maps[-3:]
        pooled = [coarse]
        for _ in range(3):
            pooled.append(F.max_pool2d(pooled[-1], 5, 1, 2))
        coarse = self.pyramid(torch.cat(pooled, 1))
        middle = self.narrow[0](torch.cat([F.interpolate(coarse, scale_factor=2.0, mode="nearest"), middle], 1))
        fine = self.narrow[1](torch.cat([F.interpolate(middle, scale_factor=2.0, mode="nearest"), fine], 1))
        boxes, scores = [], []
        for level, head, stride in zip((fine, middle, coarse), self.heads, self.strides):
            raw = head(level)
            rows, columns = torch.meshgrid(torch.arange(raw.shape[2]), torch.arange(raw.shape[3]), indexing="ij")
            grid = torch.stack([columns, rows]).reshape(1, 2, -1) + 0.5
            raw = raw.flatten(2)
            center = (grid + raw[:, :2].tanh()) * stride
            half = raw[:, 2:4].sigmoid() * stride * 3
            boxes.append(torch.cat([center - half, center + half], 1))
            scores.append(raw[:, 4:].sigmoid())
        return torch.cat(boxes, 2).transpose(1, 2), torch.cat(scores, 2)


class ChosenBoxes(nn.Module):
    """The detector's 100 best boxes of one image, without those that a better one of the same class overlaps."""

    def __init__(self, detector: Detector):
        super().__init__()
        self.detector = detector

    def forward(self, images):
        import torchvision

        boxes, scores = self.detector(images)
        best, labels = scores[0].max(0)
        best, places = torch.topk(best, 100)
        boxes, labels = boxes[0][places], labels[places]
        apart = boxes + labels[:, None] * 4096.0  # boxes of two classes never overlap
        kept = torchvision.ops.nms(apart, best, 0.5)
        return boxes[kept], best[kept], labels[kept]


def detector() -> Example:
    inputs = {"images": torch.rand(1, 3, 256, 256) * 2 - 1}
    # Sides of boxes are differences of numbers in the hundreds.
    return Example(Detector(), inputs, ["boxes", "scores"], {"images": {0: "batch"}}, atol=1e-2)


def detector_nms() -> Example:
    inputs = {"images": torch.rand(1, 3, 256, 256) * 2 - 1}
    return Example(ChosenBoxes(Detector()), inputs, ["boxes", "scores", "labels"], atol=1e-2)

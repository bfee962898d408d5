"""make-parity-cases.py FOLDER [--small]: writes, for each network of Tests/FXTraceTests/Models, the weights of the same
network in PyTorch and what it answers, as FOLDER/NAME/{weights,values}.safetensors. The metadata of the weights hold the
network's sizes; values are RUN.input.NAME and RUN.output.NAME. Beside them FOLDER/functions.safetensors has operands and
what functions of PyTorch make of them, FOLDER/layers.safetensors layers with weights, inputs and outputs."""

import pathlib
import sys

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn


class BasicBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = None
        if stride != 1:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet18(nn.Module):
    def __init__(self, width, classes):
        super().__init__()
        stage = lambda i, o, s: nn.Sequential(BasicBlock(i, o, s), BasicBlock(o, o, 1))
        self.conv1 = nn.Conv2d(3, width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        self.layer1, self.layer2 = stage(width, width, 1), stage(width, 2 * width, 2)
        self.layer3, self.layer4 = stage(2 * width, 4 * width, 2), stage(4 * width, 8 * width, 2)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(8 * width, classes)

    def forward(self, x):
        x = self.maxpool(F.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return {"scores": self.fc(torch.flatten(self.avgpool(x), 1))}


class VisionTransformer(nn.Module):
    def __init__(self, image, patch, width, depth, heads, classes):
        super().__init__()
        self.patches = nn.Conv2d(3, width, patch, patch)
        self.token = nn.Parameter(torch.randn(1, 1, width))
        self.positions = nn.Parameter(torch.randn(1, (image // patch) ** 2 + 1, width) * 0.02)
        layer = nn.TransformerEncoderLayer(width, heads, 4 * width, activation="gelu", batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, depth, nn.LayerNorm(width), enable_nested_tensor=False)
        self.head = nn.Linear(width, classes)

    def forward(self, x):
        x = self.patches(x).flatten(2).permute(0, 2, 1)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1) + self.positions
        return {"scores": self.head(self.encoder(x)[:, 0])}


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.qkv, self.output = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x, mask, past):
        q, k, v = (part.unflatten(2, (self.heads, -1)).permute(0, 2, 1, 3) for part in self.qkv(x).chunk(3, 2))
        k, v = torch.cat([past[0], k], 2), torch.cat([past[1], v], 2)
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        return self.output(mixed.permute(0, 2, 1, 3).flatten(2)), (k, v)


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.norm1, self.attention = nn.LayerNorm(width), Attention(width, heads)
        self.norm2, self.expand, self.contract = nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x, mask, past):
        attended, cache = self.attention(self.norm1(x), mask, past)
        x = x + attended
        return x + self.contract(F.gelu(self.expand(self.norm2(x)), approximate="tanh")), cache


class GPT2(nn.Module):
    def __init__(self, vocabulary, context, width, depth, heads):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(vocabulary, width), nn.Embedding(context, width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(width)

    def forward(self, ids, past):
        start, length = past[0][0].shape[2], ids.shape[1]
        own = torch.arange(start, start + length)
        mask = torch.arange(start + length)[None] <= own[:, None]
        x = self.tokens(ids) + self.positions(own)
        present = []
        for block, cache in zip(self.blocks, past):
            x, cache = block(x, mask, cache)
            present.append(cache)
        return F.linear(self.norm(x), self.tokens.weight), present


class LSTMClassifier(nn.Module):
    def __init__(self, vocabulary, width, hidden, classes):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width)
        self.lstm = nn.LSTM(width, hidden, 2, batch_first=True, bidirectional=True)
        self.classifier = nn.Linear(2 * hidden, classes)

    def forward(self, words):
        states, (last, _) = self.lstm(self.embedding(words))
        return {"scores": self.classifier(torch.cat([last[-2], last[-1]], 1)), "states": states}


class ConvolutionPair(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU())

    def forward(self, x):
        return self.layers(x)


class UNet(nn.Module):
    def __init__(self, widths, classes):
        super().__init__()
        climbs = list(zip(widths[1:], widths))[::-1]
        self.down = nn.ModuleList(ConvolutionPair(i, o) for i, o in zip([3] + widths, widths[:-1]))
        self.bottom = ConvolutionPair(widths[-2], widths[-1])
        self.up = nn.ModuleList(nn.ConvTranspose2d(i, o, 2, 2) for i, o in climbs)
        self.merge = nn.ModuleList(ConvolutionPair(2 * o, o) for _, o in climbs)
        self.output = nn.Conv2d(widths[0], classes, 1)

    def forward(self, x):
        skipped = []
        for layer in self.down:
            x = layer(x)
            skipped.append(x)
            x = F.max_pool2d(x, 2)
        x = self.bottom(x)
        for skip, up, merge in zip(skipped[::-1], self.up, self.merge):
            x = merge(torch.cat([skip, up(x)], 1))
        return {"scores": self.output(x)}


class Expert(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.gate, self.up = nn.Linear(width, hidden, bias=False), nn.Linear(width, hidden, bias=False)
        self.down = nn.Linear(hidden, width, bias=False)

    def forward(self, x):
        return self.down(F.silu(self.gate(x)) * self.up(x))


class MixtureOfExperts(nn.Module):
    def __init__(self, width, hidden, experts, chosen):
        super().__init__()
        self.norm, self.router = nn.RMSNorm(width), nn.Linear(width, experts, bias=False)
        self.experts = nn.ModuleList(Expert(width, hidden) for _ in range(experts))
        self.chosen = chosen

    def forward(self, x):
        y = self.norm(x)
        values, indices = F.softmax(self.router(y), -1).topk(self.chosen)
        values = values / values.sum(-1, keepdim=True)
        mixed = x
        for index, expert in enumerate(self.experts):
            share = (values * (indices == index)).sum(-1, keepdim=True)
            mixed = mixed + share * expert(y)
        return {"output": mixed, "experts": indices}


def settle(model):
    """Statistics and weights that a mistake in their use would show."""
    for name, tensor in model.state_dict().items():
        if name.endswith("running_var"):
            tensor.uniform_(0.5, 2)
        elif name.endswith("running_mean") or name.endswith("bias") or name.endswith("in_proj_bias"):
            tensor.normal_(0, 0.3)
        elif tensor.dim() == 1 and tensor.is_floating_point():
            tensor.uniform_(0.5, 1.5)
    return model.eval()


def write(folder, name, model, sizes, runs):
    folder = folder / name
    folder.mkdir(parents=True, exist_ok=True)
    metadata = {key: ",".join(map(str, value)) if isinstance(value, list) else str(value) for key, value in sizes.items()}
    contiguous = lambda tensors: {key: value.detach().clone().contiguous() for key, value in tensors.items()}
    save_file(contiguous(model.state_dict()), folder / "weights.safetensors", metadata)
    values = {}
    for index, (inputs, outputs) in enumerate(runs):
        values |= {f"{index}.input.{key}": value for key, value in inputs.items()}
        values |= {f"{index}.output.{key}": value for key, value in outputs.items()}
    save_file(contiguous(values), folder / "values.safetensors")
    print(f"{name}: {sum(file.stat().st_size for file in folder.iterdir()) // 1024} KiB")


def functions():
    """Operands (under `in.`) and results of functions, under the names of Tests/FXTraceTests/FunctionParityTests."""
    a, b = torch.randn(2, 3, 4), torch.randn(2, 3, 4)
    positive, unit = torch.rand(2, 3, 4) * 3 + 0.1, torch.rand(2, 3, 4) * 0.98 + 0.01
    image, whole = torch.randn(2, 4, 6, 7), torch.randint(-9, 9, (2, 3, 4))
    scores, classes = torch.randn(4, 5), torch.tensor([1, 4, -100, 0])
    matrix, kernel = torch.randn(4, 4), torch.randn(6, 2, 3, 3)
    query, key, value = torch.randn(2, 4, 3, 8), torch.randn(2, 4, 5, 8), torch.randn(2, 4, 5, 6)
    index = torch.randint(3, (2, 2, 4))
    operands = dict(a=a, b=b, positive=positive, unit=unit, image=image, whole=whole, scores=scores, classes=classes,
                    matrix=matrix, kernel=kernel, query=query, key=key, value=value, index=index)
    weight, target = torch.tensor([0.5, 1, 2, 0.25, 3]), torch.softmax(torch.randn(4, 5), 1)
    operands |= dict(weight=weight, target=target)
    results = {}
    for name in "tan sinh cosh atan erfc trunc frac square exp2 expm1".split():
        results[name] = getattr(torch, name)(a)
    for name in "log2 log10 log1p rsqrt acosh".split():
        results[name] = getattr(torch, name)(positive + 1)
    for name in "asin acos atanh logit".split():
        results[name] = getattr(torch, name)(unit)
    results |= {
        "remainder": torch.remainder(a, b), "fmod": torch.fmod(a, b), "remainderInt": torch.remainder(whole, 4),
        "floorDivide": torch.floor_divide(a, b), "floorDivideInt": torch.floor_divide(whole, 4), "atan2": torch.atan2(a, b),
        "hypot": torch.hypot(a, b), "lerp": torch.lerp(a, b, 0.3), "addcmul": torch.addcmul(a, b, positive, value=0.5),
        "addcdiv": torch.addcdiv(a, b, positive, value=0.5), "clamp": torch.clamp(a, min=-0.5),
        "logSigmoid": F.logsigmoid(a), "softsign": F.softsign(a), "celu": F.celu(a, 0.7), "relu6": F.relu6(4 * a),
        "hardTanh": F.hardtanh(a, -0.5, 0.7), "hardSigmoid": F.hardsigmoid(a), "hardSwish": F.hardswish(a),
        "prelu": F.prelu(a, torch.tensor([0.1, 0.2, 0.3])), "threshold": F.threshold(a, 0.1, -3), "glu": F.glu(a, -1),
        "softShrink": F.softshrink(a, 0.3), "hardShrink": F.hardshrink(a, 0.3), "tanhShrink": F.tanhshrink(a),
        "softmin": F.softmin(a, 1), "mish": F.mish(a), "selu": F.selu(a), "elu": F.elu(a, 0.6), "softplus": F.softplus(a),
        "variance": a.var((1, 2)), "standardDeviation": a.std(0, keepdim=True), "norm3": a.norm(3, 1), "normInf": a.norm(float("inf"), 2),
        "normalize": F.normalize(a, dim=2), "maxValues": a.max(1)[0], "maxIndices": a.max(1)[1], "argmax": a.argmax(),
        "cumsum": a.cumsum(1), "cumprod": a.cumprod(2), "topK": a.topk(2, 1)[0], "sort": a.sort(2, descending=True)[0],
        "argsort": a.argsort(1), "countNonzero": (whole != 0).sum(), "logSumExp": a.logsumexp(2),
        "addmm": torch.addmm(weight[:4], matrix, matrix, beta=0.5, alpha=2), "outer": torch.outer(weight, weight),
        "tril": matrix.tril(1), "triu": matrix.triu(), "det": torch.linalg.det(matrix), "cosine": F.cosine_similarity(a, b, 1),
        "einsum": torch.einsum("bij,bkj->bik", a, b),
        "stack": torch.stack([a, b], 1), "moveAxis": a.movedim(0, 2), "flatten": image.flatten(1, 2),
        "unflatten": image.unflatten(1, (2, 2)), "tile": a.repeat(1, 2, 1), "repeatInterleave": a.repeat_interleave(2, 1),
        "chunk": image.chunk(4, 3)[3], "flip": a.flip(0, 2), "roll": a.roll(1, 2), "padConstant": F.pad(a, (1, 2, -1, 0), value=7),
        "padReflect": F.pad(image, (1, 2, 2, 1), mode="reflect"), "padReplicate": F.pad(image, (1, 2, 2, 1), mode="replicate"),
        "padCircular": F.pad(image, (1, 2, 2, 1), mode="circular"), "pixelShuffle": F.pixel_shuffle(image, 2),
        "pixelUnshuffle": F.pixel_unshuffle(image[..., :6], 2),
        "gatherElements": a.gather(1, index), "scatter": a.scatter(1, index[:, :1], 9.0),
        "scatterAdd": a.scatter_add(1, index, b[:, :2]), "oneHot": F.one_hot(index, 3).float(),
        "maskedFill": a.masked_fill(a > 0, 5.0), "maskedSelect": a[a > 0], "nonzero": (a > 0.5).nonzero(),
        "slice": image[:, 1:3, ::2, -3:], "sliceMixed": image[0, ..., 1:5], "sliceNew": a[:, None, 1, 1:-1],
        "sliceReversed": a.flip(1), "sliceTaken": image[:, [3, 0], 2:4],
        "conv": F.conv2d(image, kernel, padding=(1, 2), stride=2, groups=2),
        "convTranspose": F.conv_transpose2d(image, kernel[:4], stride=2, padding=1, output_padding=1, groups=2),
        "maxPool": F.max_pool2d(image, 3, 2, 1, dilation=2, ceil_mode=True), "averagePool": F.avg_pool2d(image, 3, 2, 1, ceil_mode=True),
        "adaptiveAverage": F.adaptive_avg_pool2d(image, (4, 3)), "adaptiveMax": F.adaptive_max_pool2d(image, (3, 7)),
        "adaptiveEven": F.adaptive_avg_pool2d(image, (3, 7)), "lpPool": F.lp_pool2d(image, 2, 2),
        "nearest": F.interpolate(image, (9, 5), mode="nearest"), "nearestExact": F.interpolate(image, (9, 5), mode="nearest-exact"),
        "bilinear": F.interpolate(image, scale_factor=1.5, mode="bilinear"),
        "bilinearAligned": F.interpolate(image, (9, 5), mode="bilinear", align_corners=True),
        "bicubic": F.interpolate(image, (9, 11), mode="bicubic"),
        "attention": F.scaled_dot_product_attention(query, key, value, attn_mask=key[:1, :1, :, :3].transpose(-1, -2)),
        "attentionCausal": F.scaled_dot_product_attention(query, key[:, :, :3], value[:, :, :3], is_causal=True, scale=0.2),
        "mse": F.mse_loss(a, b), "l1": F.l1_loss(a, b, reduction="sum"), "smoothL1": F.smooth_l1_loss(a, b, beta=0.7),
        "huber": F.huber_loss(a, b, delta=0.6, reduction="none"),
        "crossEntropy": F.cross_entropy(scores, classes), "crossEntropyWeighted": F.cross_entropy(scores, classes, weight),
        "crossEntropySmooth": F.cross_entropy(scores, classes, label_smoothing=0.2),
        "crossEntropyProbabilities": F.cross_entropy(scores, target), "nll": F.nll_loss(F.log_softmax(scores, 1), classes, weight),
        "bce": F.binary_cross_entropy(unit, unit.flip(0)), "bceLogits": F.binary_cross_entropy_with_logits(a, unit, pos_weight=torch.tensor(2.5)),
        "kl": F.kl_div(F.log_softmax(scores, 1), target, reduction="sum"), "localResponse": F.local_response_norm(image, 3),
    }
    return {f"in.{name}": tensor for name, tensor in operands.items()} | results


def layers(folder):
    """Layers with their weights, inputs and outputs, under the names of Tests/FXTraceTests/LayerParityTests."""
    image, line, volume = torch.randn(2, 4, 6, 7), torch.randn(2, 4, 9), torch.randn(1, 4, 4, 5, 6)
    words, causal = torch.randn(3, 2, 8), torch.nn.Transformer.generate_square_subsequent_mask(3)
    padding = torch.tensor([[False, False, True], [False, False, False]])
    plain = {
        "conv1d": (nn.Conv1d(4, 6, 3, 2, 1, dilation=2), line), "conv3d": (nn.Conv3d(4, 2, (1, 2, 3), bias=False), volume),
        "convCircular": (nn.Conv2d(4, 3, 3, padding=1, padding_mode="circular"), image),
        "convTranspose1d": (nn.ConvTranspose1d(4, 2, 3, 2, output_padding=1), line),
        "convTranspose2d": (nn.ConvTranspose2d(4, 6, 3, 2, 1, groups=2), image),
        "convTranspose3d": (nn.ConvTranspose3d(4, 2, 2, 2), volume),
        "batchNorm1d": (nn.BatchNorm1d(4), line), "batchNorm3d": (nn.BatchNorm3d(4, affine=False), volume),
        "groupNorm": (nn.GroupNorm(2, 4), image), "instanceNorm": (nn.InstanceNorm2d(4), image),
        "instanceNormAffine": (nn.InstanceNorm1d(4, affine=True), line), "layerNorm": (nn.LayerNorm([6, 7]), image),
        "rmsNorm": (nn.RMSNorm(7), image), "prelu": (nn.PReLU(4), image),
        "maxPool1d": (nn.MaxPool1d(3, 2), line), "maxPool3d": (nn.MaxPool3d(2), volume), "avgPool3d": (nn.AvgPool3d(2, 1), volume),
        "adaptiveAvgPool1d": (nn.AdaptiveAvgPool1d(4), line), "adaptiveMaxPool3d": (nn.AdaptiveMaxPool3d(2), volume),
        "upsample": (nn.Upsample(scale_factor=2, mode="bilinear"), image),
        "lstm": (nn.LSTM(8, 5, 2), words), "gru": (nn.GRU(8, 5, 2, bidirectional=True), words),
        "rnn": (nn.RNN(8, 5, nonlinearity="relu", bias=False), words),
        "encoderLayer": (nn.TransformerEncoderLayer(8, 2, 16), words),
    }
    tensors = {}

    def add(name, layer, inputs, call):
        settle(layer)
        outputs = call(layer)
        flat = lambda value: [tensor for part in value for tensor in flat(part)] if isinstance(value, tuple) else [value]
        tensors.update({f"{name}.weights.{key}": value for key, value in layer.state_dict().items()})
        tensors.update({f"{name}.input.{index}": value for index, value in enumerate(inputs)})
        tensors.update({f"{name}.output.{index}": value for index, value in enumerate(flat(outputs))})

    for name, (layer, x) in plain.items():
        add(name, layer, [x], lambda layer: layer(x))
    state = (torch.randn(2, 2, 5), torch.randn(2, 2, 5))
    add("lstmState", nn.LSTM(8, 5, bidirectional=True, bias=False, batch_first=True), [words.transpose(0, 1), *state],
        lambda layer: layer(words.transpose(0, 1), state))
    memory = torch.randn(5, 2, 8)
    add("attentionCross", nn.MultiheadAttention(8, 2), [words, memory], lambda layer: layer(words, memory, memory, need_weights=False)[0])
    add("attentionWidths", nn.MultiheadAttention(8, 2, kdim=6, vdim=4, batch_first=True), [words, memory[:, :, :6], memory[:, :, :4]],
        lambda layer: layer(words.transpose(0, 1), memory[..., :6].transpose(0, 1), memory[..., :4].transpose(0, 1), need_weights=False)[0])
    add("attentionMasked", nn.MultiheadAttention(8, 2), [words, padding, causal != 0],
        lambda layer: layer(words, words, words, key_padding_mask=padding, attn_mask=causal != 0, need_weights=False)[0])
    save_file({name: value.detach().clone().contiguous() for name, value in tensors.items()}, folder / "layers.safetensors")


@torch.no_grad()
def main():
    folder, small = pathlib.Path(sys.argv[1]), "--small" in sys.argv
    torch.manual_seed(0)

    def plain(name, kind, sizes, inputs):
        model = settle(kind(**sizes))
        write(folder, name, model, sizes, [({"x": x}, model(x)) for x in inputs])

    folder.mkdir(parents=True, exist_ok=True)
    save_file({name: value.clone().contiguous() for name, value in functions().items()}, folder / "functions.safetensors")
    layers(folder)

    side = 32 if small else 96
    plain("resnet18", ResNet18, dict(width=2 if small else 16, classes=10),
          [torch.randn(2, 3, side, side), torch.randn(1, 3, side + 9, side)])
    plain("vit", VisionTransformer,
          dict(image=16 if small else 64, patch=4 if small else 8, width=8 if small else 64, depth=2, heads=2, classes=5),
          [torch.randn(n, 3, *([16, 16] if small else [64, 64])) for n in (2, 1)])
    plain("lstm", LSTMClassifier, dict(vocabulary=20, width=6 if small else 64, hidden=5 if small else 96, classes=3),
          [torch.randint(20, (2, 7)), torch.randint(20, (3, 1))])
    plain("unet", UNet, dict(widths=[2, 4, 6] if small else [16, 32, 64], classes=2),
          [torch.randn(1, 3, 16, 16) if small else torch.randn(1, 3, 64, 64), torch.randn(2, 3, 8, 12)])
    plain("moe", MixtureOfExperts, dict(width=8 if small else 64, hidden=12 if small else 96, experts=4, chosen=2),
          [torch.randn(n, 8 if small else 64) for n in (9, 1)])

    sizes = dict(vocabulary=30, context=16, width=8 if small else 64, depth=2, heads=2)
    model = settle(GPT2(**sizes))
    past = [(torch.zeros(2, 2, 0, sizes["width"] // 2),) * 2 for _ in range(2)]
    runs = []
    for length in (5, 1, 3):
        ids = torch.randint(30, (2, length))
        logits, present = model(ids, past)
        named = lambda name, caches: {
            f"{name}.{i}.{part}": tensor for i, cache in enumerate(caches) for part, tensor in zip(("key", "value"), cache)}
        runs.append(({"ids": ids} | named("past", past), {"logits": logits} | named("present", present)))
        past = present
    write(folder, "gpt2", model, sizes, runs)


if __name__ == "__main__":
    main()

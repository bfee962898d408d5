"""The open models that we measure and compare with: architectures of torchvision and transformers, models of
scikit-learn, and a few of our own, with random weights from a seed. Each function returns an Example, or a Ready for what
no exporter of PyTorch writes; its name is the model's."""

import torch
from torch import nn

import classical
import control_flow
import detection
import sequences
from example import Example, image_model


def torchvision_model(name: str) -> Example:
    import torchvision

    return image_model(getattr(torchvision.models, name)(weights=None))


def mlp_mnist() -> Example:
    layers = [nn.Flatten(), nn.Linear(784, 512), nn.ReLU(), nn.Dropout(0.2), nn.Linear(512, 256), nn.ReLU(), nn.Linear(256, 10)]
    return image_model(nn.Sequential(*layers), channels=1, size=28, batch=4)


def lenet() -> Example:
    layers = [
        nn.Conv2d(1, 6, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.Tanh(), nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, 10), nn.LogSoftmax(1)]
    return image_model(nn.Sequential(*layers), channels=1, size=28, batch=4)


def resnet18() -> Example:
    return torchvision_model("resnet18")


def resnet50() -> Example:
    return torchvision_model("resnet50")


def mobilenet_v2() -> Example:
    return torchvision_model("mobilenet_v2")


def mobilenet_v3_small() -> Example:
    return torchvision_model("mobilenet_v3_small")


def convnext_tiny() -> Example:
    return torchvision_model("convnext_tiny")


def squeezenet1_1() -> Example:
    return torchvision_model("squeezenet1_1")


def efficientnet_b0() -> Example:
    return torchvision_model("efficientnet_b0")


def vit_b_16() -> Example:
    return torchvision_model("vit_b_16")


def deit_tiny() -> Example:
    from torchvision.models.vision_transformer import VisionTransformer

    return image_model(VisionTransformer(224, 16, num_layers=12, num_heads=3, hidden_dim=192, mlp_dim=768))


class BertOutputs(nn.Module):
    """BERT with its inputs by position and a tuple of tensors as its result."""

    def __init__(self, bert: nn.Module):
        super().__init__()
        self.bert = bert

    def forward(self, input_ids, attention_mask, token_type_ids):
        result = self.bert(input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids)
        return result.last_hidden_state, result.pooler_output


def bert(layers: int, hidden: int, heads: int, length: int = 128) -> Example:
    import transformers

    config = transformers.BertConfig(
        num_hidden_layers=layers, hidden_size=hidden, num_attention_heads=heads, intermediate_size=4 * hidden)
    inputs = {
        "input_ids": torch.randint(0, config.vocab_size, (2, length)),
        "attention_mask": torch.ones(2, length, dtype=torch.long),
        "token_type_ids": torch.zeros(2, length, dtype=torch.long),
    }
    inputs["attention_mask"][1, length * 3 // 4:] = 0  # the second sentence is shorter
    inputs["token_type_ids"][:, length // 2:] = 1
    dynamic = {name: {0: "batch", 1: "sequence"} for name in inputs}
    return Example(BertOutputs(transformers.BertModel(config)), inputs, ["last_hidden_state", "pooler_output"], dynamic)


def bert_mini() -> Example:
    return bert(layers=4, hidden=256, heads=4)


def bert_base() -> Example:
    return bert(layers=12, hidden=768, heads=12)


def minilm_l6_arch() -> Example:
    return bert(layers=6, hidden=384, heads=12)


class Logits(nn.Module):
    """A language model without cache: token ids and their mask to the logits."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model

    def forward(self, input_ids, attention_mask):
        return self.model(input_ids=input_ids, attention_mask=attention_mask, use_cache=False).logits


def language_model(model: nn.Module, length: int) -> Example:
    inputs = {
        "input_ids": torch.randint(0, model.config.vocab_size, (1, length)),
        "attention_mask": torch.ones(1, length, dtype=torch.long),
    }
    return Example(Logits(model), inputs, ["logits"], {name: {0: "batch", 1: "sequence"} for name in inputs})


def gpt2() -> Example:
    import transformers

    return language_model(transformers.GPT2LMHeadModel(transformers.GPT2Config(use_cache=False)), length=64)


def llama_tiny() -> Example:
    import transformers

    config = transformers.LlamaConfig(
        vocab_size=8000, hidden_size=512, intermediate_size=1408, num_hidden_layers=6, num_attention_heads=8,
        num_key_value_heads=2, max_position_embeddings=2048, tie_word_embeddings=False)
    return language_model(transformers.LlamaForCausalLM(config), length=128)


class RecurrentClassifier(nn.Module):
    def __init__(self, kind: type[nn.RNNBase]):
        super().__init__()
        self.embedding = nn.Embedding(1000, 64)
        self.recurrent = kind(64, 96, num_layers=2, batch_first=True, bidirectional=True)
        self.output = nn.Linear(192, 5)

    def forward(self, tokens):
        states, _ = self.recurrent(self.embedding(tokens))
        return self.output(states.mean(1))


def lstm_classifier() -> Example:
    tokens = torch.randint(0, 1000, (2, 32))
    return Example(RecurrentClassifier(nn.LSTM), {"tokens": tokens}, ["logits"], {"tokens": {0: "batch", 1: "sequence"}})


def gru_classifier() -> Example:
    tokens = torch.randint(0, 1000, (2, 32))
    return Example(RecurrentClassifier(nn.GRU), {"tokens": tokens}, ["logits"], {"tokens": {0: "batch", 1: "sequence"}})


class UNet(nn.Module):
    """Four levels down by max pooling and up by transposed convolution, with skip connections."""

    def __init__(self, width: int = 32, levels: int = 4):
        super().__init__()
        widths = [width * 2**k for k in range(levels + 1)]
        self.down = nn.ModuleList(self.block(i, o) for i, o in zip([3, *widths], widths[:-1]))
        self.middle = self.block(widths[-2], widths[-1])
        self.up = nn.ModuleList(nn.ConvTranspose2d(2 * w, w, 2, stride=2) for w in reversed(widths[:-1]))
        self.merge = nn.ModuleList(self.block(2 * w, w) for w in reversed(widths[:-1]))
        self.output = nn.Conv2d(width, 4, 1)

    @staticmethod
    def block(inputs: int, outputs: int) -> nn.Module:
        return nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU())

    def forward(self, image):
        x, skips = image, []
        for block in self.down:
            x = block(x)
            skips.append(x)
            x = nn.functional.max_pool2d(x, 2)
        x = self.middle(x)
        for up, merge in zip(self.up, self.merge):
            x = merge(torch.cat([skips.pop(), up(x)], 1))
        return self.output(x).softmax(1)


def unet() -> Example:
    return image_model(UNet(), size=256)


BOTH = ("dynamo", "torchscript")
READY = ("ready",)

# The functions, and who writes the model: an exporter that cannot is left out.
MODELS = {
    build.__name__: (build, exporters)
    for exporters, builds in (
        (BOTH, (
            mlp_mnist, lenet, squeezenet1_1, mobilenet_v2, mobilenet_v3_small, resnet18, resnet50, efficientnet_b0,
            convnext_tiny, unet, deit_tiny, vit_b_16, bert_mini, minilm_l6_arch, bert_base, gpt2, llama_tiny, lstm_classifier,
            gru_classifier, detection.detector, detection.detector_nms, sequences.llama_tiny_past, sequences.gpt2_past,
            sequences.t5_small_encoder, sequences.whisper_tiny_encoder, sequences.tcn_audio, sequences.dcgan_generator)),
        # Complex numbers, torch.cond and scan are beyond the TorchScript exporter, and it loses sums of index_add where an
        # index repeats; scripts are beyond torch.export.
        (("dynamo",), (sequences.stft_gru_audio, sequences.gcn, control_flow.conditional, control_flow.scan_cell)),
        (("torchscript",), (control_flow.scripted_loop,)),
        (READY, (
            control_flow.onnx_loop, control_flow.onnx_scan, classical.logistic_regression, classical.random_forest,
            classical.boosted_trees, classical.support_vectors, classical.text_classifier)),
    )
    for build in builds
}

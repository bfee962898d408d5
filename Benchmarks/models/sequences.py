"""Audio, sequences, decoding with a cache, encoders with relative positions, and graphs of neighbours."""

import torch
from torch import nn
from torch.nn import functional as F

from example import Example


class CachedDecoder(nn.Module):
    """A language model that is given keys and values of earlier tokens by position, and returns them with its own."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model

    def forward(self, input_ids, attention_mask, *past):
        from transformers.cache_utils import DynamicCache

        cache = DynamicCache()
        for layer, (key, value) in enumerate(zip(past[::2], past[1::2])):
            cache.update(key, value, layer)
        result = self.model(input_ids=input_ids, attention_mask=attention_mask, past_key_values=cache, use_cache=True)
        present = [tensor for layer in cache.layers for tensor in (layer.keys, layer.values)]
        return (result.logits, *present)


def cached_decoder(model: nn.Module, layers: int, heads: int, width: int, length: int = 16) -> Example:
    names = [f"{kind}_{layer}" for layer in range(layers) for kind in ("key", "value")]
    inputs = {
        "input_ids": torch.randint(0, model.config.vocab_size, (1, 1)),
        "attention_mask": torch.ones(1, length + 1, dtype=torch.long),
    } | {f"past_{name}": torch.randn(1, heads, length, width) for name in names}
    dynamic = {"input_ids": {0: "batch"}, "attention_mask": {0: "batch", 1: "total"}}
    dynamic |= {f"past_{name}": {0: "batch", 2: "past"} for name in names}
    return Example(CachedDecoder(model), inputs, ["logits"] + [f"present_{name}" for name in names], dynamic)


def llama_tiny_past() -> Example:
    import transformers

    config = transformers.LlamaConfig(
        vocab_size=8000, hidden_size=512, intermediate_size=1408, num_hidden_layers=6, num_attention_heads=8,
        num_key_value_heads=2, max_position_embeddings=2048, tie_word_embeddings=False)
    return cached_decoder(transformers.LlamaForCausalLM(config), layers=6, heads=2, width=64)


def gpt2_past() -> Example:
    import transformers

    config = transformers.GPT2Config(n_layer=4, n_embd=256, n_head=8, vocab_size=8000)
    return cached_decoder(transformers.GPT2LMHeadModel(config), layers=4, heads=8, width=32)


class States(nn.Module):
    """An encoder with its inputs by position and one tensor as its result."""

    def __init__(self, model: nn.Module, *names: str):
        super().__init__()
        self.model, self.names = model, names

    def forward(self, *inputs):
        return self.model(**dict(zip(self.names, inputs))).last_hidden_state


def t5_small_encoder() -> Example:
    import transformers

    config = transformers.T5Config(
        d_model=512, d_ff=2048, num_layers=6, num_heads=8, d_kv=64, attn_implementation="eager")
    inputs = {
        "input_ids": torch.randint(0, config.vocab_size, (2, 48)), "attention_mask": torch.ones(2, 48, dtype=torch.long)}
    inputs["attention_mask"][1, 30:] = 0
    dynamic = {name: {0: "batch", 1: "sequence"} for name in inputs}
    return Example(States(transformers.T5EncoderModel(config), *inputs), inputs, ["states"], dynamic)


def whisper_tiny_encoder() -> Example:
    import transformers

    config = transformers.WhisperConfig(
        d_model=384, encoder_layers=4, encoder_attention_heads=6, encoder_ffn_dim=1536, decoder_layers=1,
        decoder_attention_heads=6, decoder_ffn_dim=1536)
    inputs = {"input_features": torch.randn(1, 80, 3000)}
    model = States(transformers.WhisperModel(config).encoder, *inputs)
    return Example(model, inputs, ["states"], {"input_features": {0: "batch"}})


class DilatedBlock(nn.Module):
    """Two causal convolutions whose taps lie `dilation` apart, around a residual."""

    def __init__(self, width: int, dilation: int):
        super().__init__()
        settings = dict(padding=2 * dilation, dilation=dilation)
        self.first, self.second = (nn.Conv1d(width, width, 3, **settings) for _ in range(2))
        self.norm, self.slope, self.extra = nn.BatchNorm1d(width), nn.PReLU(width), 2 * dilation

    def forward(self, x):
        y = self.slope(self.norm(self.first(x)[..., : -self.extra]))
        return F.relu(x + F.leaky_relu(self.second(y)[..., : -self.extra], 0.1))


class WaveClassifier(nn.Module):
    def __init__(self, width: int = 48):
        super().__init__()
        self.enter = nn.Conv1d(1, width, 7, stride=4, padding=3)
        self.blocks = nn.Sequential(*[DilatedBlock(width, 2**k) for k in range(6)])
        self.output = nn.Linear(width, 12)

    def forward(self, wave):
        x = self.blocks(self.enter(wave))
        return self.output(F.adaptive_avg_pool1d(x, 1).squeeze(-1)), torch.sigmoid(x.amax(-1))


def tcn_audio() -> Example:
    wave = torch.randn(1, 1, 16000)
    return Example(WaveClassifier(), {"wave": wave}, ["logits", "presence"], {"wave": {0: "batch", 2: "samples"}})


class SpectrumClassifier(nn.Module):
    """A short-time Fourier transform, bands on a logarithmic scale, and a GRU."""

    def __init__(self):
        super().__init__()
        self.register_buffer("window", torch.hann_window(400))
        self.bands = nn.Parameter(torch.rand(40, 201))
        self.recurrent = nn.GRU(40, 64, batch_first=True)
        self.output = nn.Linear(64, 10)

    def forward(self, wave):
        spectrum = torch.stft(wave, 400, 160, 400, self.window, center=False, return_complex=True)
        power = torch.view_as_real(spectrum).pow(2).sum(-1)
        _, last = self.recurrent(torch.log(self.bands @ power + 1e-6).transpose(1, 2))
        return self.output(last[-1])


def stft_gru_audio() -> Example:
    return Example(SpectrumClassifier(), {"wave": torch.randn(2, 16000)}, ["logits"], {"wave": {0: "batch"}})


def dcgan_generator() -> Example:
    """Noise to an image by transposed convolutions."""
    layers, inputs, width = [], 100, 256
    for k in range(4):
        layers += [
            nn.ConvTranspose2d(inputs, width, 4, 1 if k == 0 else 2, 0 if k == 0 else 1, bias=False),
            nn.BatchNorm2d(width), nn.ReLU() if k % 2 else nn.ELU()]
        inputs, width = width, width // 2
    module = nn.Sequential(*layers, nn.ConvTranspose2d(inputs, 3, 4, 2, 1), nn.Tanh())
    return Example(module, {"noise": torch.randn(2, 100, 1, 1)}, ["image"], {"noise": {0: "batch"}})


class NeighbourNetwork(nn.Module):
    """Two rounds in which every node takes the mean of what its neighbours say."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(16, 32), nn.Linear(32, 7)

    def forward(self, nodes, edges):
        source, target = edges[0], edges[1]
        ones = torch.ones(edges.shape[1], 1)
        degree = torch.zeros(nodes.shape[0], 1).index_add(0, target, ones).clamp(min=1)

        def mean(x):
            return torch.zeros_like(x).index_add(0, target, x[source]) / degree

        return F.log_softmax(mean(self.second(F.relu(mean(self.first(nodes))))), -1)


def gcn() -> Example:
    inputs = {"nodes": torch.randn(50, 16), "edges": torch.randint(0, 50, (2, 200))}
    return Example(NeighbourNetwork(), inputs, ["log_probabilities"], {"nodes": {0: "nodes"}, "edges": {1: "edges"}})

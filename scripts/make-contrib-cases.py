#!/usr/bin/env python3
"""Writes Tests/FXConformanceTests/Cases/contrib: operators of ONNX Runtime's domain com.microsoft on random inputs.

Each folder has the layout of ONNX's backend tests; the expected outputs are ONNX Runtime's. Needs numpy, onnx and
onnxruntime (made with 1.32). Run it from the package's root.
"""
import json
import pathlib
import shutil
import zlib

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

ROOT = pathlib.Path("Tests/FXConformanceTests/Cases/contrib")
FLOAT, INT32, INT64, UINT8, INT8 = (
    TensorProto.FLOAT, TensorProto.INT32, TensorProto.INT64, TensorProto.UINT8, TensorProto.INT8)


def case(name, op, inputs, outputs, atol=1e-5, domain="com.microsoft", **attributes):
    """Writes one case. An input is a function of the random generator, an array, or None where it is left out; an output
    is an element type, or None."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    values = [x(rng) if callable(x) else x for x in inputs]
    names = ["" if x is None else f"x{i}" for i, x in enumerate(values)]
    results = ["" if t is None else f"y{i}" for i, t in enumerate(outputs)]
    nodes = [helper.make_node(op, names, results, name=name, domain=domain, **attributes)]
    graph = helper.make_graph(
        nodes, name,
        [helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(x.dtype), x.shape)
         for n, x in zip(names, values) if n],
        [helper.make_tensor_value_info(n, t, None) for n, t in zip(results, outputs) if n])
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    feeds = {n: x for n, x in zip(names, values) if n}
    expected = session.run(None, feeds)
    folder = ROOT / name
    data = folder / "test_data_set_0"
    data.mkdir(parents=True)
    onnx.save(model, folder / "model.onnx")
    (folder / "data.json").write_text(json.dumps({"rtol": 1e-3, "atol": atol}) + "\n")
    for i, (n, x) in enumerate(feeds.items()):
        (data / f"input_{i}.pb").write_bytes(numpy_helper.from_array(x, n).SerializeToString())
    for i, x in enumerate(expected):
        (data / f"output_{i}.pb").write_bytes(numpy_helper.from_array(x).SerializeToString())


def f(*shape, low=-1.0, high=1.0):
    return lambda rng: rng.uniform(low, high, shape).astype(np.float32)


def integers(dtype, low, high, *shape):
    return lambda rng: rng.integers(low, high, shape).astype(dtype)


def u8(*shape):
    return integers(np.uint8, 0, 256, *shape)


def s8(*shape):
    return integers(np.int8, -128, 128, *shape)


def scalar(x, dtype=np.float32):
    return np.array(x, dtype)


def ints(*values, dtype=np.int32):
    return np.array(values, dtype)


def angles(positions, half):
    grid = np.outer(np.arange(positions), 10000.0 ** (-np.arange(half) / half))
    return np.cos(grid).astype(np.float32), np.sin(grid).astype(np.float32)


def normalizations():
    x = f(2, 3, 8)
    case("skip_layer_normalization", "SkipLayerNormalization", [x, x, f(8), f(8), f(8)], [FLOAT], epsilon=1e-5)
    case("skip_layer_normalization_sum", "SkipLayerNormalization", [x, f(3, 8), f(8)], [FLOAT, None, None, FLOAT])
    case("simplified_layer_normalization", "SimplifiedLayerNormalization", [x, f(8)], [FLOAT], domain="",
         epsilon=1e-6, axis=-1, stash_type=1)
    case("skip_simplified_layer_normalization", "SkipSimplifiedLayerNormalization", [x, x, f(8), f(8)],
         [FLOAT, None, None, FLOAT], epsilon=1e-6)
    ids, segments = integers(np.int32, 0, 10, 2, 4), integers(np.int32, 0, 2, 2, 4)
    tables = [f(10, 8), f(6, 8), f(2, 8), f(8), f(8)]
    mask = ints(1, 1, 1, 0, 1, 1, 0, 0).reshape(2, 4)
    case("embed_layer_normalization", "EmbedLayerNormalization", [ids, segments, *tables, mask], [FLOAT, INT32, FLOAT])
    case("embed_layer_normalization_positions", "EmbedLayerNormalization",
         [ids, None, tables[0], tables[1], None, *tables[3:], None, ints(3, 2, 1, 0).reshape(1, 4)], [FLOAT, INT32])
    quantized = [u8(10, 8), u8(6, 8), u8(2, 8), u8(8), u8(8)]
    scales = [scalar(s) for s in (0.02, 0.01, 0.015, 0.01, 0.005)]
    zeros = [scalar(z, np.uint8) for z in (120, 128, 130, 100, 127)]
    case("q_embed_layer_normalization", "QEmbedLayerNormalization", [ids, segments, *quantized, mask, *scales, *zeros],
         [FLOAT, INT32], atol=1e-4)


def activations_and_products():
    case("bias_gelu", "BiasGelu", [f(2, 3, 8, low=-3, high=3), f(8)], [FLOAT])
    case("fast_gelu", "FastGelu", [f(2, 3, 8, low=-3, high=3), f(8)], [FLOAT])
    case("fast_gelu_plain", "FastGelu", [f(2, 3, 8, low=-3, high=3)], [FLOAT])
    case("gelu", "Gelu", [f(3, 8, low=-3, high=3)], [FLOAT])
    case("fused_matmul", "FusedMatMul", [f(2, 5, 3), f(2, 4, 5)], [FLOAT], alpha=0.25, transA=1, transB=1)
    case("fused_matmul_batch", "FusedMatMul", [f(3, 2, 5), f(2, 5, 4)], [FLOAT], transBatchA=1)
    case("fused_matmul_both", "FusedMatMul", [f(5, 2, 3), f(4, 2, 5)], [FLOAT], alpha=2.0, transA=1, transBatchA=1,
         transB=1, transBatchB=1)
    image, kernels = f(1, 2, 5, 5), f(4, 2, 3, 3)
    case("fused_conv_relu", "FusedConv", [image, kernels, f(4), f(1, 4, 5, 5)], [FLOAT], activation="Relu",
         pads=[1, 1, 1, 1], kernel_shape=[3, 3])
    case("fused_conv_leaky_relu", "FusedConv", [image, kernels], [FLOAT], activation="LeakyRelu",
         activation_params=[0.2], strides=[2, 2])
    case("fused_conv_clip", "FusedConv", [image, kernels, f(4)], [FLOAT], activation="Clip", activation_params=[-0.5, 0.5])
    case("fused_gemm", "FusedGemm", [f(5, 3), f(4, 5), f(4)], [FLOAT], activation="LeakyRelu", activation_alpha=0.1,
         alpha=0.5, beta=2.0, transA=1, transB=1)
    for bits, block in ((4, 16), (8, 16), (4, 32)):
        k, n = 40, 6
        blocks = -(-k // block)
        weights = u8(n, blocks, block * bits // 8)
        for kind, zeros in (("", None), ("_zero_points", u8(n * -(-blocks * bits // 8)))):
            case(f"matmul_nbits_{bits}_{block}{kind}", "MatMulNBits", [f(3, k), weights, f(n * blocks, low=0), zeros],
                 [FLOAT], atol=1e-3, K=k, N=n, bits=bits, block_size=block)
    case("matmul_nbits_bias", "MatMulNBits", [f(2, 3, 32), u8(6, 2, 8), f(6, 2, low=0), None, None, f(6)], [FLOAT],
         atol=1e-3, K=32, N=6, bits=4, block_size=16)


def attentions():
    cosines, sines = angles(16, 4)
    ids = ints(2, 3, 4, 0, 1, 2, dtype=np.int64).reshape(2, 3)
    case("rotary_embedding", "RotaryEmbedding", [f(2, 3, 16), ids, cosines, sines], [FLOAT])
    case("rotary_embedding_heads", "RotaryEmbedding", [f(2, 2, 3, 8), ids, cosines, sines], [FLOAT], interleaved=1)
    case("rotary_embedding_offset", "RotaryEmbedding", [f(2, 3, 16), ints(5, dtype=np.int64), cosines, sines], [FLOAT])
    case("rotary_embedding_partial", "RotaryEmbedding", [f(2, 3, 24), ids, cosines, sines], [FLOAT], num_heads=2,
         rotary_embedding_dim=8)

    x, weights, bias = f(2, 3, 8), f(8, 24), f(24)
    case("attention", "Attention", [x, weights, bias], [FLOAT], num_heads=2)
    case("attention_lengths", "Attention", [x, weights, bias, ints(2, 3)], [FLOAT], num_heads=2)
    case("attention_spans", "Attention", [x, weights, bias, ints(3, 2, 1, 0)], [FLOAT], num_heads=2)
    raw = ints(1, 1, 0, 1, 0, 1).reshape(2, 3)
    case("attention_raw_mask", "Attention", [x, weights, bias, raw], [FLOAT], num_heads=2, scale=0.3)
    case("attention_causal_past", "Attention", [x, weights, bias, None, f(2, 2, 2, 4, 4)], [FLOAT, FLOAT], num_heads=2,
         unidirectional=1)
    case("attention_mask_past", "Attention",
         [x, weights, bias, ints(*([1] * 6 + [0] + [1] * 7)).reshape(2, 7), f(2, 2, 2, 4, 4)], [FLOAT, FLOAT],
         num_heads=2, unidirectional=1)
    case("attention_square_mask", "Attention", [x, weights, bias, integers(np.int32, 0, 2, 2, 3, 3)], [FLOAT], num_heads=2)
    case("attention_score_bias", "Attention", [x, weights, bias, None, None, f(1, 2, 3, 3)], [FLOAT], num_heads=2)
    case("attention_widths", "Attention", [x, f(8, 28), f(28)], [FLOAT], num_heads=2, qkv_hidden_sizes=[8, 8, 12])
    case("q_attention", "QAttention",
         [u8(2, 3, 8), s8(8, 24), bias, scalar(0.02), scalar(0.01), ints(2, 3), scalar(120, np.uint8), scalar(3, np.int8)],
         [FLOAT], num_heads=2)

    q, k, v = f(2, 3, 8), f(2, 5, 8), f(2, 5, 8)
    case("multi_head_attention", "MultiHeadAttention", [q, k, v], [FLOAT], num_heads=2)
    case("multi_head_attention_wide", "MultiHeadAttention", [q, k, f(2, 5, 12), f(28)], [FLOAT], num_heads=2, scale=0.7)
    case("multi_head_attention_padding", "MultiHeadAttention", [q, k, v, None, integers(np.int32, 0, 2, 2, 5)], [FLOAT],
         num_heads=2, mask_filter_value=-500.0)
    case("multi_head_attention_lengths", "MultiHeadAttention", [q, k, v, None, ints(5, 2)], [FLOAT], num_heads=2)
    same = [f(2, 3, 8)] * 3
    case("multi_head_attention_bias", "MultiHeadAttention", [*same, None, None, f(2, 2, 3, 3)], [FLOAT], num_heads=2)
    case("multi_head_attention_past", "MultiHeadAttention",
         [*same, f(24), None, f(1, 1, 3, 7), f(2, 2, 4, 4), f(2, 2, 4, 4)], [FLOAT, FLOAT, FLOAT], num_heads=2)
    case("multi_head_attention_causal", "MultiHeadAttention",
         [*same, None, None, None, f(2, 2, 4, 4), f(2, 2, 4, 4)], [FLOAT, FLOAT, FLOAT], num_heads=2, unidirectional=1)
    case("multi_head_attention_cross", "MultiHeadAttention", [q, f(2, 2, 5, 4), f(2, 2, 5, 4)], [FLOAT], num_heads=2)

    def grouped(name, length, lengths, total, room, extra=(), packed=False, **attributes):
        head, batch = 16, len(lengths)
        query = f(batch, length, 8 * head) if packed else f(batch, length, 4 * head)
        keys = [None, None] if packed else [f(batch, length, 2 * head)] * 2
        past = [f(batch, 2, room, head)] * 2 if room else [None, None]
        case(f"group_query_attention_{name}", "GroupQueryAttention",
             [query, *keys, *past, ints(*lengths), ints(total).reshape(()), *extra], [FLOAT, FLOAT, FLOAT],
             num_heads=4, kv_num_heads=2, **attributes)

    tables = list(angles(16, 8))
    grouped("prompt", 4, (3, 3), 4, 0)
    grouped("token", 1, (4, 2), 5, 4)
    grouped("several", 3, (6,), 7, 4)
    grouped("packed", 4, (3, 3), 4, 0, packed=True)
    grouped("rotary", 4, (3, 3), 4, 0, tables, do_rotary=1)
    grouped("rotary_token", 1, (4, 2), 5, 8, tables, do_rotary=1, rotary_interleaved=1)
    grouped("window", 6, (5, 5), 6, 0, local_window_size=3)
    grouped("softcap", 4, (3, 3), 4, 0, softcap=2.0, scale=0.9)
    grouped("smooth", 4, (3, 3), 4, 0, smooth_softmax=1)
    grouped("sink", 4, (3, 3), 4, 0, [None, None, None, None, f(4)])
    grouped("score_bias", 4, (3, 3), 4, 0, [None, None, None, f(1, 1, 4, 4)])


def quantized():
    a = [u8(2, 3, 8), scalar(0.03), scalar(120, np.uint8)]
    b = [u8(2, 3, 8), scalar(0.02), scalar(130, np.uint8)]
    y = [scalar(0.04), scalar(110, np.uint8)]
    signed = [s8(3, 8), scalar(0.03), scalar(-5, np.int8)]
    case("qlinear_add", "QLinearAdd", a + b + y, [UINT8], atol=0)
    case("qlinear_add_signed", "QLinearAdd", signed + [s8(8), scalar(0.02), scalar(7, np.int8), scalar(0.04), scalar(1, np.int8)], [INT8], atol=0)
    case("qlinear_mul", "QLinearMul", a + b + y, [UINT8], atol=0)
    case("qlinear_sigmoid", "QLinearSigmoid", a + [scalar(1 / 256), scalar(0, np.uint8)], [UINT8], atol=0)
    case("qlinear_softmax", "QLinearSoftmax", a + [scalar(1 / 256), scalar(0, np.uint8)], [UINT8], atol=1, axis=-1, opset=13)
    case("qlinear_where", "QLinearWhere", [np.array([[True], [False], [True]])] + a + b + y, [UINT8], atol=0)
    case("qlinear_leaky_relu", "QLinearLeakyRelu", signed + [scalar(0.03), scalar(-20, np.int8)], [INT8], atol=0, alpha=0.1)
    for last in (0, 1):
        shape = (2, 5, 6, 3) if last else (2, 3, 5, 6)
        case(f"qlinear_global_average_pool_{last}", "QLinearGlobalAveragePool", [u8(*shape), *a[1:], *y], [UINT8], atol=0,
             channels_last=last)
        case(f"qlinear_average_pool_{last}", "QLinearAveragePool", [u8(*shape), *a[1:], *y], [UINT8], atol=0,
             channels_last=last, kernel_shape=[3, 2], strides=[2, 1], pads=[1, 0, 1, 0], count_include_pad=last)
    case("qlinear_concat", "QLinearConcat", y + a + [u8(2, 3, 4), scalar(0.01), scalar(5, np.uint8)], [UINT8], atol=0, axis=2)
    case("nhwc_max_pool", "NhwcMaxPool", [u8(2, 5, 6, 3)], [UINT8], atol=0, kernel_shape=[2, 3], strides=[1, 2],
         pads=[0, 1, 0, 1])
    case("dynamic_quantize_matmul", "DynamicQuantizeMatMul",
         [f(2, 3, 8), s8(8, 5), f(5, low=0.01, high=0.02), integers(np.int8, -3, 3, 5), f(5)], [FLOAT], atol=1e-4)
    case("matmul_integer_to_float", "MatMulIntegerToFloat",
         [u8(2, 3, 8), s8(8, 5), scalar(0.02), f(5, low=0.01, high=0.02), scalar(120, np.uint8), None, f(5)], [FLOAT],
         atol=1e-4)
    case("qgemm", "QGemm",
         [u8(3, 8), *a[1:], s8(5, 8), f(5, low=0.01, high=0.02), np.zeros(5, np.int8), integers(np.int32, -500, 500, 5),
          scalar(0.1), scalar(128, np.uint8)], [UINT8], atol=0, transB=1)
    case("qgemm_float", "QGemm",
         [u8(8, 3), *a[1:], s8(8, 5), scalar(0.01), scalar(2, np.int8)], [FLOAT], transA=1, alpha=0.5)


if __name__ == "__main__":
    shutil.rmtree(ROOT, ignore_errors=True)
    normalizations()
    activations_and_products()
    attentions()
    quantized()
    folders = sorted(ROOT.iterdir())
    print(len(folders), "cases,", sum(p.stat().st_size for p in ROOT.rglob("*") if p.is_file()), "bytes")

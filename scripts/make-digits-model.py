"""make-digits-model.py [FOLDER]: trains the small network that this repository ships, and writes it as ONNX.

Data: scikit-learn's digits (1,797 images of 8 x 8 pixels, values 0 to 16), a fifth of them held out for testing.
Network: pixels / 16 -> (3x3 convolution, batch normalization, relu) twice -> max pooling -> linear, relu -> linear -> softmax.
Training is plain NumPy with a fixed seed: Adam on the cross entropy, each image shifted by up to one pixel.

FOLDER (Models/digits when left out) receives
  model.onnx                          float32, opset 21, any batch size
  images.npy, labels.npy              the held-out images [360, 1, 8, 8] and what they show
  test_data_set_*/{input,output}_0.pb some of them with ONNX Runtime's answers; data.json has the tolerances
"""

import json
import os
import pathlib
import sys

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # sums in one order, so that two runs give the same bytes

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from sklearn.datasets import load_digits

SEED = 7
EPOCHS = 40
BATCH = 64
OPSET = 21


class Conv3x3:
    """Convolution with 3x3 kernels, padding 1, no bias: [N, C, H, W] -> [N, K, H, W]."""

    def __init__(self, channels, kernels, rng):
        self.weight = rng.normal(0, np.sqrt(2 / (9 * channels)), (kernels, channels, 3, 3)).astype(np.float32)
        self.parameters = ["weight"]

    def forward(self, x, training):
        n, c, h, w = x.shape
        padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))
        self.columns = windows.transpose(0, 2, 3, 1, 4, 5).reshape(n * h * w, c * 9)
        self.shape = x.shape
        y = self.columns @ self.weight.reshape(len(self.weight), -1).T
        return y.reshape(n, h, w, -1).transpose(0, 3, 1, 2)

    def backward(self, dy):
        n, c, h, w = self.shape
        dy = dy.transpose(0, 2, 3, 1).reshape(n * h * w, -1)
        self.d_weight = (dy.T @ self.columns).reshape(self.weight.shape)
        d_columns = (dy @ self.weight.reshape(len(self.weight), -1)).reshape(n, h, w, c, 3, 3)
        dx = np.zeros((n, c, h + 2, w + 2), np.float32)
        for i in range(3):
            for j in range(3):
                dx[:, :, i:i + h, j:j + w] += d_columns[..., i, j].transpose(0, 3, 1, 2)
        return dx[:, :, 1:-1, 1:-1]


class BatchNorm:
    """Normalization of each channel by its mean and variance; the running ones are those of the whole training set."""

    epsilon = 1e-5

    def __init__(self, channels):
        self.scale, self.bias = np.ones(channels, np.float32), np.zeros(channels, np.float32)
        self.mean, self.variance = np.zeros(channels, np.float32), np.ones(channels, np.float32)
        self.parameters = ["scale", "bias"]

    def forward(self, x, training):
        if training:
            self.mean, self.variance = x.mean((0, 2, 3)), x.var((0, 2, 3))
        self.inverse = 1 / np.sqrt(self.variance + self.epsilon)
        self.normal = (x - self.mean[:, None, None]) * self.inverse[:, None, None]
        return self.normal * self.scale[:, None, None] + self.bias[:, None, None]

    def backward(self, dy):
        self.d_scale, self.d_bias = (dy * self.normal).sum((0, 2, 3)), dy.sum((0, 2, 3))
        count = dy.size / dy.shape[1]
        centred = dy - (self.d_bias[:, None, None] + self.normal * self.d_scale[:, None, None]) / count
        return centred * (self.scale * self.inverse)[:, None, None]


class Relu:
    parameters = []

    def forward(self, x, training):
        self.positive = x > 0
        return x * self.positive

    def backward(self, dy):
        return dy * self.positive


class MaxPool2x2:
    parameters = []

    def forward(self, x, training):
        n, c, h, w = x.shape
        blocks = x.reshape(n, c, h // 2, 2, w // 2, 2)
        y = blocks.max((3, 5))
        self.mask = blocks == y[:, :, :, None, :, None]
        return y

    def backward(self, dy):
        shared = dy[:, :, :, None, :, None] * self.mask / self.mask.sum((3, 5), keepdims=True)
        n, c, h, _, w, _ = shared.shape
        return shared.reshape(n, c, 2 * h, 2 * w).astype(np.float32)


class Flatten:
    parameters = []

    def forward(self, x, training):
        self.shape = x.shape
        return x.reshape(len(x), -1)

    def backward(self, dy):
        return dy.reshape(self.shape)


class Linear:
    """x W^T + b: [N, inputs] -> [N, outputs]."""

    def __init__(self, inputs, outputs, rng):
        self.weight = rng.normal(0, np.sqrt(2 / inputs), (outputs, inputs)).astype(np.float32)
        self.bias = np.zeros(outputs, np.float32)
        self.parameters = ["weight", "bias"]

    def forward(self, x, training):
        self.x = x
        return x @ self.weight.T + self.bias

    def backward(self, dy):
        self.d_weight, self.d_bias = dy.T @ self.x, dy.sum(0)
        return dy @ self.weight


def forward(network, x, training=False):
    for layer in network:
        x = layer.forward(x, training)
    return x


def shifted(images, rng):
    """Every image moved by -1, 0 or 1 pixels each way."""
    padded = np.pad(images, ((0, 0), (0, 0), (1, 1), (1, 1)))
    moves = rng.integers(0, 3, (len(images), 2))
    return np.stack([image[:, i:i + 8, j:j + 8] for image, (i, j) in zip(padded, moves)])


def train(network, images, labels, rng):
    """Adam (Kingma and Ba, 2015) on the mean cross entropy, the step falling to zero as a cosine."""
    slots = [(layer, name) for layer in network for name in layer.parameters]
    first = [np.zeros_like(getattr(layer, name)) for layer, name in slots]
    second = [np.zeros_like(getattr(layer, name)) for layer, name in slots]
    steps, step = EPOCHS * (len(images) // BATCH), 0
    for _ in range(EPOCHS):
        order = rng.permutation(len(images))
        for start in range(0, len(images) - BATCH + 1, BATCH):
            chosen = order[start:start + BATCH]
            gradient = softmax(forward(network, shifted(images[chosen], rng), training=True))
            gradient[np.arange(BATCH), labels[chosen]] -= 1
            gradient /= BATCH
            for layer in reversed(network):
                gradient = layer.backward(gradient)
            step += 1
            rate = 0.003 * 0.5 * (1 + np.cos(np.pi * step / steps))
            for k, (layer, name) in enumerate(slots):
                d = getattr(layer, "d_" + name)
                first[k] = 0.9 * first[k] + 0.1 * d
                second[k] = 0.999 * second[k] + 0.001 * d * d
                change = (first[k] / (1 - 0.9**step)) / (np.sqrt(second[k] / (1 - 0.999**step)) + 1e-8)
                setattr(layer, name, (getattr(layer, name) - rate * change).astype(np.float32))
    forward(network, images, training=True)  # leaves the statistics of the whole training set in the normalizations


def softmax(logits):
    e = np.exp(logits - logits.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def to_onnx(network):
    """The trained network, each layer under the name it has in the list below."""
    conv1, norm1, _, conv2, norm2, _, _, _, hidden, _, classifier = network
    weights = {"pixel_range": np.array(16, np.float32)}
    for name, layer in dict(conv1=conv1, conv2=conv2, hidden=hidden, classifier=classifier).items():
        weights |= {f"{name}.{p}": getattr(layer, p) for p in layer.parameters}
    for name, layer in dict(norm1=norm1, norm2=norm2).items():
        weights |= {f"{name}.{p}": getattr(layer, p) for p in ("scale", "bias", "mean", "variance")}

    epsilon, same = BatchNorm.epsilon, dict(kernel_shape=[3, 3], pads=[1] * 4)

    def conv_block(k, source):
        norm = [f"norm{k}.{p}" for p in ("scale", "bias", "mean", "variance")]
        return [
            helper.make_node("Conv", [source, f"conv{k}.weight"], [f"conv{k}_out"], f"conv{k}", **same),
            helper.make_node("BatchNormalization", [f"conv{k}_out", *norm], [f"norm{k}_out"], f"norm{k}", epsilon=epsilon),
            helper.make_node("Relu", [f"norm{k}_out"], [f"relu{k}_out"], f"relu{k}"),
        ]

    nodes = [
        helper.make_node("Div", ["images", "pixel_range"], ["scaled"], "scale_pixels"),
        *conv_block(1, "scaled"),
        *conv_block(2, "relu1_out"),
        helper.make_node("MaxPool", ["relu2_out"], ["pooled"], "pool", kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Flatten", ["pooled"], ["features"], "flatten"),
        helper.make_node("Gemm", ["features", "hidden.weight", "hidden.bias"], ["hidden_out"], "hidden", transB=1),
        helper.make_node("Relu", ["hidden_out"], ["relu3_out"], "relu3"),
        helper.make_node("Gemm", ["relu3_out", "classifier.weight", "classifier.bias"], ["logits"], "classifier", transB=1),
        helper.make_node("Softmax", ["logits"], ["probabilities"], "softmax", axis=-1),
    ]
    graph = helper.make_graph(
        nodes, "digits",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", 1, 8, 8])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", 10])],
        [numpy_helper.from_array(np.ascontiguousarray(value, np.float32), name) for name, value in weights.items()],
        doc_string="Handwritten digits, 8 x 8 pixels with values from 0 to 16, to the probabilities of 0 to 9.")
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10, producer_name="make-digits-model")
    helper.set_model_props(model, {"data": "scikit-learn digits", "seed": str(SEED)})
    model = onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True)
    onnx.checker.check_model(model, full_check=True)
    return model


def write_test_data(folder, index, images, answers):
    data = folder / f"test_data_set_{index}"
    data.mkdir(parents=True, exist_ok=True)
    (data / "input_0.pb").write_bytes(numpy_helper.from_array(images, "images").SerializeToString())
    (data / "output_0.pb").write_bytes(numpy_helper.from_array(answers, "probabilities").SerializeToString())


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "Models/digits")
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(SEED)
    data = load_digits()
    images, labels = data.images[:, None].astype(np.float32), data.target.astype(np.int64)
    order = rng.permutation(len(images))
    held_out, kept = order[:360], order[360:]

    network = [
        Conv3x3(1, 16, rng), BatchNorm(16), Relu(), Conv3x3(16, 32, rng), BatchNorm(32), Relu(), MaxPool2x2(), Flatten(),
        Linear(512, 48, rng), Relu(), Linear(48, 10, rng)]
    train(network, images[kept] / 16, labels[kept], rng)
    model = to_onnx(network)
    onnx.save(model, folder / "model.onnx")

    test_images, test_labels = images[held_out], labels[held_out]
    session = onnxruntime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
    answers = session.run(None, {"images": test_images})[0]
    ours = softmax(forward(network, test_images / 16))
    if np.abs(answers - ours).max() > 1e-4:
        sys.exit("error: ONNX Runtime does not agree with the trained network")
    np.save(folder / "images.npy", test_images)
    np.save(folder / "labels.npy", test_labels)
    write_test_data(folder, 0, test_images[:16], answers[:16])
    write_test_data(folder, 1, test_images[16:17], answers[16:17])
    (folder / "data.json").write_text(json.dumps({"rtol": 1e-3, "atol": 1e-5}) + "\n")

    right = int((answers.argmax(1) == test_labels).sum())
    trained = (forward(network, images[kept] / 16).argmax(1) == labels[kept]).mean()
    size = (folder / "model.onnx").stat().st_size
    accuracy = right / len(test_labels)
    print(f"{right} of {len(test_labels)} held-out images right ({accuracy:.1%}; training {trained:.1%}), {size:,} bytes")
    if accuracy < 0.98:
        sys.exit("error: the accuracy is below 98 %")


if __name__ == "__main__":
    main()

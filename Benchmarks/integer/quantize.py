"""quantize.py MODELS TARGET [NAME...]: ONNX Runtime's quantizer on the open models, for `check.py` to run.

Below TARGET comes a folder for each model and form, with model.onnx and test_data_set_0/input_I.pb. Forms: qdq and qoperator
(activations of 8 bits without a sign, weights with one per channel), s8 (both with a sign), dynamic, and int4 and int8weights
(weights alone, in blocks of 32). The shipped digits are calibrated on their own pictures, other images on smooth random ones, token ids on random ones: what is
compared is two programs on the same model, not the models' accuracy."""

import pathlib
import shutil
import sys
import tempfile

import numpy as np
import onnx
from onnx import numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static
from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer
from onnxruntime.quantization.shape_inference import quant_pre_process

FORMS = {
    "digits": ["qdq", "qoperator", "s8"],
    "lenet": ["qdq", "qoperator", "s8"],
    "mlp_mnist": ["qdq", "qoperator", "s8", "dynamic"],
    "resnet18": ["qdq", "s8"],
    "resnet50": ["qdq", "qoperator", "s8"],
    "mobilenet_v2": ["qdq", "qoperator", "s8"],
    "bert_base": ["qdq", "dynamic"],
    "bert_mini": ["qdq", "s8", "dynamic"],
    "gpt2": ["int4", "int8weights"],
    "llama_tiny_past": ["int4", "int8weights"],
}


def inputs_of(folder):
    files = sorted((folder / "test_data_set_0").glob("input_*.pb"), key=lambda path: int(path.stem.removeprefix("input_")))
    return [numpy_helper.to_array(onnx.load_tensor(path)) for path in files]


def sample(array, random):
    """Another input of an input's kind: pictures stay smooth, token ids stay in range, masks stay as they are."""
    if array.dtype.kind != "f":
        return array if array.size == 0 or array.max() <= 1 else random.integers(1, array.max() + 1, array.shape, array.dtype)
    if array.ndim != 4:
        return random.normal(array.mean(), array.std() + 1e-6, array.shape).astype(array.dtype)
    coarse = random.normal(0, 1, array.shape[:2] + tuple(max(1, size // 8) for size in array.shape[2:]))
    for axis in (2, 3):
        coarse = np.repeat(coarse, -(-array.shape[axis] // coarse.shape[axis]), axis)
    coarse = coarse[:, :, :array.shape[2], :array.shape[3]] + random.normal(0, 0.3, array.shape)
    return (array.mean() + array.std() * coarse).astype(array.dtype)


def samples(source, count, seed):
    """Inputs for the model of a folder: its own pictures where it comes with some, else drawn like its test inputs."""
    arrays, random = inputs_of(source), np.random.default_rng(seed)
    if (source / "images.npy").exists():
        images = np.load(source / "images.npy")
        places = random.choice(len(images), count)
        return [[images[place].reshape(1, *arrays[0].shape[1:]).astype(arrays[0].dtype)] for place in places]
    return [[sample(array, random) for array in arrays] for _ in range(count)]


class Reader(CalibrationDataReader):
    def __init__(self, names, source, count):
        self.batches = iter([dict(zip(names, arrays)) for arrays in samples(source, count, 0)])

    def get_next(self):
        return next(self.batches, None)


def quantize(source, target, form):
    arrays = inputs_of(source)
    model = target / "model.onnx"
    with tempfile.TemporaryDirectory() as scratch:
        prepared = pathlib.Path(scratch) / "prepared.onnx"
        if form in ("qdq", "qoperator", "s8"):
            quant_pre_process(source / "model.onnx", prepared, skip_symbolic_shape=True)
            loaded = onnx.load(prepared, load_external_data=False)
            constants = {tensor.name for tensor in loaded.graph.initializer}
            names = [value.name for value in loaded.graph.input if value.name not in constants]
            quantize_static(
                prepared, model, Reader(names, source, 8 if arrays[0].size > 1000 else 16),
                quant_format=QuantFormat.QOperator if form == "qoperator" else QuantFormat.QDQ,
                activation_type=QuantType.QInt8 if form == "s8" else QuantType.QUInt8, weight_type=QuantType.QInt8,
                per_channel=True)
        elif form == "dynamic":
            quantize_dynamic(source / "model.onnx", model, weight_type=QuantType.QInt8)
        else:
            quantizer = MatMulNBitsQuantizer(
                onnx.load(source / "model.onnx"), bits=4 if form == "int4" else 8, block_size=32, is_symmetric=form != "int4")
            quantizer.process()
            onnx.save(quantizer.model.model, model)
    shutil.copytree(source / "test_data_set_0", target / "test_data_set_0", dirs_exist_ok=True)


def main():
    models, target = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    for name in sys.argv[3:] or FORMS:
        for form in FORMS[name]:
            folder = target / f"{name}.{form}"
            if (folder / "model.onnx").exists() or not (models / name).exists():
                continue
            folder.mkdir(parents=True, exist_ok=True)
            quantize(models / name, folder, form)
            print(folder.name, flush=True)


if __name__ == "__main__":
    main()

"""compare.py FX FOLDER... [--models a,b] [--samples 64] [--keep DIR] [--markdown FILE]: our quantizer beside ONNX Runtime's.

Every FOLDER holds model.onnx. Both quantizers see the same samples, drawn from a fixed seed; other samples judge. For each
model a line with the signal to quantization noise at the first output, in decibels:
  theirs       ONNX Runtime's static quantizer (QDQ, u8 activations, s8 weights per channel, ranges by min-max), run by it
  ours         fx quantize, run by ONNX Runtime (the checker accepts the file first)
  ours by fx   the same file run by fx
and how far fx is off ONNX Runtime on the models that ONNX Runtime's quantizer wrote as QDQ and as QOperator, in quanta of the
output where it is quantized (in units of the output's largest magnitude ÷ 255 where it is not), with the share of elements
within one quantum and of samples with the same class.
Exit status 1 if ours is worse than theirs by more than a tenth of a decibel anywhere.
"""

import argparse
import logging
import pathlib
import shutil
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

onnxruntime.set_default_logger_severity(4)
# What the other quantizer leaves alone is no news.
logging.disable(logging.WARNING)


def draw(model: onnx.ModelProto, generator: np.random.Generator) -> dict[str, np.ndarray]:
    """One sample: smooth images, or token ids of one sentence with its mask."""
    sample = {}
    for value in model.graph.input:
        tensor = value.type.tensor_type
        sizes = [d.dim_value or (1 if axis == 0 else 32) for axis, d in enumerate(tensor.shape.dim)]
        if tensor.elem_type == onnx.TensorProto.INT64:
            is_ids = "ids" in value.name and "type" not in value.name
            sample[value.name] = (
                generator.integers(1, 1000, sizes) if is_ids else np.full(sizes, int("mask" in value.name), np.int64))
            continue
        x = generator.normal(size=sizes)
        if len(sizes) == 4:  # Neighbouring pixels look alike: coarse noise under fine noise.
            coarse = generator.normal(size=sizes[:2] + [-(-s // 16) for s in sizes[2:]])
            x = 0.3 * x + np.repeat(np.repeat(coarse, 16, 2), 16, 3)[:, :, : sizes[2], : sizes[3]]
        sample[value.name] = x.astype(np.float32)
    return sample


class Reader(CalibrationDataReader):
    def __init__(self, samples):
        self.samples = iter(samples)

    def get_next(self):
        return next(self.samples, None)


def decibels(exact, rounded) -> float:
    signal = sum(float(np.sum(x.astype(np.float64) ** 2)) for x in exact)
    noise = sum(float(np.sum((x.astype(np.float64) - y) ** 2)) for x, y in zip(exact, rounded))
    return float("inf") if noise == 0 else 10 * np.log10(signal / noise)


def run_ort(path, samples):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return [session.run(None, sample)[0] for sample in samples]


def write(samples, folder: pathlib.Path) -> pathlib.Path:
    for index, sample in enumerate(samples):
        (folder / f"{index:03}").mkdir(parents=True)
        for position, array in enumerate(sample.values()):
            np.save(folder / f"{index:03}" / f"input_{position}.npy", array)
    return folder


def run_fx(fx, path, samples, folder: pathlib.Path):
    """What fx computes, eight samples at a time where the model takes them; it says itself what is wrong if it cannot."""
    inputs = onnx.load(path, load_external_data=False).graph.input
    free = all(value.type.tensor_type.shape.dim[0].dim_param for value in inputs if value.type.tensor_type.shape.dim)
    try:
        return run_batches(fx, path, samples, folder / "batch", 8 if free else 1)
    except subprocess.CalledProcessError:
        # Exporters name sizes that the model then does not leave open.
        return run_batches(fx, path, samples, folder / "batch", 1)


def run_batches(fx, path, samples, place: pathlib.Path, together: int):
    results = []
    for first in range(0, len(samples), together):
        batch = samples[first : first + together]
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        for position, name in enumerate(batch[0]):
            np.save(place / f"input_{position}.npy", np.concatenate([sample[name] for sample in batch]))
        subprocess.run([fx, "run", path, "--inputs", place, "--outputs", place / "out"], check=True, stdout=subprocess.DEVNULL)
        results.extend(np.split(np.load(place / "out" / "output_0.npy"), len(batch)))
        shutil.rmtree(place)
    return results


def quantum(path) -> float | None:
    """The scale of the first output, where it is dequantized last."""
    model = onnx.load(path)
    makers = {output: node for node in model.graph.node for output in node.output}
    node = makers[model.graph.output[0].name]
    if node.op_type != "DequantizeLinear":
        return None
    scales = {tensor.name: tensor for tensor in model.graph.initializer}
    return float(onnx.numpy_helper.to_array(scales[node.input[1]]).max()) if node.input[1] in scales else None


def difference(theirs, ours, unit) -> str:
    unit = unit or max(float(np.abs(x).max()) for x in theirs) / 255
    off = np.concatenate([np.abs(x - y).ravel() for x, y in zip(theirs, ours)]) / unit
    same = np.mean([np.mean(x.argmax(-1) == y.argmax(-1)) for x, y in zip(theirs, ours)])
    return f"{off.max():.2f} ({100 * np.mean(off <= 1.001):.1f} %, class {100 * same:.0f} %)"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fx")
    parser.add_argument("folders", nargs="+", type=pathlib.Path)
    parser.add_argument("--models", default="")
    parser.add_argument("--samples", type=int, default=64)
    parser.add_argument("--keep", type=pathlib.Path)
    parser.add_argument("--markdown", type=pathlib.Path)
    arguments = parser.parse_args()
    wanted = [name for name in arguments.models.split(",") if name]
    folders = [f for folder in arguments.folders for f in ([folder] if (folder / "model.onnx").exists() else sorted(folder.iterdir()))]
    lines = ["| model | theirs | ours | ours by fx | fx on their QDQ | fx on their QOperator |", "|---|---|---|---|---|---|"]
    print("\n".join(lines), flush=True)
    worse = []
    for folder in folders:
        if not (folder / "model.onnx").exists() or (wanted and folder.name not in wanted):
            continue
        with tempfile.TemporaryDirectory() as temporary:
            place = arguments.keep / folder.name if arguments.keep else pathlib.Path(temporary)
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir(parents=True, exist_ok=True)
            path = folder / "model.onnx"
            model = onnx.load(path)
            generator = np.random.default_rng(7)
            calibration = [draw(model, generator) for _ in range(arguments.samples)]
            tests = [draw(model, generator) for _ in range(arguments.samples)]
            exact = run_ort(path, tests)
            seen, judged = write(calibration, place / "calibration"), place / "tests"
            judged.mkdir()
            quant_pre_process(str(path), str(place / "prepared.onnx"), skip_symbolic_shape=True)
            for name, format in [("qdq", QuantFormat.QDQ), ("qoperator", QuantFormat.QOperator)]:
                quantize_static(
                    str(place / "prepared.onnx"), str(place / f"{name}.onnx"), Reader(calibration), quant_format=format,
                    per_channel=True, activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8)
            subprocess.run(
                [arguments.fx, "quantize", path, "--calibration", seen, "-o", place / "ours.onnx"], check=True,
                stdout=subprocess.DEVNULL)
            onnx.checker.check_model(str(place / "ours.onnx"), full_check=True)
            theirs = run_ort(place / "qdq.onnx", tests)
            ratios = [
                decibels(exact, theirs), decibels(exact, run_ort(place / "ours.onnx", tests)),
                decibels(exact, run_fx(arguments.fx, place / "ours.onnx", tests, judged))]
            cells = [folder.name] + [f"{ratio:.1f}" for ratio in ratios]
            for name in ["qdq", "qoperator"]:
                try:
                    reference = theirs if name == "qdq" else run_ort(place / "qoperator.onnx", tests)
                except onnxruntime.capi.onnxruntime_pybind11_state.InvalidGraph:
                    cells.append("ONNX Runtime refuses its own file")
                    continue
                ours = run_fx(arguments.fx, place / f"{name}.onnx", tests, judged)
                cells.append(difference(reference, ours, quantum(place / f"{name}.onnx")))
            lines.append("| " + " | ".join(cells) + " |")
            print(lines[-1], flush=True)
            if min(ratios[1:]) < ratios[0] - 0.1:
                worse.append(folder.name)
    if arguments.markdown:
        text = arguments.markdown.read_text()
        parts = text.split("<!-- beside -->\n")
        arguments.markdown.write_text("<!-- beside -->\n".join([parts[0], "\n".join(lines) + "\n", parts[2]]))
    if worse:
        print("less signal to noise than ONNX Runtime's quantizer: " + ", ".join(worse), file=sys.stderr)
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())

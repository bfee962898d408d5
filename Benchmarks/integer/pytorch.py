"""pytorch.py TARGET [NAME...]: models that PyTorch quantizes (PT2E, by torchao) and its exporter writes as QDQ, for `check.py`.

Below TARGET comes a folder NAME.pt2e for each, with model.onnx and test_data_set_0/input_0.pb. Activations and weights are bytes
with a sign, weights with a scale per channel, biases in floating point: what torchao's quantizer for XNNPACK chooses. Fails if
the exported model is another than PyTorch's: if ONNX Runtime's results differ by more than a tenth of the largest. Both round
in float32, operator by operator, each in its own order, and deep networks with random weights make much of a quantum."""

import pathlib
import sys
import warnings

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import numpy_helper

here = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(here), str(here.parent / "models")]
warnings.simplefilter("ignore")

from check import quantum  # noqa: E402
from definitions import MODELS  # noqa: E402
from export import prepare  # noqa: E402
from quantize import sample  # noqa: E402
from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e  # noqa: E402
from torchao.testing.pt2e._xnnpack_quantizer import XNNPACKQuantizer, get_symmetric_quantization_config  # noqa: E402


def export(name, target):
    torch.manual_seed(0)
    example = MODELS[name][0]()
    prepare(example)
    first = next(iter(example.inputs.values()))[:1]
    random = np.random.default_rng(0)
    quantizer = XNNPACKQuantizer().set_global(get_symmetric_quantization_config(is_per_channel=True))
    observed = prepare_pt2e(torch.export.export(example.module.eval(), (first,)).module(), quantizer)
    for _ in range(8):
        observed(torch.from_numpy(sample(first.numpy(), random)))
    integers = convert_pt2e(observed)
    torch.onnx.export(torch.export.export(integers, (first,)), dynamo=True, verbose=False).save(target / "model.onnx")
    data = target / "test_data_set_0"
    data.mkdir(exist_ok=True)
    onnx.save_tensor(numpy_helper.from_array(first.numpy()), data / "input_0.pb")
    model = onnx.load(target / "model.onnx")
    session = onnxruntime.InferenceSession(target / "model.onnx", providers=["CPUExecutionProvider"])
    theirs = session.run(None, {session.get_inputs()[0].name: first.numpy()})[0]
    off = float(np.abs(theirs - integers(first).detach().numpy()).max())
    print(f"{target.name}: ONNX Runtime is {off / quantum(model, model.graph.output[0].name):.2f} quanta off PyTorch", flush=True)
    if off > 0.1 * float(np.abs(theirs).max()):
        raise SystemExit(f"{name}: that is another model")


def main():
    target = pathlib.Path(sys.argv[1])
    for name in sys.argv[2:] or ["resnet18", "mobilenet_v2"]:
        folder = target / f"{name}.pt2e"
        if not (folder / "model.onnx").exists():
            folder.mkdir(parents=True, exist_ok=True)
            export(name, folder)


if __name__ == "__main__":
    main()

"""export.py [NAME...] [--out FOLDER] [--exporters dynamo,torchscript,ready]: writes the open models as ONNX.

The models are those of definitions.py. OUT/NAME (torch.export, and what is ONNX from the start) and OUT/NAME_ts
(TorchScript) receive model.onnx, test_data_set_0/{input,output}_I.pb with ONNX Runtime's outputs, and data.json with the
tolerances: the layout of ONNX's own cases. What is there already is kept. A model whose outputs in ONNX Runtime are not
those of the library that it comes from is an error. Weights and inputs follow from the name alone."""

import argparse
import inspect
import json
import logging
import os
import pathlib
import shutil
import sys
import warnings
import zlib

os.environ["HF_HUB_OFFLINE"] = "1"

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import numpy_helper
from torch import nn

from definitions import MODELS
from example import Example, Ready

OPSET = {"dynamo": 20, "torchscript": 17}
SUFFIX = {"dynamo": "", "torchscript": "_ts", "ready": ""}
RTOL = 1e-3


def prepare(example: Example) -> None:
    """Gives random weights the scale of trained ones: no head is all zero, normalizations know their statistics."""
    module = example.module.eval()
    for parameter in module.parameters():
        if parameter.ndim >= 2 and not parameter.any():
            nn.init.normal_(parameter, std=0.05)
    norms = [m for m in module.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    if not norms:
        return
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the plain mean over all batches
        norm.train()
    shape = next(iter(example.inputs.values())).shape
    with torch.no_grad():
        for _ in range(3):
            module(torch.rand(4, *shape[1:]) * 2 - 1)
    module.eval()


def export(example: Example | Ready, exporter: str, path: pathlib.Path) -> None:
    if isinstance(example, Ready):
        onnx.save(example.model, path)
        return
    names, arguments = list(example.inputs), tuple(example.inputs.values())
    options = dict(input_names=names, output_names=example.outputs, opset_version=OPSET[exporter])
    if exporter == "dynamo":
        shapes = tuple(example.dynamic.get(name) for name in names)
        formals = list(inspect.signature(example.module.forward).parameters.values())
        if formals[-1].kind is inspect.Parameter.VAR_POSITIONAL:  # their shapes are one tuple
            shapes = (*shapes[:len(formals) - 1], shapes[len(formals) - 1:])
        torch.onnx.export(
            example.module, arguments, path, dynamo=True, dynamic_shapes=shapes, external_data=False, verbose=False, **options)
    else:
        torch.onnx.export(example.module, arguments, path, dynamo=False, dynamic_axes=example.dynamic, **options)


def reference_outputs(example: Example | Ready) -> list[np.ndarray]:
    if isinstance(example, Ready):
        return example.expected
    with torch.no_grad():
        outputs = example.module(*example.inputs.values())
    return [output.numpy() for output in ([outputs] if isinstance(outputs, torch.Tensor) else outputs)]


def write_test_data(example: Example | Ready, folder: pathlib.Path) -> float:
    """Writes the inputs and ONNX Runtime's outputs; returns how far those are from the library's own at most."""
    expected = reference_outputs(example)
    session = onnxruntime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
    feed = {info.name: np.asarray(example.inputs[info.name]) for info in session.get_inputs()}
    outputs = session.run(None, feed)
    data = folder / "test_data_set_0"
    data.mkdir()
    for kind, infos, values in (("input", session.get_inputs(), feed.values()), ("output", session.get_outputs(), outputs)):
        for i, (info, value) in enumerate(zip(infos, values)):
            (data / f"{kind}_{i}.pb").write_bytes(numpy_helper.from_array(value, info.name).SerializeToString())
    (folder / "data.json").write_text(json.dumps({"rtol": RTOL, "atol": example.atol}))
    for mine, theirs in zip(outputs, expected, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=RTOL, atol=example.atol)
    return max(float(np.abs(mine - theirs).max()) for mine, theirs in zip(outputs, expected))


def make(name: str, exporter: str, out: pathlib.Path) -> str:
    folder = out / (name + SUFFIX[exporter])
    if folder.exists():
        return "there already"
    torch.manual_seed(zlib.crc32(name.encode()))
    example = MODELS[name][0]()
    if isinstance(example, Example):
        prepare(example)
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    export(example, exporter, partial / "model.onnx")
    difference = write_test_data(example, partial)
    partial.rename(folder)
    return f"{(folder / 'model.onnx').stat().st_size / 1e6:.1f} MB, {difference:.1e} from the original at most"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of: {', '.join(MODELS)}")
    parser.add_argument("--out", type=pathlib.Path, default=".cache/models")
    parser.add_argument("--exporters", default="dynamo,torchscript,ready", type=lambda text: text.split(","))
    options = parser.parse_args()
    unknown = [n for n in options.names if n not in MODELS] + [e for e in options.exporters if e not in SUFFIX]
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}")
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    failed = 0
    for name in options.names or MODELS:
        for exporter in (e for e in MODELS[name][1] if e in options.exporters):
            try:
                outcome = make(name, exporter, options.out)
            except Exception as error:  # one model must not keep the others from being made
                outcome = f"FAILED {type(error).__name__}: {' '.join(str(error).split())[:300]}"
                failed += 1
            print(f"{name:18} {exporter:12} {outcome}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

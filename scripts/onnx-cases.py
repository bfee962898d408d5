"""onnx-cases.py FOLDER: writes ONNX's own backend test cases, those of the installed `onnx` package, as files.

FOLDER/KIND/CASE receives model.onnx, data.json (rtol, atol), types.json (what the package's shape inference finds for
the model's tensors when only its inputs have types) and test_data_set_I/{input,output}_J.pb. The package holds
its node cases as Python only, so they are computed here; the cases of the other kinds are copied, except that the big
models, which the package holds without weights, get their inputs from the package's test runner. A folder that was
already written for the same version of the package is left alone."""

import json
import pathlib
import shutil
import sys

import numpy as np
import onnx
from onnx import ModelProto, TensorProto, ValueInfoProto, helper, numpy_helper, shape_inference
from onnx.backend.test.loader import DATA_DIR, load_model_tests
from onnx.backend.test.runner import Runner


def encoded(value, about: ValueInfoProto) -> bytes:
    """The value as the message that its declared type calls for: a tensor, sequence, map or optional."""
    kind = about.type.WhichOneof("value")
    if kind == "sequence_type":
        message = numpy_helper.from_list(value, about.name)
    elif kind == "map_type":
        message = numpy_helper.from_dict(value, about.name)
    elif kind == "optional_type":
        message = numpy_helper.from_optional(value, about.name)
    elif isinstance(value, TensorProto):  # element types that NumPy lacks
        message = value
    else:
        message = numpy_helper.from_array(np.asarray(value), about.name)
    return message.SerializeToString()


def write_tolerances(folder: pathlib.Path, case) -> None:
    (folder / "data.json").write_text(json.dumps({"rtol": case.rtol, "atol": case.atol}))


def write_types(folder: pathlib.Path) -> None:
    model = onnx.load(folder / "model.onnx")
    del model.graph.value_info[:]
    for output in model.graph.output:
        output.type.tensor_type.ClearField("shape") if output.type.HasField("tensor_type") else None
    try:
        graph = shape_inference.infer_shapes(model, data_prop=True).graph
    except Exception:  # a few operators of the package refuse their own cases
        return
    types = {}
    for info in [*graph.value_info, *graph.output]:
        tensor = info.type.tensor_type
        if info.type.HasField("tensor_type") and tensor.elem_type:
            sizes = [d.dim_value if d.HasField("dim_value") else None for d in tensor.shape.dim]
            name = helper.tensor_dtype_to_string(tensor.elem_type).removeprefix("TensorProto.")
            types[info.name] = {"type": name, "shape": sizes if tensor.HasField("shape") else None}
    (folder / "types.json").write_text(json.dumps(types))


def write_generated(folder: pathlib.Path, case) -> None:
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(case.model.SerializeToString())
    for i, (inputs, outputs) in enumerate(case.data_sets):
        data = folder / f"test_data_set_{i}"
        data.mkdir()
        for name, values, infos in (("input", inputs, case.model.graph.input), ("output", outputs, case.model.graph.output)):
            for j, (value, info) in enumerate(zip(values, infos)):
                (data / f"{name}_{j}.pb").write_bytes(encoded(value, info))


def write_weightless(folder: pathlib.Path, case) -> None:
    """A big model: its weights are made by nodes of the graph, its inputs by the runner, its outputs are in the package."""
    light = pathlib.Path(DATA_DIR) / "light" / f"light_{case.model_name}"
    data = folder / "test_data_set_0"
    data.mkdir(parents=True)
    shutil.copy(f"{light}.onnx", folder / "model.onnx")
    shutil.copy(f"{light}_output_0.pb", data / "output_0.pb")
    model: ModelProto = onnx.load(folder / "model.onnx")
    weights = {tensor.name for tensor in model.graph.initializer}
    inputs = [info for info in model.graph.input if info.name not in weights]
    for j, info in enumerate(inputs):
        (data / f"input_{j}.pb").write_bytes(encoded(Runner.generate_dummy_data(info, name=case.name), info))


def main() -> None:
    root = pathlib.Path(sys.argv[1])
    stamp, wanted = root / "complete", f"onnx {onnx.__version__}, with types\n"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    shutil.rmtree(root, ignore_errors=True)
    np.seterr(all="ignore")  # overflow and division by zero are what some of the cases are about
    count = 0
    for kind in ("node", "simple", "pytorch-converted", "pytorch-operator", "real"):
        for case in load_model_tests(kind=kind):
            folder = root / kind / case.name
            if case.model is not None:
                write_generated(folder, case)
            elif case.model_dir is not None:
                shutil.copytree(case.model_dir, folder)
            else:
                write_weightless(folder, case)
            write_tolerances(folder, case)
            write_types(folder)
            count += 1
    stamp.write_text(wanted)
    print(f"{count} cases of onnx {onnx.__version__} in {root}", file=sys.stderr)


if __name__ == "__main__":
    main()

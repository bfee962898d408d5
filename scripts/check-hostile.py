"""check-hostile.py FX [--model MODEL] [--count N] [--seed S] [--keep FOLDER]: damaged and hostile model files.

Each file is given to `fx inspect`, `fx convert` and `fx run`, which must say what is wrong in one line on standard error
that names the file, with exit status 3 (1 where a run fails), or succeed where the damage does not matter; they must not
be ended by a signal, print a sanitizer's report, or take more than ten seconds or 4 GiB. The files are
  - handmade ONNX models: cycles, dangling and duplicate names, huge and negative dimensions, wrong types, deep nesting
  - the model as ONNX, JSON, text and binary, cut off, with flipped bits, and with parts changed, doubled or removed.
--keep leaves the files that failed in FOLDER. A line for each failure, and last: N passed, N failed."""

import argparse
import json
import os
import pathlib
import random
import resource
import shutil
import subprocess
import sys
import tempfile

import numpy as np
import onnx
from google.protobuf.descriptor import FieldDescriptor
from onnx import AttributeProto, GraphProto, ModelProto, TensorProto, helper, numpy_helper

MEMORY = 4 << 30
# What Swift's enums point to with tagged pointers, such as global tables, looks lost to the leak sanitizer.
ENVIRONMENT = os.environ | {"ASAN_OPTIONS": "detect_leaks=0"}
SECONDS = 10
INTEGERS = (-1, 0, 1, 7, 2**31 - 1, -(2**31), 2**62, -(2**63), 2**63 - 1)


# Handmade ONNX

def model(nodes, inputs=None, outputs=None, weights=(), **options):
    vector = helper.make_tensor_value_info("x", TensorProto.FLOAT, [4])
    result = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    graph = helper.make_graph(nodes, "hostile", inputs or [vector], outputs or [result], list(weights))
    return helper.make_model(graph, **({"opset_imports": [helper.make_opsetid("", 21)], "ir_version": 10} | options))


def relu(source, target):
    return helper.make_node("Relu", [source], [target])


def weight(dims, data=b"", element=TensorProto.FLOAT):
    tensor = TensorProto(name="w", data_type=element, raw_data=data)
    tensor.dims.extend(dims)
    return tensor


def handmade():
    """(name, bytes, whether it must be refused) of models that no exporter writes."""
    add = helper.make_node("Add", ["x", "w"], ["y"])
    elements = np.zeros(4, np.float32).tobytes()
    refused = {
        "empty": b"",
        "cycle": model([relu("b", "a"), relu("a", "b"), relu("a", "y")]),
        "self_cycle": model([relu("y", "y")]),
        "dangling_operand": model([relu("nowhere", "y")]),
        "dangling_output": model([relu("x", "a")]),
        "duplicate_result": model([relu("x", "y"), relu("x", "y")]),
        "unknown_attribute_type": model([helper.make_node("Elu", ["x"], ["y"], alpha="one")]),
        "too_many_operands": model([helper.make_node("Relu", ["x", "x", "x"], ["y"])]),
        "too_few_operands": model([helper.make_node("Add", ["x"], ["y"])]),
        "negative_dims": model([add], weights=[weight([-4], elements)]),
        "huge_dims": model([add], weights=[weight([2**62, 2**62, 16], elements)]),
        "more_dims_than_data": model([add], weights=[weight([1 << 40], elements)]),
        "data_of_another_size": model([add], weights=[weight([4], elements[:-1])]),
        "unknown_element_type": model([add], weights=[weight([4], elements, 999)]),
        "external_data_elsewhere": model([add], weights=[external("../../../../etc/passwd")]),
        "external_data_missing": model([add], weights=[external("nowhere.bin")]),
        "external_data_absolute": model([add], weights=[external("/etc/passwd")]),
        "nested_graphs": nested_graphs(1_000_000),
        "not_a_model": b"\x7fELF" + bytes(range(256)) * 16,
    }
    tolerated = {
        "huge_input": model([relu("x", "y")], [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2**40, 2**40])]),
        "many_empty_nodes": b"\x3a" + varint(2_000_000) + b"\x0a\x00" * 1_000_000,
        "deep_chain": model([relu(f"v{i}", f"v{i + 1}") for i in range(20_000)], [info("v0")], [info("v20000")]),
        "future_opset": model([relu("x", "y")], opset_imports=[helper.make_opsetid("", 1_000_000)]),
        "unknown_operator": model([helper.make_node("Frobnicate", ["x"], ["y"])]),
        "huge_pads": model([helper.make_node("Pad", ["x", "w"], ["y"])], weights=[numpy_helper.from_array(
            np.array([2**60, 2**60], np.int64), "w")]),
        "huge_constant": model([helper.make_node("ConstantOfShape", ["w"], ["y"])], weights=[numpy_helper.from_array(
            np.array([2**30, 2**30, 2**30], np.int64), "w")]),
        "recursive_function": recursive_function(),
    }
    for must_fail, models in ((True, refused), (False, tolerated)):
        for name, content in models.items():
            yield name, content if isinstance(content, bytes) else content.SerializeToString(), must_fail


def info(name):
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, [4])


def external(location):
    tensor = weight([4])
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in {"location": location, "offset": "0", "length": "16"}.items():
        tensor.external_data.add(key=key, value=value)
    return tensor


def recursive_function():
    node = helper.make_node("F", ["a"], ["b"], domain="own")
    function = helper.make_function(
        "own", "F", ["a"], ["b"], [node], [helper.make_opsetid("", 21), helper.make_opsetid("own", 1)])
    call = helper.make_node("F", ["x"], ["y"], domain="own")
    return model([call], functions=[function], opset_imports=[helper.make_opsetid("", 21), helper.make_opsetid("own", 1)])


def varint(value):
    encoded = b""
    while value > 127:
        encoded += bytes([value & 127 | 128])
        value >>= 7
    return encoded + bytes([value])


def nested_graphs(depth):
    """Graphs in attributes of nodes of graphs, written from the inside out, since no library would build them."""
    parts, size = [], 0
    for _ in range(depth // 3):
        for field in (6, 5, 1):  # AttributeProto.g, NodeProto.attribute, GraphProto.node
            head = bytes([field << 3 | 2]) + varint(size)
            parts.append(head)
            size += len(head)
    parts.append(b"\x3a" + varint(size))  # ModelProto.graph
    return b"".join(reversed(parts))


# Damage

def cut(data, rng):
    return data[:rng.randrange(len(data))]


def flipped(data, rng):
    damaged = bytearray(data)
    # Half of the damage near the start, where the structure is; most of a model is weights.
    for _ in range(rng.choice((1, 1, 1, 8, 64))):
        position = rng.randrange(min(len(data), 4096) if rng.random() < 0.5 else len(data))
        damaged[position] ^= 1 << rng.randrange(8)
    return bytes(damaged)


def spliced(data, rng):
    """A piece removed, doubled, or put elsewhere."""
    start = rng.randrange(len(data))
    piece = data[start:start + rng.choice((1, 4, 16, 200))]
    rest = data[:start] + data[start + len(piece):]
    target = rng.randrange(len(rest) + 1)
    return rng.choice((rest, data[:start] + piece + data[start:], rest[:target] + piece + rest[target:]))


def changed_message(data, rng):
    """An ONNX model with one field changed, doubled or removed."""
    proto = ModelProto.FromString(data)
    for _ in range(rng.choice((1, 1, 2, 5))):
        message = proto
        while True:
            fields = [(d, v) for d, v in message.ListFields()]
            if not fields:
                break
            descriptor, value = rng.choice(fields)
            repeated = not isinstance(value, (int, float, str, bytes)) and hasattr(value, "__len__")
            if descriptor.type == FieldDescriptor.TYPE_MESSAGE and rng.random() < 0.85:
                message = rng.choice(list(value)) if repeated else value
                continue
            change(message, descriptor, value, repeated, rng)
            break
    return proto.SerializeToString()


def change(message, descriptor, value, repeated, rng):
    action = rng.choice(("clear", "double", "replace", "replace"))
    if action == "clear" or descriptor.type == FieldDescriptor.TYPE_MESSAGE and action == "replace":
        if repeated and len(value):
            del value[rng.randrange(len(value))]
        else:
            message.ClearField(descriptor.name)
    elif action == "double" and repeated and len(value):
        value.extend([rng.choice(list(value))])
    elif descriptor.type != FieldDescriptor.TYPE_MESSAGE:
        new = replacement(descriptor, rng)
        try:
            if repeated:
                value[rng.randrange(len(value))] = new
            else:
                setattr(message, descriptor.name, new)
        except ValueError:  # outside the field's range
            message.ClearField(descriptor.name)


def replacement(descriptor, rng):
    if descriptor.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        text = rng.choice(("", "x", "relu1_out", "conv1.weight", "Conv", "If", "Loop", "n" * 10_000, "é\n\"%s"))
        return text.encode() if descriptor.type == FieldDescriptor.TYPE_BYTES else text
    if descriptor.cpp_type in (FieldDescriptor.CPPTYPE_FLOAT, FieldDescriptor.CPPTYPE_DOUBLE):
        return rng.choice((0.0, -1.0, float("nan"), float("inf"), 1e38))
    return rng.choice(INTEGERS)


def changed_json(data, rng):
    """A JSON document with one value replaced, removed or nested deeply."""
    document = json.loads(data)
    holder = document
    while True:
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        if not keys:
            return data
        key = rng.choice(keys)
        if isinstance(holder[key], (dict, list)) and holder[key] and rng.random() < 0.8:
            holder = holder[key]
            continue
        if rng.random() < 0.2:
            del holder[key]
        elif rng.random() < 0.1:
            return json.dumps(document).replace(json.dumps(holder[key]), "[" * 200_000, 1).encode()
        else:
            holder[key] = rng.choice((None, True, "", "x", [], {}, -1, 1.5, 2**63, 10**400, [[]], "f32[4]"))
        return json.dumps(document).encode()


DAMAGES = {
    ".onnx": (cut, flipped, spliced, changed_message, changed_message, changed_message),
    ".json": (cut, flipped, spliced, changed_json, changed_json, changed_json),
    ".fxt": (cut, flipped, spliced, spliced),
    ".fxb": (cut, flipped, spliced),
}


# Judgement

def limits():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if not arguments.sanitized:  # a sanitizer reserves terabytes of address space
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def fault(command, file, allowed):
    """What is wrong with how `fx` took the file, or None."""
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=SECONDS, preexec_fn=limits, cwd=file.parent, env=ENVIRONMENT)
    except subprocess.TimeoutExpired:
        return f"takes more than {SECONDS} s"
    errors = done.stderr.decode(errors="replace").strip()
    if done.returncode < 0:
        return f"ended by signal {-done.returncode}: {errors[:200]}"
    if "Sanitizer" in errors:
        return f"sanitizer: {errors[:400]}"
    if done.returncode not in allowed:
        return f"exit status {done.returncode}: {errors[:200]}"
    if done.returncode != 0 and (len(errors.splitlines()) != 1 or file.name not in errors):
        return f"not one line that names the file: {errors[:300]!r}"
    return None


def judge(fx, file, must_fail):
    checks = {
        "inspect": ([fx, "inspect", file], (3,) if must_fail else (0, 3)),
        "convert": ([fx, "convert", file, file.with_name("converted.onnx")], (3,) if must_fail else (0, 1, 3)),
        "run": ([fx, "run", file, "--outputs", file.with_name("outputs")], (3,) if must_fail else (0, 1, 3)),
    }
    for name, (command, allowed) in checks.items():
        problem = fault([str(part) for part in command], file, allowed)
        if problem:
            return f"{name}: {problem}"
    return None


def files(folder, count, rng):
    """Writes the files one after the other; yields each with whether it must be refused."""
    for name, content, must_fail in handmade():
        file = folder / f"{name}.onnx"
        file.write_bytes(content)
        yield file, must_fail
    for extension, damages in DAMAGES.items():
        source = folder / f"source{extension}"
        if extension == ".onnx":
            shutil.copy(arguments.model, source)
        else:
            subprocess.run([arguments.fx, "convert", arguments.model, source], check=True)
        data = source.read_bytes()
        for index in range(count):
            damage = rng.choice(damages)
            file = folder / f"{damage.__name__}_{index}{extension}"
            file.write_bytes(damage(data, rng))
            yield file, False
    for extension, text in ((".json", b"[" * 1_000_000), (".json", b'{"a":' * 1_000_000), (".fxt", b"{" * 1_000_000),
                            (".fxt", b"graph g(" * 200_000), (".json", b""), (".fxt", b""), (".fxb", b""),
                            (".json", b"{}"), (".json", b"null"), (".fxb", b"\xff" * 4096)):
        file = folder / f"made_{len(text)}_{text[:1].hex()}{extension}"
        file.write_bytes(text)
        yield file, True


def main():
    rng = random.Random(arguments.seed)
    passed = failed = 0
    with tempfile.TemporaryDirectory() as scratch:
        for file, must_fail in files(pathlib.Path(scratch), arguments.count, rng):
            problem = judge(arguments.fx, file, must_fail)
            if problem:
                failed += 1
                print(f"{file.name}: {problem}", flush=True)
                if arguments.keep:
                    arguments.keep.mkdir(parents=True, exist_ok=True)
                    shutil.copy(file, arguments.keep)
            else:
                passed += 1
            if not file.name.startswith("source"):
                file.unlink()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("fx", type=lambda path: str(pathlib.Path(path).resolve()))
    parser.add_argument("--model", type=lambda path: str(pathlib.Path(path).resolve()), default="Models/digits/model.onnx")
    parser.add_argument("--count", type=int, default=100, help="damaged files for each format")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=pathlib.Path)
    parser.add_argument("--sanitized", action="store_true", help="FX was built with a sanitizer: no limit of memory")
    arguments = parser.parse_args()
    sys.exit(main())

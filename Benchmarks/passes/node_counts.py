"""node_counts.py FX FOLDER...: nodes after `fx optimize --level aggressive` beside ONNX Runtime's and onnxsim's.

Counts ONNX nodes of the written files, those in subgraphs included; a Constant counts as the initializer that it is, and
calls of model-local functions as the nodes inside. For every model below the folders:
  original        the file as exported
  ours            the file that `fx optimize --level aggressive` writes
  onnxruntime     the file that a session with ORT_ENABLE_EXTENDED saves
  onnxsim         what onnxsim.simplify returns
  ratio           ours / the better of the two
  equal           `fx run` gives for the optimized model what it gives for the original
  runs            ONNX Runtime runs the optimized file to what it computes from the original without optimizing
Numbers are compared within the tolerances of the model's data.json. What is more than the limit above the better of the
two has its reason in reasons.json beside this file, or the exit status is 1, as it is for outputs that differ and for a
reason that no model needs."""

import argparse
import collections
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnx.inliner
import onnxruntime
from onnx import TensorProto, numpy_helper

REASONS = pathlib.Path(__file__).parent / "reasons.json"


class Failed(Exception):
    """Something that should have run and did not."""


def operators(model):
    """How many nodes there are of each operator."""
    if model.functions:
        model = onnx.inliner.inline_local_functions(model)
    counts, pending = collections.Counter(), [model.graph]
    while pending:
        for node in pending.pop().node:
            if node.op_type != "Constant":
                counts[node.op_type] += 1
            for attribute in node.attribute:
                pending += [attribute.g] if attribute.type == onnx.AttributeProto.GRAPH else list(attribute.graphs)
    return counts


def load(path):
    return onnx.load(path, load_external_data=False)


def session(path, level, saved=None):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = level
    if saved:
        options.optimized_model_filepath = str(saved)
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def by_onnxruntime(path, scratch):
    saved = scratch / "onnxruntime.onnx"
    session(path, onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED, saved)
    return operators(load(saved))


def by_onnxsim(path, _):
    # A process of its own: some versions end the one that they run in.
    done = subprocess.run(
        [sys.executable, "-c", "import sys, onnx, onnxsim\n"
         "model, ok = onnxsim.simplify(onnx.load(sys.argv[1]))\n"
         "[graph.ClearField('initializer') for graph in [model.graph]]\n"
         "open(sys.argv[2], 'wb').write(model.SerializeToString())", str(path), str(_ / "onnxsim.onnx")],
        capture_output=True, text=True)
    if done.returncode != 0:
        raise Failed("onnxsim: " + ((done.stderr or done.stdout).strip().splitlines() or [str(done.returncode)])[-1][:200])
    return operators(load(_ / "onnxsim.onnx"))


def fx(*arguments):
    done = subprocess.run([str(argument) for argument in arguments], capture_output=True, text=True)
    if done.returncode != 0:
        raise Failed(f"fx {arguments[1]}: {(done.stderr or done.stdout).strip()[-200:]}")


def same(a, b, tolerances):
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    return np.allclose(a, b, equal_nan=True, **tolerances) if a.dtype.kind in "fc" else bool((a == b).all())


def outputs(program, model, inputs, target):
    fx(program, "run", model, "--inputs", inputs, "--outputs", target)
    return [np.load(path) for path in sorted(target.glob("*.npy"))]


def feeds(folder, model):
    held = {tensor.name for tensor in model.graph.initializer}
    infos = [info for info in model.graph.input if info.name not in held]
    paths = [folder / f"test_data_set_0/input_{i}.pb" for i in range(len(infos))]
    return {info.name: numpy_helper.to_array(TensorProto.FromString(path.read_bytes()))
            for info, path in zip(infos, paths) if path.exists()}


def check(program, folder, written, scratch):
    """Whether we compute the same from the optimized file, and whether ONNX Runtime does."""
    model, inputs = folder / "model.onnx", folder / "test_data_set_0"
    tolerances = {"rtol": 1e-3, "atol": 1e-5}
    if (folder / "data.json").exists():
        tolerances |= {k: v for k, v in json.loads((folder / "data.json").read_text()).items() if k in tolerances}
    before = outputs(program, model, inputs, scratch / "before")
    after = outputs(program, written, inputs, scratch / "after")
    equal = len(before) == len(after) > 0 and all(same(a, b, tolerances) for a, b in zip(before, after))
    level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    values = feeds(folder, load(model))
    try:
        expected = session(model, level).run(None, values)
    except Exception as reason:
        return equal, f"ONNX Runtime does not run the original: {' '.join(str(reason).split())[:160]}"
    try:
        results = session(written, level).run(None, values)
    except Exception as reason:
        raise Failed(f"ONNX Runtime: {' '.join(str(reason).split())[:300]}") from None
    return equal, all(same(a, b, tolerances) for a, b in zip(expected, results)) or "other numbers"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("fx")
    parser.add_argument("folders", nargs="+", type=pathlib.Path)
    parser.add_argument("--models", help="names, with commas between")
    parser.add_argument("--limit", type=float, default=1.05, help="how many times the better of the two is no exception")
    parser.add_argument("--peers", type=pathlib.Path, help="file that keeps the counts of the other two")
    parser.add_argument("--only-count", action="store_true", help="compare no outputs")
    parser.add_argument("--operators", action="store_true", help="list the operators that ours and the better one's have")
    options = parser.parse_args()

    reasons = json.loads(REASONS.read_text())
    known = json.loads(options.peers.read_text()) if options.peers and options.peers.exists() else {}
    names = set(options.models.split(",")) if options.models else None
    models = sorted(path for folder in options.folders for path in folder.rglob("model.onnx"))
    folders = [model.parent for model in sorted(models, key=lambda model: model.stat().st_size)]
    folders = [folder for folder in folders if not names or folder.name in names]
    failed, unneeded, ratios = 0, set(reasons), []
    print(f"{'model':26}{'original':>9}{'ours':>7}{'onnxruntime':>12}{'onnxsim':>9}{'ratio':>7}  equal  runs", flush=True)
    for folder in folders:
        with tempfile.TemporaryDirectory() as scratch:
            scratch = pathlib.Path(scratch)
            model, written = folder / "model.onnx", scratch / "written.onnx"
            key = str(folder)
            peers = known.setdefault(key, {})
            for name, count in (("onnxruntime", by_onnxruntime), ("onnxsim", by_onnxsim)):
                if name not in peers:
                    try:
                        peers[name] = count(model, scratch)
                    except Exception as reason:
                        peers[name] = None
                        print(f"{folder.name}: {name}: {' '.join(str(reason).split())[:160]}", flush=True)
            if options.peers:
                options.peers.write_text(json.dumps(known))
            try:
                fx(options.fx, "optimize", model, "-o", written, "--level", "aggressive")
                ours = operators(load(written))
                equal, runs = (True, True) if options.only_count else check(options.fx, folder, written, scratch)
            except Failed as reason:
                print(f"{folder.name}: {reason}", flush=True)
                failed += 1
                continue
        totals = {name: sum(counts.values()) for name, counts in peers.items() if counts}
        best = min(totals, key=totals.get, default=None)
        ratio = sum(ours.values()) / max(totals[best], 1) if best else 1
        ratios.append(ratio)
        total = {name: totals.get(name, "-") for name in peers}
        print(f"{folder.name:26}{sum(operators(load(model)).values()):9}{sum(ours.values()):7}{total['onnxruntime']:>12}"
              f"{total['onnxsim']:>9}{ratio:7.2f}  {'yes' if equal else 'NO':5}  {'yes' if runs is True else runs}", flush=True)
        if not equal or runs == "other numbers":
            failed += 1
        if ratio > options.limit:
            reason = reasons.get(folder.name)
            print(f"    {reason or 'no reason is known'}")
            failed += reason is None
            unneeded.discard(folder.name)
        if options.operators and best:
            theirs = collections.Counter(peers[best])
            print(f"    {best}; more: {dict((ours - theirs).most_common())}; fewer: {dict((theirs - ours).most_common())}", flush=True)
    unneeded &= {folder.name for folder in folders}
    if unneeded:
        print(f"reasons that no model needs: {', '.join(sorted(unneeded))}")
    within = sum(ratio <= options.limit for ratio in ratios)
    print(f"{within} of {len(ratios)} models within {options.limit} of the better of the two; {failed} failed")
    return 1 if failed or unneeded or not ratios else 0


if __name__ == "__main__":
    sys.exit(main())

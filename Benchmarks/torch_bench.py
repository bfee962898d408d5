"""torch_bench.py MODEL INPUTS THREADS ITERATIONS: the module that MODEL was exported from, run by PyTorch as it is.

The module is that of models/definitions.py with the name of MODEL's folder (see peer_bench.py)."""

import pathlib
import sys

import torch

sys.path.append(str(pathlib.Path(__file__).parent / "models"))
from definitions import MODELS  # noqa: E402
from example import Example  # noqa: E402
from peer_bench import bench  # noqa: E402


def load(model, arrays, threads):
    torch.set_num_threads(threads)
    build, _ = MODELS.get(pathlib.Path(model).parent.name.removesuffix("_ts"), (lambda: None, None))
    example = build()
    if not isinstance(example, Example):
        sys.exit("no module of PyTorch's has this name")
    module = example.module.eval()
    inputs = [torch.from_numpy(array.copy()) for array in arrays]

    def run():
        with torch.inference_mode():
            return module(*inputs)

    return run


if __name__ == "__main__":
    bench(load)

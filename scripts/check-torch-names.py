"""check-torch-names.py OPERATORS: every name of PyTorch in the table of docs/Operators.md is one that PyTorch has."""

import importlib
import sys

import torch

# What is there once its module is imported.
for module in ("torch.distributed", "torch.nn.attention.flex_attention", "torch.ao.quantization.fx._decomposed"):
    try:
        importlib.import_module(module)
    except ImportError:
        pass


def found(name):
    place = torch
    for part in name.split(".")[1:]:
        place = getattr(place, part, None)
    return place is not None


rows = [line.split("|") for line in open(sys.argv[1], encoding="utf-8") if line.startswith("| `")]
names = {row[4].strip(): row[1].strip() for row in rows if row[4].strip()}
ours = {name: op for name, op in names.items() if name.startswith("torch.")}
missing = [f"{op}: {name}" for name, op in ours.items() if not found(name)]
for line in missing:
    print(f"PyTorch has no {line}")
print(
    f"{len(ours)} names of PyTorch looked up, {len(missing)} missing; {len(names) - len(ours)} of other packages not looked up,"
    " which have an environment of their own"
)
sys.exit(1 if missing or not ours else 0)

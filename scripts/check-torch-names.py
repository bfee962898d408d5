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
# torchvision has an environment of its own.
missing = [f"{op}: {name}" for name, op in names.items() if name.startswith("torch.") and not found(name)]
print("\n".join(missing) or f"{len(names)} names")
sys.exit(1 if missing or not names else 0)

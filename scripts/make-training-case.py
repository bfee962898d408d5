"""make-training-case.py [FOLDER]: trains a small network with PyTorch, for the tests of training.

Data: scikit-learn's digits (1,797 images of 8 x 8 pixels, values 0 to 16), a fifth held out.
Network: pixels / 16 -> (3x3 convolution of 8, 16 channels, relu, 2x2 max pooling) twice -> linear, on the cross entropy.

FOLDER (Tests/FXPassesTests/Data when left out) receives
  images.npy, labels.npy         uint8, the training images first; held_out.npy is how many are not for training
  NAME.npy                       the weights at the start, float32, by PyTorch's names
  losses.npy                     [optimizers, 50]: the loss before each of 50 steps of 32 images in the file's order,
                                 for the optimizers in OPTIMIZERS
"""

import pathlib
import sys

import numpy as np
import torch
from sklearn.datasets import load_digits

OPTIMIZERS = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=1e-3),
    "adam": lambda p: torch.optim.Adam(p, lr=1e-2),
    "adamw": lambda p: torch.optim.AdamW(p, lr=1e-2, weight_decay=0.1),
    "adagrad": lambda p: torch.optim.Adagrad(p, lr=0.05, lr_decay=0.01),
    "momentum": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9),
    "adam with decay": lambda p: torch.optim.Adam(p, lr=1e-2, betas=(0.8, 0.95), weight_decay=1e-2),
}
STEPS, BATCH = 50, 32


class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.first = torch.nn.Conv2d(1, 8, 3, padding=1)
        self.second = torch.nn.Conv2d(8, 16, 3, padding=1)
        self.output = torch.nn.Linear(64, 10)

    def forward(self, x):
        for layer in (self.first, self.second):
            x = torch.nn.functional.max_pool2d(torch.relu(layer(x)), 2)
        return self.output(x.flatten(1))


def main() -> None:
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "Tests/FXPassesTests/Data")
    folder.mkdir(parents=True, exist_ok=True)
    images, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(images))
    images, labels = images[order].reshape(-1, 1, 8, 8), labels[order]
    np.save(folder / "images.npy", images.astype(np.uint8))
    np.save(folder / "labels.npy", labels.astype(np.uint8))
    np.save(folder / "held_out.npy", np.int64(len(images) // 5))
    x, y = torch.tensor(images / 16, dtype=torch.float32), torch.tensor(labels)
    torch.manual_seed(0)
    start = Network().state_dict()
    for name, tensor in start.items():
        np.save(folder / f"{name}.npy", tensor.numpy())
    losses = []
    for make in OPTIMIZERS.values():
        network = Network()
        network.load_state_dict(start)
        optimizer = make(network.parameters())
        losses.append([])
        for step in range(STEPS):
            part = slice((step % 40) * BATCH, (step % 40 + 1) * BATCH)
            loss = torch.nn.functional.cross_entropy(network(x[part]), y[part])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses[-1].append(loss.item())
    np.save(folder / "losses.npy", np.array(losses, dtype=np.float32))


if __name__ == "__main__":
    main()

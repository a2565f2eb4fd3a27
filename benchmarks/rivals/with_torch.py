"""PyTorch: the plain loop of its tutorials; the data are one tensor in memory, and no step reads a value."""

from __future__ import annotations

import time

import torch
from torch import nn

from benchmarks.outcome import Outcome
from benchmarks.workloads import CONVOLUTIONS, WORD_SIZE, Arrays, Workload, load

LARGE_BATCH = 1024


def train(workload: Workload, epochs: int, threads: int | None = None) -> Outcome:
    """Train; threads is PyTorch's own choice where None."""
    if threads:
        torch.set_num_threads(threads)
    torch.manual_seed(0)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    arrays = load(workload)
    x, y, x_val, y_val = (torch.from_numpy(a).to(device) for a in (arrays.x, arrays.y, arrays.x_val, arrays.y_val))
    y, y_val = (y.float(), y_val.float()) if workload.is_text else (y.long(), y_val.long())
    model = _Network(workload, arrays).to(device)
    loss_of = nn.BCEWithLogitsLoss() if workload.is_text else nn.CrossEntropyLoss()
    kinds = {
        "rmsprop": lambda p: torch.optim.RMSprop(p, lr=1e-3, alpha=0.9, eps=1e-7),
        "adam": lambda p: torch.optim.Adam(p, lr=1e-3, eps=1e-7),
    }
    optimizer = kinds[workload.optimizer](model.parameters())
    seconds = []
    for _ in range(epochs):
        began = time.perf_counter()
        loss, accuracy = _epoch(model, x, y, workload.batch, loss_of, optimizer)
        with torch.no_grad():
            val_loss, val_accuracy = _epoch(model, x_val, y_val, LARGE_BATCH, loss_of, None)
        seconds.append(time.perf_counter() - began)
    return Outcome(seconds, loss, accuracy, val_loss, val_accuracy)


def products(workload: Workload, epochs: int) -> Outcome:
    """Make only the matrix products of a dense network's epoch, on one thread: below this no dense loop can go.

    A layer's products are x·W, the gradient of W and, but for the first layer, that of x; validation makes x·W alone.
    """
    torch.set_num_threads(1)
    arrays = load(workload)
    sizes = [arrays.x[0].size, *workload.hidden, arrays.classes]
    layers = [
        (torch.rand(workload.batch, a), torch.rand(a, b), torch.rand(workload.batch, b))
        for a, b in zip(sizes, sizes[1:], strict=False)
    ]
    outs = [(torch.empty_like(dy), torch.empty_like(w), torch.empty_like(x)) for x, w, dy in layers]
    validation = [torch.rand(LARGE_BATCH, a) for a in sizes[:-1]]
    seconds = []
    for _ in range(epochs):
        began = time.perf_counter()
        for _ in range(-(-len(arrays.x) // workload.batch)):
            for number, ((x, w, dy), (y, dw, dx)) in enumerate(zip(layers, outs, strict=True)):
                torch.mm(x, w, out=y)
                torch.mm(x.T, dy, out=dw)
                if number:
                    torch.mm(dy, w.T, out=dx)
        for _ in range(-(-len(arrays.x_val) // LARGE_BATCH)):
            for x, (_, w, _) in zip(validation, layers, strict=True):
                torch.mm(x, w)
        seconds.append(time.perf_counter() - began)
    return Outcome(seconds, 0.0, 0.0, 0.0, 0.0)


def _epoch(model, x, y, batch, loss_of, optimizer) -> tuple[float, float]:
    """Go through all examples, in a new order where there is an optimizer; return loss and accuracy."""
    model.train(optimizer is not None)
    order = torch.randperm(len(x), device=x.device) if optimizer else torch.arange(len(x), device=x.device)
    total, right = torch.zeros((), device=x.device), torch.zeros((), device=x.device)
    for indices in order.split(batch):
        targets = y[indices]
        outputs = model(x[indices])
        loss = loss_of(outputs, targets)
        if optimizer:
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        total += loss.detach() * len(indices)
        answers = (outputs > 0).to(y.dtype) if outputs.ndim == 1 else outputs.argmax(1)
        right += (answers == targets).sum()
    return total.item() / len(x), right.item() / len(x)


class _Network(nn.Module):
    def __init__(self, workload: Workload, arrays: Arrays) -> None:
        super().__init__()
        self.is_text, self.is_image = workload.is_text, workload.recipe == "cnn"
        layers: list[nn.Module] = []
        if self.is_text:
            self.words = nn.Embedding(arrays.words or 1, WORD_SIZE)
            nn.init.uniform_(self.words.weight, -0.05, 0.05)
        width = WORD_SIZE if self.is_text else arrays.x[0].size
        if self.is_image:
            side, channels = arrays.x.shape[1], arrays.x.shape[3]
            for filters in CONVOLUTIONS:
                layers += [nn.Conv2d(channels, filters, 3), nn.ReLU(), nn.MaxPool2d(2)]
                side, channels = (side - 2) // 2, filters
            layers.append(nn.Flatten())
            width = side * side * channels
        for units in workload.hidden:
            layers.append(nn.Linear(width, units))
            layers += [nn.BatchNorm1d(units, eps=1e-3, momentum=0.01)] if workload.batch_norm else []
            layers.append(nn.ReLU())
            layers += [nn.Dropout(workload.dropout)] if workload.dropout else []
            width = units
        layers.append(nn.Linear(width, 1 if self.is_text else arrays.classes))
        self.layers = nn.Sequential(*layers)
        for layer in layers:
            if isinstance(layer, nn.Linear | nn.Conv2d):
                nn.init.xavier_uniform_(layer.weight)  # Keras's Glorot uniform
                nn.init.zeros_(layer.bias)

    def forward(self, x):
        if self.is_text:
            return self.layers(self.words(x).mean(1)).squeeze(1)
        scaled = x.float() / 255
        return self.layers(scaled.permute(0, 3, 1, 2) if self.is_image else scaled.flatten(1))

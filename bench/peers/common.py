"""What the peers share: the data of the network rows, timing, rows.

A row is `row,program,variant,seconds,low,high,check` on standard output: the median and quartiles of the seconds of one
operation; `check` is what bench/peers/run compares with saros (a loss), or empty.
"""
import argparse
import math
import sys
import time

import numpy as np

NU = 0.01 / math.pi
POINTS = 10000
WIDTHS = (128, 64)
DTYPES = ("f64", "f32")
SIDES = (128, 512, 4096)
HEAT_STEPS = {128: 200, 512: 50, 4096: 4}
GRAY_SCOTT_STEPS = {128: 50, 512: 10, 4096: 2}
BLOCKS = 20  # of points, where a variant works block by block
CHECKED_STEPS = 10  # of Adam, whose losses saros exports

parser = argparse.ArgumentParser()
parser.add_argument("--data", required=True, help="folder written by saros_bench --export")
parser.add_argument("--seconds", type=float, default=2, help="for each row")
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--only", action="append", help="program:variant; given once or more, no other runs")
parser.add_argument("word", nargs="*", help="rows whose name holds one of these; none: all")


class Rows:
    """Runs and prints the rows that were asked for."""

    def __init__(self, program, arguments):
        self.program, self.arguments = program, arguments

    def wanted(self, row):
        return not self.arguments.word or any(word in row for word in self.arguments.word)

    def measure(self, row, variant, run, calls=1, check=""):
        """`run()` does `calls` operations and waits for their result."""
        run()
        began = time.perf_counter()
        run()
        once = max(time.perf_counter() - began, 1e-9)
        repeat = max(1, math.ceil(5e-3 / once))
        seconds, began = [], time.perf_counter()
        while len(seconds) < 5 or (len(seconds) < 31 and time.perf_counter() - began < self.arguments.seconds):
            start = time.perf_counter()
            for _ in range(repeat):
                run()
            seconds.append((time.perf_counter() - start) / (repeat * calls))
        low, middle, high = np.quantile(seconds, (0.25, 0.5, 0.75))
        print(f"{row},{self.program},{variant},{middle:.6g},{low:.6g},{high:.6g},{check}", flush=True)

    def attempt(self, row, variant, make):
        """Measures what `make()` returns; a variant that this version of the program cannot do is told and left out."""
        if self.arguments.only and f"{self.program}:{variant}" not in self.arguments.only:
            return
        try:
            self.measure(row, variant, *make())
        except Exception as error:  # whatever the program under test raises
            print(f"{row}, {self.program} {variant}: {type(error).__name__}: {str(error)[:300]}", file=sys.stderr)


def numpy_dtype(dtype):
    return np.float64 if dtype == "f64" else np.float32


def points(dtype):
    """The points of saros's sampler "grid": x and t, each (POINTS)."""
    side = math.isqrt(POINTS)
    assert side * side == POINTS
    middle = (np.arange(side) + 0.5) / side
    x, t = np.meshgrid(-1 + 2 * middle, middle, indexing="ij")
    return x.ravel().astype(numpy_dtype(dtype)), t.ravel().astype(numpy_dtype(dtype))


def weights(data, width, dtype):
    """(W, b) of each layer, as saros starts from."""
    flat = np.fromfile(f"{data}/weights-{width}-{dtype}", dtype=numpy_dtype(dtype))
    sizes = [2, width, width, width, width, 1]
    layers, at = [], 0
    for rows, columns in zip(sizes, sizes[1:]):
        w = flat[at:at + rows * columns].reshape(rows, columns)
        at += rows * columns
        layers.append((w.copy(), flat[at:at + columns].copy()))
        at += columns
    assert at == flat.size
    return layers


def operator_net(data, d):
    """(W, b) of each layer of the network D-768-768-512-512-1 and the points (n, d) of the operator rows."""
    flat = np.fromfile(f"{data}/operator-weights-{d}")
    sizes, layers, at = [d, 768, 768, 512, 512, 1], [], 0
    for rows, columns in zip(sizes, sizes[1:]):
        w = flat[at:at + rows * columns].reshape(rows, columns)
        at += rows * columns
        layers.append((w.copy(), flat[at:at + columns].copy()))
        at += columns
    assert at == flat.size
    return layers, np.fromfile(f"{data}/operator-points-{d}").reshape(-1, d)


def square(n, seed=0, dtype=np.float64):
    return np.random.default_rng(seed).uniform(-1, 1, (n, n)).astype(dtype)

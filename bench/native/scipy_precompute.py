"""Score pre-computation with SciPy: the three schemes as seedspan has them, every linear system by `spsolve` or `bicgstab`.

A request is a line, an answer a line of JSON:
  run SCHEME METHOD SECONDS IMAGES CHANNELS SIZE STEPS RTOL TOLERANCE IN OUT
IN holds pictures (na2024) or log densities (the others) as f64, OUT gets the scores. The pattern of the matrix and
the places of its values are made once; each assembly is a few operations on whole arrays. After SECONDS the run ends
early, without scores: then its time a solve is what counts."""

import json
import sys
import time

import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg as la
from scipy.ndimage import gaussian_filter, map_coordinates


class OutOfTime(Exception):
    pass


class Solver:
    """A five-point matrix with diagonals at -step, -1, 0, 1, step, and one way of solving with it."""

    def __init__(self, n, step, method, rtol, seconds):
        self.method, self.rtol = method, rtol
        self.deadline = time.perf_counter() + seconds
        self.solves = 0
        rows = np.arange(n)
        places = [rows + offset for offset in (-step, -1, 0, 1, step)]
        self.inside = [(p >= 0) & (p < n) for p in places]
        ones = np.concatenate([rows[k] for k in self.inside])
        columns = np.concatenate([p[k] for p, k in zip(places, self.inside)])
        order = np.arange(len(ones), dtype=np.float64)
        kind = sp.csc_array if method == "spsolve" else sp.csr_array
        self.A = kind((order, (ones, columns)), shape=(n, n))
        self.A.sort_indices()
        self.order = self.A.data.astype(np.int64)

    def load(self, diagonals):
        values = np.concatenate([d[k] for d, k in zip(diagonals, self.inside)])
        self.A.data = values[self.order]

    def solve(self, b, x0):
        if time.perf_counter() > self.deadline:
            raise OutOfTime
        self.solves += 1
        if self.method == "spsolve":
            return la.spsolve(self.A, b)
        return la.bicgstab(self.A, b, x0=x0, rtol=self.rtol, atol=0.0)[0]


def pixel_pairs(channel):
    """Log density of one channel (H, H): the smoothed histogram of pairs (value, value across the diagonal)."""
    y = channel.ravel()
    x = channel.T.ravel()
    bins = 256
    h, _, _ = np.histogram2d(y, x, bins=bins, range=[[0, 1], [0, 1]], density=True)
    h = gaussian_filter(h, bins * len(x) ** (-1 / 6), mode="reflect", truncate=4.0)
    h = np.maximum(h, 1e-300)
    at = np.clip(np.stack([y, x]) * bins, 0, bins - 1)
    return np.log(map_coordinates(h, at, order=1, mode="nearest"))


def difference(m):
    s = np.zeros_like(m)
    s[1:-1] = m[2:] - m[:-2]
    s[0], s[-1] = m[1], -m[-2]
    return 0.5 * s


def na2024(pictures, steps, solver, tolerance):
    images, channels, size, _ = pictures.shape
    n = size * size
    times = np.linspace(1e-3, 1, steps)
    dt = 1 / steps
    scores = np.empty((images, steps, channels, n))
    for image in range(images):
        m = np.empty((steps, channels, n))
        old = np.ones_like(m)
        for channel in range(channels):
            m[0, channel] = pixel_pairs(pictures[image, channel])
        s = np.ones_like(m)
        for _ in range(50):
            for level in range(1, steps):
                g = 5.0 ** times[level]
                y = 0.5 * g * g * dt
                centre = np.full(n, 1 + 4 * y)
                for channel in range(channels):
                    x = -0.25 * g * g * dt * s[level, channel]
                    before, after = x - y, x + y
                    shifted = [np.roll(before, size), np.roll(before, 1), centre, np.roll(after, -1), np.roll(after, -size)]
                    solver.load(shifted)
                    m[level, channel] = solver.solve(m[level - 1, channel], old[level, channel])
            change = np.linalg.norm(m - old) / np.linalg.norm(old)
            old[:] = m
            for level in range(1, steps):
                for channel in range(channels):
                    s[level, channel] = difference(m[level, channel])
            if change <= tolerance:
                break
        for level in range(steps):
            for channel in range(channels):
                scores[image, level, channel] = difference(m[level, channel])
    return scores


def lau2025(fields, steps, solver, tolerance):
    images, channels, size, _ = fields.shape
    h, dt, g = 1 / (size - 1), 1 / steps, 0.5
    diffused = g * g / h / (2 * h)
    centre = np.full(size * size, 1 / dt + 2 * g * g / h**2)
    scores = np.empty((images, steps + 1, channels, 2, size, size))

    def couplings(m, axis):
        m = np.moveaxis(m, axis, 0)
        d = np.empty_like(m)
        d[1:-1] = m[2:] - m[:-2]
        d[0], d[-1] = 2 * (m[1] - m[0]), 2 * (m[-1] - m[-2])
        e = -0.25 * g * g * d / h / (2 * h)
        upper, lower = e - diffused, -e - diffused
        upper[-1] = lower[0] = 0
        return np.moveaxis(lower, 0, axis).ravel(), np.moveaxis(upper, 0, axis).ravel()

    for image in range(images):
        for channel in range(channels):
            m = fields[image, channel].copy()
            scores[image, 0, channel] = np.gradient(m, h)
            for level in range(1, steps + 1):
                b = m.ravel() / dt
                for _ in range(5):
                    below, above = couplings(m, 0)
                    left, right = couplings(m, 1)
                    solver.load([below, left, centre, right, above])
                    new = solver.solve(b, m.ravel()).reshape(m.shape)
                    change = np.linalg.norm(new - m) / np.linalg.norm(m)
                    m = new
                    if change <= tolerance:
                        break
                scores[image, level, channel] = np.gradient(m, h)
    return scores


def consistent(fields, steps, solver, tolerance):
    images, channels, size, _ = fields.shape
    h, tau, D = 1 / (size - 1), 1 / steps, 0.125
    spread = D / h**2
    centre = np.full(size * size, 1 + 4 * tau * spread)
    scores = np.empty((images, steps + 1, channels, 2, size, size))

    def couplings(m, axis):
        """Newton: the advection of the linearisation is twice the wind; a border reflects."""
        m = np.moveaxis(m, axis, 0)
        slope = np.zeros_like(m)
        slope[1:-1] = (m[2:] - m[:-2]) / (2 * h)
        e = D * slope / h
        lower, upper = tau * (e - spread), tau * (-e - spread)
        upper[0] += lower[0]
        lower[-1] += upper[-1]
        lower[0] = upper[-1] = 0
        return [np.moveaxis(part, 0, axis).ravel() for part in (lower, upper, slope)]

    for image in range(images):
        for channel in range(channels):
            m = fields[image, channel].copy()
            scores[image, 0, channel] = np.gradient(m, h, edge_order=2)
            for level in range(1, steps + 1):
                base = m.ravel()
                for iteration in range(31):
                    below, above, p = couplings(m, 0)
                    left, right, q = couplings(m, 1)
                    b = base - tau * D * (p * p + q * q)
                    solver.load([below, left, centre, right, above])
                    x = m.ravel()
                    residual = np.linalg.norm(b - solver.A @ x) / np.linalg.norm(b)
                    if residual <= tolerance or iteration == 30:
                        break
                    m = solver.solve(b, x).reshape(m.shape)
                scores[image, level, channel] = np.gradient(m, h, edge_order=2)
    return scores


SCHEMES = {"na2024": na2024, "lau2025": lau2025, "consistent": consistent}


def run(scheme, method, seconds, images, channels, size, steps, rtol, tolerance, source, target):
    images, channels, size, steps = int(images), int(channels), int(size), int(steps)
    fields = np.fromfile(source, dtype=np.float64).reshape(images, channels, size, size)
    wall, cpu = time.perf_counter(), time.process_time()
    solver = Solver(size * size, size, method, float(rtol), float(seconds))
    complete = True
    try:
        scores = SCHEMES[scheme](fields, steps, solver, float(tolerance))
    except OutOfTime:
        complete = False
    answer = {
        "cpu": 1e3 * (time.process_time() - cpu),
        "wall": 1e3 * (time.perf_counter() - wall),
        "solves": solver.solves,
        "complete": int(complete),
    }
    if complete:
        scores.tofile(target)
    return answer


def main():
    for line in sys.stdin:
        command, *words = line.split()
        try:
            answer = run(*words) if command == "run" else {"error": f"unknown request {command}"}
        except Exception as error:
            answer = {"error": repr(error)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()

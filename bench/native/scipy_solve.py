"""SciPy's solvers on the systems of the bench; the requests stand in protocol.h."""

import json
import sys
import time
import warnings

import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg as la

warnings.simplefilter("ignore")


def read_problem(path):
    raw = np.fromfile(path, dtype=np.uint8)
    n, nnz = raw[:8].view(np.int32)
    at = 8
    parts = []
    for kind, count in ((np.int32, n + 1), (np.int32, nnz), (np.float64, nnz), (np.float64, n)):
        size = np.dtype(kind).itemsize * int(count)
        parts.append(raw[at : at + size].copy().view(kind))
        at += size
    indptr, indices, data, b = parts
    return sp.csr_array((data, indices, indptr), shape=(n, n)), b


class Counter:
    """Counts the products, and so the iterations."""

    def __init__(self, A):
        self.A = A
        self.count = 0
        self.operator = la.LinearOperator(A.shape, matvec=self.multiply, dtype=np.float64)

    def multiply(self, x):
        self.count += 1
        return self.A @ x


METHODS = {
    "bicgstab": lambda A, b, rtol: la.bicgstab(A, b, rtol=rtol, atol=0.0, maxiter=20000)[0],
    "gmres": lambda A, b, rtol: la.gmres(A, b, rtol=rtol, atol=0.0, restart=30, maxiter=1000)[0],
    "gcrotmk": lambda A, b, rtol: la.gcrotmk(A, b, rtol=rtol, atol=0.0, maxiter=1000)[0],
}


def main():
    A = csc = b = x = None
    for line in sys.stdin:
        command, *words = line.split()
        answer = {}
        try:
            if command == "problem":
                A, b = read_problem(words[0])
                csc = A.tocsc()
            elif command == "write":
                np.asarray(x, dtype=np.float64).tofile(words[0])
            elif command == "solve":
                method, rtol, calls = words[0], float(words[1]), int(words[2])
                wall, cpu = time.perf_counter(), time.process_time()
                for _ in range(calls):
                    x = la.spsolve(csc, b) if method == "spsolve" else METHODS[method](A, b, rtol)
                answer = {
                    "cpu": 1e3 * (time.process_time() - cpu),
                    "wall": 1e3 * (time.perf_counter() - wall),
                }
            elif command == "count":
                counter = Counter(A)
                METHODS[words[0]](counter.operator, b, float(words[1]))
                answer = {"matvecs": counter.count}
            else:
                answer = {"error": f"unknown request {command}"}
        except Exception as error:
            answer = {"error": str(error)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()

"""What the clients send, and what ONNX Runtime itself says of it."""

import csv
import math
import pathlib
import sys

import numpy
import onnxruntime

HTTP, GRPC, IRIS = sys.argv[1:4]
SPECIES = ["setosa", "versicolor", "virginica"]


def _golden():
    with open(pathlib.Path(IRIS) / "golden.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    names = [name for name in rows[0] if not name.startswith("expected_")]
    return names, numpy.array([[row[name] for name in names] for row in rows], dtype=numpy.float32)


NAMES, FLOWERS = _golden()
# A run of an odd number of rows may differ in the last bit.
assert len(FLOWERS) % 2 == 0

_session = onnxruntime.InferenceSession(pathlib.Path(IRIS) / "model.onnx", providers=["CPUExecutionProvider"])
PROBABILITIES = _session.run(["probabilities"], {_session.get_inputs()[0].name: FLOWERS})[0]
LABELS = [SPECIES[at] for at in PROBABILITIES.argmax(axis=1)]

PLANS = numpy.array(["pro", "free", "gratuït", ""], dtype=object)
LOGINS = numpy.array([3, 0, -8, 2**53 + 1], dtype=numpy.int64)
ACTIVE = numpy.array([True, False, False, True])


def mixed_score(row):
    """What the bundle `mixed` says of itself."""
    exponent = 0.125 * LOGINS[row] + (PLANS[row] == "pro") + ACTIVE[row]
    return 1 / (1 + math.exp(min(exponent, 100)))


def says(what):
    """One line for each answer that was right."""
    print(what)


def same(what, found, expected=PROBABILITIES):
    """The same bits, in the same element type and shape."""
    assert found.dtype == expected.dtype, (what, found.dtype)
    assert found.shape == expected.shape, (what, found.shape)
    assert found.tobytes() == expected.tobytes(), (what, numpy.abs(found - expected).max())
    says(what)


def texts(what, found, expected):
    found = [one.decode() if isinstance(one, bytes) else one for one in found]
    assert found == list(expected), (what, found)
    says(what)


def near(what, found):
    for row, score in enumerate(found.reshape(-1)):
        assert abs(score - mixed_score(row)) < 1e-6, (what, row, score)
    says(what)


def true(what, condition):
    assert condition, what
    says(what)


def fails(what, call, words):
    """`call` raises an error with these words."""
    try:
        call()
    except Exception as error:
        assert words in str(error), (what, str(error))
        says(what)
        return
    raise AssertionError(f"{what}: no error")

"""tritonclient over HTTP: every combination of binary and JSON, in and out."""

import itertools

import numpy
import tritonclient.http as triton

from expected import *

client = triton.InferenceServerClient(HTTP)

true("live", client.is_server_live())
true("ready", client.is_server_ready())
true("model ready", client.is_model_ready("iris"))
true("no such model", not client.is_model_ready("irish"))
true("server", client.get_server_metadata()["name"] == "score-batch")
metadata = client.get_model_metadata("iris")
true("inputs", [one["name"] for one in metadata["inputs"]] == NAMES)
true("outputs", [one["name"] for one in metadata["outputs"]] == ["label", "probabilities", "rejected"])
version = metadata["versions"][0]
true("version ready", client.is_model_ready("iris", version))


def tensor(name, values, datatype, binary=True):
    found = triton.InferInput(name, list(values.shape), datatype)
    found.set_data_from_numpy(values, binary_data=binary)
    return found


def flowers(binary=True):
    return [tensor("measurements", FLOWERS, "FP32", binary)]


def requested(binary, names=("label", "probabilities", "rejected")):
    return None if binary is None else [triton.InferRequestedOutput(name, binary_data=binary) for name in names]


for binary_in, binary_out in itertools.product([True, False], [True, False, None]):
    what = f"in {binary_in}, out {binary_out}"
    answer = client.infer("iris", flowers(binary_in), outputs=requested(binary_out), request_id="flower 7")
    same(what, answer.as_numpy("probabilities"))
    texts(f"{what}: labels", answer.as_numpy("label"), LABELS)
    texts(f"{what}: none rejected", answer.as_numpy("rejected"), [""] * len(FLOWERS))
    response = answer.get_response()
    true(f"{what}: id", (response["id"], response["model_name"], response["model_version"]) == ("flower 7", "iris", version))

columns = [tensor(name, FLOWERS[:, at].copy(), "FP32", at % 2 == 0) for at, name in enumerate(NAMES)]
same("a tensor for each feature", client.infer("iris", columns).as_numpy("probabilities"))
for sent, wanted in [("gzip", None), ("deflate", None), (None, "gzip"), (None, "deflate"), ("gzip", "gzip")]:
    answer = client.infer("iris", flowers(), request_compression_algorithm=sent, response_compression_algorithm=wanted)
    same(f"compressed: {sent}, {wanted}", answer.as_numpy("probabilities"))
answer = client.infer("iris", flowers(), outputs=requested(True, ["probabilities"]), model_version=version)
true("only what is requested", [one["name"] for one in answer.get_response()["outputs"]] == ["probabilities"])

for binary in (True, False):
    inputs = [
        tensor("plan", PLANS, "BYTES", binary),
        # JSON has no integers beyond 2^53.
        tensor("logins", LOGINS, "INT64"),
        tensor("active", ACTIVE, "BOOL", binary),
    ]
    near(f"texts, integers and booleans: {binary}", client.infer("mixed", inputs).as_numpy("score"))

odd = FLOWERS[:2].copy()
odd[1, 2] = numpy.nan
answer = client.infer("iris", [tensor("measurements", odd, "FP32")])
true("a rejected row", numpy.isnan(answer.as_numpy("probabilities")).tolist() == [[False] * 3, [True] * 3])
true("its reason", b"petal_length" in answer.as_numpy("rejected")[1] and answer.as_numpy("rejected")[0] == b"")
out_of_range = FLOWERS[:1] + numpy.float32(1000)
fails(
    "a rejected row that would not show",
    lambda: client.infer("iris", [tensor("measurements", out_of_range, "FP32")], outputs=requested(True, ["label"])),
    "feature out of range: sepal_length",
)
fails("an unknown model", lambda: client.infer("irish", flowers()), "irish")
fails("an unknown input", lambda: client.infer("iris", [tensor("measures", FLOWERS, "FP32")]), "measures")
fails("another shape", lambda: client.infer("iris", [tensor("measurements", FLOWERS[:, :3].copy(), "FP32")]), "[32, 3]")

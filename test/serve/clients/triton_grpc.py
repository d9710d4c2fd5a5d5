"""tritonclient over gRPC, which sends raw contents, and typed ones with its message classes."""

import grpc
import numpy
import tritonclient.grpc as triton
from tritonclient.grpc import service_pb2, service_pb2_grpc

from expected import *

client = triton.InferenceServerClient(GRPC)

true("live", client.is_server_live())
true("ready", client.is_server_ready())
true("model ready", client.is_model_ready("iris"))
true("server", client.get_server_metadata().name == "score-batch")
metadata = client.get_model_metadata("iris")
true("inputs", [one.name for one in metadata.inputs] == NAMES)
true("outputs", [list(one.shape) for one in metadata.outputs] == [[-1], [-1, 3], [-1]])
version = metadata.versions[0]
true("version ready", client.is_model_ready("iris", version))


def tensor(name, values, datatype):
    found = triton.InferInput(name, list(values.shape), datatype)
    found.set_data_from_numpy(values)
    return found


flowers = [tensor("measurements", FLOWERS, "FP32")]
answer = client.infer("iris", flowers, request_id="flower 7")
same("raw", answer.as_numpy("probabilities"))
texts("labels", answer.as_numpy("label"), LABELS)
response = answer.get_response()
true("raw out", len(response.raw_output_contents) == 3 and not response.outputs[1].HasField("contents"))
true("id", (response.id, response.model_name, response.model_version) == ("flower 7", "iris", version))
for algorithm in ("gzip", "deflate"):
    same(algorithm, client.infer("iris", flowers, compression_algorithm=algorithm).as_numpy("probabilities"))
wanted = [triton.InferRequestedOutput("probabilities")]
answer = client.infer("iris", flowers, outputs=wanted, model_version=version, client_timeout=60, timeout=60_000_000)
true("only what is requested", [one.name for one in answer.get_response().outputs] == ["probabilities"])
columns = [tensor(name, FLOWERS[:, at].copy(), "FP32") for at, name in enumerate(NAMES)]
same("a tensor for each feature", client.infer("iris", columns).as_numpy("probabilities"))
inputs = [tensor("plan", PLANS, "BYTES"), tensor("logins", LOGINS, "INT64"), tensor("active", ACTIVE, "BOOL")]
near("texts, integers and booleans", client.infer("mixed", inputs).as_numpy("score"))

stub = service_pb2_grpc.GRPCInferenceServiceStub(grpc.insecure_channel(GRPC))
request = service_pb2.ModelInferRequest(model_name="iris")
request.inputs.add(name="measurements", datatype="FP32", shape=FLOWERS.shape).contents.fp32_contents.extend(FLOWERS.reshape(-1))
response = stub.ModelInfer(request)
outputs = {one.name: one.contents for one in response.outputs}
true("typed out", len(response.raw_output_contents) == 0)
same("typed", numpy.array(outputs["probabilities"].fp32_contents, dtype=numpy.float32).reshape(-1, 3))
request = service_pb2.ModelInferRequest(model_name="mixed")
request.inputs.add(name="plan", datatype="BYTES", shape=[4]).contents.bytes_contents.extend(one.encode() for one in PLANS)
request.inputs.add(name="logins", datatype="INT64", shape=[4]).contents.int64_contents.extend(LOGINS.tolist())
request.inputs.add(name="active", datatype="BOOL", shape=[4]).contents.bool_contents.extend(ACTIVE.tolist())
near("typed texts, integers and booleans", numpy.array(stub.ModelInfer(request).outputs[0].contents.fp32_contents))

fails("an unknown model", lambda: client.infer("irish", flowers), "[StatusCode.NOT_FOUND]")
fails("an unknown input", lambda: client.infer("iris", [tensor("measures", FLOWERS, "FP32")]), "[StatusCode.INVALID_ARGUMENT]")

"""KServe's clients for REST and gRPC."""

import asyncio

import grpc
import httpx
from kserve import InferenceGRPCClient, InferenceRESTClient, InferInput, InferRequest
from kserve.inference_client import RESTConfig

from expected import *


def request(binary, name="measurements", model="iris"):
    tensor = InferInput(name, list(FLOWERS.shape), "FP32")
    tensor.set_data_from_numpy(FLOWERS, binary_data=binary)
    return InferRequest(model, [tensor], request_id="flower 7")


def check(what, answer):
    outputs = {one.name: one for one in answer.outputs}
    same(what, outputs["probabilities"].as_numpy())
    texts(f"{what}: labels", outputs["label"].as_numpy(), LABELS)
    assert (answer.id, answer.model_name) == ("flower 7", "iris")


async def rest():
    client = InferenceRESTClient(RESTConfig(protocol="v2"))
    base = f"http://{HTTP}"
    true("live", await client.is_server_live(base))
    true("ready", await client.is_server_ready(base))
    true("model ready", await client.is_model_ready(base, "iris"))
    check("REST, JSON", await client.infer(base, request(False), model_name="iris"))
    check("REST, binary", await client.infer(base, request(True), model_name="iris"))
    try:
        await client.infer(base, request(False, model="irish"), model_name="irish")
    except httpx.HTTPStatusError as error:
        true("an unknown model", error.response.status_code == 404)


async def remote():
    async with InferenceGRPCClient(GRPC) as client:
        true("gRPC: live", await client.is_server_live())
        true("gRPC: ready", await client.is_server_ready() and await client.is_model_ready("iris"))
        check("gRPC", await client.infer(request(True)))
        try:
            await client.infer(request(True, name="measures"))
        except grpc.RpcError as error:
            true("gRPC: an unknown input", error.code() == grpc.StatusCode.INVALID_ARGUMENT and "measures" in error.details())


asyncio.run(rest())
asyncio.run(remote())

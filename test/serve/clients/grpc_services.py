"""gRPC's own health and reflection."""

import grpc
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from expected import *

SERVICE = "inference.GRPCInferenceService"
channel = grpc.insecure_channel(GRPC)

health = health_pb2_grpc.HealthStub(channel)
for name in ("", SERVICE):
    answer = health.Check(health_pb2.HealthCheckRequest(service=name))
    true(f"health of {name}", answer.status == health_pb2.HealthCheckResponse.SERVING)
watch = health.Watch(health_pb2.HealthCheckRequest(service=SERVICE))
true("watched", next(watch).status == health_pb2.HealthCheckResponse.SERVING)
watch.cancel()
try:
    health.Check(health_pb2.HealthCheckRequest(service="inference.Other"))
except grpc.RpcError as error:
    true("another service", error.code() == grpc.StatusCode.NOT_FOUND)

database = ProtoReflectionDescriptorDatabase(channel)
true("services", {SERVICE, "grpc.health.v1.Health"} <= set(database.get_services()))
service = DescriptorPool(database).FindServiceByName(SERVICE)
METHODS = ["ServerLive", "ServerReady", "ModelReady", "ServerMetadata", "ModelMetadata", "ModelInfer"]
true("methods", [method.name for method in service.methods] == METHODS)

// ONNX Runtime sends usage data to Microsoft and writes a log of it to the temporary folder in every process. This must be set
// before it loads. Users can opt in through the environment.
process.env.ORT_DISABLE_TELEMETRY ??= '1';

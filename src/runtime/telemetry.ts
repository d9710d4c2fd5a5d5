// ONNX Runtime tells Microsoft of its use, and leaves a log of it in the temporary folder for every process, unless this is set
// before it is loaded. Whoever wants that says so in the environment.
process.env.ORT_DISABLE_TELEMETRY ??= '1';

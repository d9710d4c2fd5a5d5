import type { InferenceSession } from 'onnxruntime-node';
import { type ProviderText, parseProvider } from '../domain/provider.ts';

/** The session configuration for one provider. ONNX Runtime appends cpu itself. */
export function executionProviders(provider: ProviderText): InferenceSession.ExecutionProviderConfig[] {
  const { name, device } = parseProvider(provider);
  const on = (provider: string) => (device === undefined ? provider : { name: provider, deviceId: device });
  // NVIDIA's libraries may round float32 to 10 bits of mantissa (TF32). Scores must match cpu, unless the user opts in.
  if (name === 'cuda' || name === 'tensorrt') process.env.NVIDIA_TF32_OVERRIDE ??= '0';
  // CUDA runs the nodes that TensorRT has no kernel for. Its libraries are present wherever TensorRT's are.
  return name === 'tensorrt' ? [on(name), on('cuda')] : [on(name)];
}

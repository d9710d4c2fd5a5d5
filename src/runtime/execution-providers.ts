import type { InferenceSession } from 'onnxruntime-node';
import { type ProviderText, parseProvider } from '../domain/provider.ts';

/** What a session is opened with for one provider; cpu comes last by itself. */
export function executionProviders(provider: ProviderText): InferenceSession.ExecutionProviderConfig[] {
  const { name, device } = parseProvider(provider);
  const on = (provider: string) => (device === undefined ? provider : { name: provider, deviceId: device });
  // NVIDIA's libraries may round float32 to 10 bits of mantissa; scores are to be those of cpu, unless somebody wants that.
  if (name === 'cuda' || name === 'tensorrt') process.env.NVIDIA_TF32_OVERRIDE ??= '0';
  // What TensorRT has no kernel for, CUDA may have: its libraries are there wherever TensorRT's are.
  return name === 'tensorrt' ? [on(name), on('cuda')] : [on(name)];
}

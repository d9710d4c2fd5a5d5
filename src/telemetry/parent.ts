import { type Context, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { parseTraceParent, TraceState } from '@opentelemetry/core';

/**
 * The span that started this process, which schedulers pass in TRACEPARENT and TRACESTATE as in W3C Trace Context.
 *
 * @returns undefined if TRACEPARENT is invalid
 */
export function parentOf({ TRACEPARENT: parent, TRACESTATE: state }: NodeJS.ProcessEnv): Context | undefined {
  if (!parent) return ROOT_CONTEXT;
  const span = parseTraceParent(parent.trim());
  if (span === null) return undefined;
  const traceState = state ? { traceState: new TraceState(state) } : {};
  return trace.setSpanContext(ROOT_CONTEXT, { ...span, ...traceState, isRemote: true });
}

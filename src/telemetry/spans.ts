import { type Context, type Span, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api';
import type { ObservedEnd, ObservedRun, RunObserver } from '../observe/observer.ts';
import { attributesOfEnd, attributesOfRun } from './attributes.ts';

/** A span per run, with a child span per stage. @param parent the span that started this process */
export function observeSpans(tracer: Tracer, parent: Context): Omit<RunObserver, 'close'> {
  const open = new Map<ObservedRun, Span>();
  return {
    began(run) {
      const startTime = new Date(run.began);
      open.set(
        run,
        tracer.startSpan(`run ${run.plan.job.definition.name}`, { startTime, attributes: attributesOfRun(run) }, parent),
      );
    },
    ended(run, end) {
      const span = open.get(run);
      if (span === undefined) return;
      open.delete(run);
      addStages(tracer, trace.setSpan(parent, span), end);
      span.setAttributes(attributesOfEnd(end));
      if (end.state === 'failed' || end.state === 'refused') span.setStatus({ code: SpanStatusCode.ERROR });
      span.end(new Date(end.ended));
    },
  };
}

function addStages(tracer: Tracer, parent: Context, { stages }: ObservedEnd): void {
  for (const { stage, began, ended } of stages) {
    const attributes = { 'score_batch.stage': stage };
    tracer.startSpan(stage, { startTime: new Date(began), attributes }, parent).end(new Date(ended));
  }
}

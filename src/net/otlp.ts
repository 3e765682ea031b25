/**
 * Spans and metrics to an OpenTelemetry collector over OTLP/HTTP. The exporters are OpenTelemetry's own; what they are
 * given is made elsewhere (contract/spans.ts, control/otlp-companion.ts). Loaded only where it is configured.
 *
 * A batch is tried again by the exporter for as long as its time allows (`TIMEOUT_MS`) and then given up: a collector
 * that is away for long costs what it would have been told, and no memory.
 */
import { SpanKind, SpanStatusCode } from "@opentelemetry/api";
import type { HrTime } from "@opentelemetry/api";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-http";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import type { Otlp, OtlpFigures, OtlpOptions } from "../contract/otlp.ts";
import type { Span } from "../contract/spans.ts";

const TIMEOUT_MS = 10_000;
const SAMPLED = 1;

export function openOtlp(options: OtlpOptions, figures: () => OtlpFigures): Otlp {
  const resource = resourceFromAttributes({
    "service.name": "goodgate",
    "service.version": options.version,
    "service.instance.id": options.node,
    "host.name": options.node,
  });
  const scope = { name: "goodgate", version: options.version };
  const traces = options.traces
    ? new OTLPTraceExporter({ url: `${options.url}/v1/traces`, headers: options.headers, timeoutMillis: TIMEOUT_MS })
    : null;
  const meters = options.metrics ? startMetrics(options, resource, figures) : null;
  return {
    send(spans, done) {
      if (traces === null) {
        done(null);
        return;
      }
      traces.export(
        spans.map((span) => readable(span, resource, scope)),
        ({ error }) => done(error === undefined ? null : reasonOf(error)),
      );
    },
    async close() {
      await Promise.allSettled([traces?.shutdown(), meters?.shutdown()]);
    },
  };
}

/** One that tried several addresses has no words of its own. */
function reasonOf(error: Error): string {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  return first instanceof Error && first.message !== "" ? first.message : error.name;
}

function readable(
  span: Span,
  resource: ReadableSpan["resource"],
  instrumentationScope: ReadableSpan["instrumentationScope"],
): ReadableSpan {
  const context = (spanId: string): ReturnType<ReadableSpan["spanContext"]> => ({
    traceId: span.traceId,
    spanId,
    traceFlags: SAMPLED,
  });
  return {
    name: span.name,
    kind: span.kind === "server" ? SpanKind.SERVER : SpanKind.CLIENT,
    spanContext: () => context(span.spanId),
    ...(span.parentSpanId === "" ? {} : { parentSpanContext: { ...context(span.parentSpanId), isRemote: true } }),
    startTime: time(span.startUs),
    endTime: time(span.endUs),
    duration: time(span.endUs - span.startUs),
    status: span.error === "" ? { code: SpanStatusCode.UNSET } : { code: SpanStatusCode.ERROR, message: span.error },
    attributes: { ...span.attributes },
    links: [],
    events: span.events.map(({ name, atUs, attributes }) => ({
      name,
      time: time(atUs),
      attributes: { ...attributes },
    })),
    ended: true,
    resource,
    instrumentationScope,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

/** Seconds and nanoseconds. */
function time(us: number): HrTime {
  const seconds = Math.floor(us / 1e6);
  return [seconds, Math.round(us - seconds * 1e6) * 1000];
}

function startMetrics(
  { url, headers, intervalMs, version }: OtlpOptions,
  resource: ReadableSpan["resource"],
  figures: () => OtlpFigures,
): MeterProvider {
  const exporter = new OTLPMetricExporter({ url: `${url}/v1/metrics`, headers, timeoutMillis: TIMEOUT_MS });
  const reader = new PeriodicExportingMetricReader({
    exporter,
    exportIntervalMillis: intervalMs,
    exportTimeoutMillis: Math.min(intervalMs, TIMEOUT_MS),
  });
  const provider = new MeterProvider({ resource, readers: [reader] });
  const meter = provider.getMeter("goodgate", version);
  const kinds = {
    exchanges: meter.createObservableCounter("goodgate.exchanges", {
      description: "Exchanges that ended, by outcome.",
    }),
    causes: meter.createObservableCounter("goodgate.causes", { description: "Exchanges that ended with a cause." }),
    attempts: meter.createObservableCounter("goodgate.attempts", { description: "Attempts at an origin's address." }),
    failures: meter.createObservableCounter("goodgate.attempt.failures", {
      description: "Attempts that failed, by cause.",
    }),
    duration: meter.createObservableGauge("goodgate.exchange.duration", {
      unit: "ms",
      description: "Quantiles of the last ten seconds.",
    }),
    incidents: meter.createObservableGauge("goodgate.incidents.open", {
      description: "Incidents that go on, by severity.",
    }),
    "traces left out": meter.createObservableCounter("goodgate.traces.left_out", {
      description: "Exchanges that failed, were rescued or were slow and have no trace, by what left them out.",
    }),
  };
  meter.addBatchObservableCallback((result) => {
    for (const { metric, value, attributes } of figures()) result.observe(kinds[metric], value, attributes);
  }, Object.values(kinds));
  return provider;
}

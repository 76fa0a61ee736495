// Sends traces of two small chains of services with the OpenTelemetry SDK, as OTEL_EXPORTER_OTLP_ENDPOINT and
// OTEL_EXPORTER_OTLP_HEADERS say. Within a chain each service has an exporter of its own: protobuf or JSON, gzip or not, so
// that both ends of one call arrive in different encodings. Ends with 1 when an export failed.
'use strict';
const {trace, ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags} = require('@opentelemetry/api');
const {BasicTracerProvider, BatchSpanProcessor} = require('@opentelemetry/sdk-trace-base');
const {resourceFromAttributes} = require('@opentelemetry/resources');
const http = require('@opentelemetry/exporter-trace-otlp-http');
const proto = require('@opentelemetry/exporter-trace-otlp-proto');

const ROUNDS = 40;
const failures = [];

class Checked {
  constructor(inner) {
    this.inner = inner;
  }
  export(spans, done) {
    this.inner.export(spans, (result) => {
      if (result.code !== 0) {
        failures.push(String(result.error));
      }
      done(result);
    });
  }
  forceFlush() {
    return this.inner.forceFlush();
  }
  shutdown() {
    return this.inner.shutdown();
  }
}

class Service {
  constructor(name, exporter) {
    this.provider = new BasicTracerProvider({
      resource: resourceFromAttributes({'service.name': name, 'service.version': '1.2.3', 'deployment.environment.name': 'test'}),
      spanProcessors: [new BatchSpanProcessor(new Checked(exporter), {scheduledDelayMillis: 100})],
    });
    this.tracer = this.provider.getTracer('pawl-test', '1');
  }
  span(name, kind, parent, attributes, work) {
    const span = this.tracer.startSpan(name, {kind, attributes: {...attributes, 'app.items': 3, 'app.tags': ['a', 'b'], 'app.ok': true}}, parent);
    try {
      return work(trace.setSpan(parent, span), span);
    } finally {
      span.end();
    }
  }
}

// What travels between processes: a traceparent header, written and read by hand.
function header(ctx) {
  const c = trace.getSpanContext(ctx);
  return `00-${c.traceId}-${c.spanId}-01`;
}

function received(text) {
  const [, traceId, spanId] = text.split('-');
  return trace.setSpanContext(ROOT_CONTEXT, {traceId, spanId, traceFlags: TraceFlags.SAMPLED, isRemote: true});
}

function request(shop, n) {
  shop.web.span('GET /', SpanKind.SERVER, ROOT_CONTEXT, {'http.request.method': 'GET'}, (web) => {
    shop.web.span('POST /orders', SpanKind.CLIENT, web, {'server.address': 'orders.example'}, (out) => {
      shop.orders.span('POST /orders', SpanKind.SERVER, received(header(out)), {'url.path': '/orders'}, (at, span) => {
        shop.orders.span('INSERT orders', SpanKind.CLIENT, at, {'db.system.name': 'postgresql', 'db.namespace': shop.database}, () => {});
        shop.orders.span('send', SpanKind.PRODUCER, at, {'messaging.system': 'kafka', 'messaging.destination.name': shop.queue}, (sent) => {
          shop.mailer.span('process', SpanKind.CONSUMER, received(header(sent)),
            {'messaging.system': 'kafka', 'messaging.destination.name': shop.queue}, () => {});
        });
        if (n % 10 === 0) {
          span.setStatus({code: SpanStatusCode.ERROR, message: 'no stock'});
        }
      });
    });
  });
}

function shop(prefix, forWeb, forOthers) {
  return {
    web: new Service(`${prefix}-web`, forWeb()),
    orders: new Service(`${prefix}-orders`, forOthers()),
    mailer: new Service(`${prefix}-mailer`, forOthers()),
    database: `${prefix}-db`,
    queue: `${prefix}-mails`,
  };
}

async function main() {
  const shops = [
    shop('one', () => new proto.OTLPTraceExporter({compression: 'gzip'}), () => new http.OTLPTraceExporter()),
    shop('two', () => new http.OTLPTraceExporter({compression: 'gzip'}), () => new proto.OTLPTraceExporter()),
  ];
  for (let n = 0; n < ROUNDS; n++) {
    shops.forEach((s) => request(s, n));
  }
  for (const s of shops) {
    for (const service of [s.web, s.orders, s.mailer]) {
      await service.provider.forceFlush();
      await service.provider.shutdown();
    }
  }
  if (failures.length > 0) {
    console.error(failures.join('\n'));
    process.exit(1);
  }
  console.log(`sent ${ROUNDS} requests of ${shops.length} shops`);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});

//! `opentelemetry` at work.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use plugin_api::{
    BuildContext, BuildError, COMPATIBLE_VERSION, Exchange, Handler, Instruments, NodeInfo,
    Outcome, PluginInput, ResponseSource, ResponseView, Step, Tracing,
};
use uuid::Uuid;

use super::otlp::{self, Attributes, Kind, LogRecord, Span, Value};
use super::schema::Config;
use crate::measures;
use crate::outbox::{Courier, Deliver, Endpoint, EndpointSettings};
use crate::trace::{Extracted, Injected, SpanId, TraceId, is_sampled_by_ratio};

/// How long an idle connection to a collector is kept.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// Prepares an instance.
pub(super) fn build(
    input: &PluginInput<'_>,
    context: &mut BuildContext<'_>,
) -> Result<Arc<dyn Handler>, BuildError> {
    let config = Config::try_from(input.config)?;
    let resource = otlp::resource(&resource(&config, context.node));
    let courier = |field, url: &Option<String>| match url {
        None => Ok(None),
        Some(url) => courier(input.id, (field, url), &config, &resource).map(Some),
    };
    let tracing = context.node.tracing;
    if !tracing.instruments.contains(Instruments::REQUEST) && config.traces_endpoint.is_some() {
        context.notices.push(
            "`tracing_instrumentations` of the node does not name `request`: traces are told to \
             services and not exported"
                .to_owned(),
        );
    }
    Ok(Arc::new(OpenTelemetry {
        id: input.id,
        traces: courier("traces_endpoint", &config.traces_endpoint)?,
        logs: courier("logs_endpoint", &config.logs_endpoint)?,
        tracing,
        config,
    }))
}

/// Who sends, as the configuration and the node say.
fn resource(config: &Config, node: &NodeInfo) -> Vec<(String, String)> {
    let mut all = vec![
        ("service.name".to_owned(), "kong".to_owned()),
        ("service.instance.id".to_owned(), node.id.to_string()),
        ("service.version".to_owned(), COMPATIBLE_VERSION.to_owned()),
    ];
    for (key, value) in &config.resource_attributes {
        match all.iter_mut().find(|(known, _)| known == key) {
            Some((_, held)) => held.clone_from(value),
            None => all.push((key.clone(), value.clone())),
        }
    }
    all
}

fn courier(
    id: Uuid,
    (field, url): (&'static str, &str),
    config: &Config,
    resource: &[u8],
) -> Result<Courier<Vec<u8>>, BuildError> {
    let make = || {
        let mut endpoint = Endpoint::prepare(&EndpointSettings {
            field,
            url,
            method: "POST",
            content_type: "application/x-protobuf",
            headers: &config.headers,
            timeout: config.timeout,
            keepalive: KEEPALIVE,
        })?;
        let resource = resource.to_vec();
        let deliver: Deliver<Vec<u8>> =
            Box::new(move |entries| endpoint.send(&otlp::request(&resource, entries)));
        Ok(deliver)
    };
    Courier::with(format!("opentelemetry {id}"), config.policy, make)
}

struct OpenTelemetry {
    id: Uuid,
    config: Config,
    tracing: Tracing,
    traces: Option<Courier<Vec<u8>>>,
    logs: Option<Courier<Vec<u8>>>,
}

/// The trace of a request.
#[derive(Clone)]
struct Traced {
    by: Uuid,
    trace_id: TraceId,
    /// The span of the request.
    root: SpanId,
    parent: Option<SpanId>,
    /// The span of the attempt at the service, if attempts are traced.
    attempt: Option<SpanId>,
    is_sampled: bool,
}

impl OpenTelemetry {
    fn begin(&self, found: &Extracted) -> Traced {
        let trace_id = found.trace_id.unwrap_or_else(|| TraceId::random(16));
        let rate = self.config.sampling_rate;
        let rate = rate.unwrap_or(self.tracing.sampling_rate);
        // Compat: without spans of requests nothing is collected; a caller who does not collect is
        // followed, one who does is not.
        let is_sampled = self.tracing.instruments.contains(Instruments::REQUEST)
            && found.should_sample != Some(false)
            && is_sampled_by_ratio(&trace_id, rate);
        let attempts = self.tracing.instruments.contains(Instruments::BALANCER);
        Traced {
            by: self.id,
            trace_id,
            root: SpanId::random(),
            parent: found.span_id.or(found.parent_id),
            attempt: attempts.then(SpanId::random),
            is_sampled,
        }
    }

    /// The trace of the request, begun now if access was skipped.
    fn traced(&self, exchange: &mut Exchange<'_>) -> Traced {
        if let Some(traced) = exchange.locals.get::<Traced>()
            && traced.by == self.id
        {
            return traced.clone();
        }
        let traced = self.begin(&self.config.propagation.extract(exchange));
        exchange.locals.insert(traced.clone());
        traced
    }

    fn attempt_span(traced: &Traced, exchange: &Exchange<'_>, outcome: &Outcome) -> Option<Span> {
        let address = outcome.backend_address?;
        let host = exchange
            .service
            .map(|service| measures::text(&service.host));
        Some(Span {
            trace_id: traced.trace_id,
            id: traced.attempt?,
            parent: Some(traced.root),
            name: "kong.balancer",
            kind: Kind::Client,
            start: outcome.handed_on_us,
            end: match outcome.answered_us {
                0 => outcome.ended_us,
                moment => moment,
            },
            attributes: vec![
                ("try_count", u64::from(outcome.tries).into()),
                ("net.peer.ip", address.ip().to_string().into()),
                ("net.peer.port", u64::from(address.port()).into()),
                ("net.peer.name", host.unwrap_or_default().into()),
            ],
            is_error: outcome.source != ResponseSource::Service,
        })
    }

    fn root_span(traced: &Traced, exchange: &Exchange<'_>, outcome: &Outcome) -> Span {
        Span {
            trace_id: traced.trace_id,
            id: traced.root,
            parent: traced.parent,
            name: "kong",
            kind: Kind::Server,
            start: outcome.started_us,
            end: outcome.ended_us,
            attributes: attributes(exchange, outcome),
            is_error: outcome.status >= 500,
        }
    }

    /// The line of a request that the gateway itself could not answer well.
    fn log_record(traced: &Traced, exchange: &Exchange<'_>, outcome: &Outcome) -> LogRecord {
        LogRecord {
            time: outcome.ended_us,
            text: format!(
                "the request was answered {} by the gateway after {} attempts",
                outcome.status, outcome.tries
            ),
            trace_id: traced.trace_id,
            span_id: traced.root,
            is_sampled: traced.is_sampled,
            attributes: vec![("request.id", exchange.request_id.into())],
        }
    }
}

/// Compat: the attributes of the reference's span of a request.
fn attributes(exchange: &Exchange<'_>, outcome: &Outcome) -> Attributes {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let head = &exchange.head;
    let host = text(head.header("host").unwrap_or_default());
    let host = host.split(':').next().unwrap_or_default().to_owned();
    let scheme = exchange.client.scheme.as_str();
    let target = text(head.target());
    let version = head.index.version.as_str();
    let client_ip = exchange.client.ip.to_string();
    let mut all: Attributes = vec![
        ("http.method", text(head.method()).into()),
        ("http.url", format!("{scheme}://{host}{target}").into()),
        ("http.host", host.into()),
        ("http.scheme", scheme.into()),
        ("http.flavor", version.into()),
        ("http.client_ip", client_ip.into()),
        ("net.peer.ip", exchange.client.peer.ip().to_string().into()),
        ("http.status_code", u64::from(outcome.status).into()),
        ("kong.request.id", exchange.request_id.into()),
    ];
    if let Some(route) = exchange.route {
        all.push(("kong.route.id", measures::text(&route.id_text).into()));
    }
    if let Some(service) = exchange.service {
        all.push(("kong.service.id", measures::text(&service.id_text).into()));
    }
    if outcome.source == ResponseSource::Error {
        all.push(("error", Value::Flag(true)));
    }
    all
}

impl Handler for OpenTelemetry {
    fn access<'a>(&'a self, exchange: &'a mut Exchange<'_>) -> Step<'a> {
        let found = self.config.propagation.extract(exchange);
        let traced = self.begin(&found);
        let is_attempt = traced.attempt.is_some();
        let told = Injected {
            trace_id: traced.trace_id,
            span_id: traced.attempt.unwrap_or(traced.root),
            parent_id: if is_attempt {
                Some(traced.root)
            } else {
                traced.parent
            },
            is_sampled: traced.is_sampled,
            tells_refusal: true,
        };
        exchange.locals.insert(traced);
        self.config.propagation.inject(exchange, &found, &told);
        Step::CONTINUE
    }

    fn header_filter(&self, exchange: &mut Exchange<'_>, response: &mut ResponseView<'_>) {
        if let Some(name) = &self.config.response_header {
            let traced = self.traced(exchange);
            let id = traced.trace_id.hex(&[16]);
            response.headers.add(name.clone(), Bytes::from(id));
        }
    }

    fn log(&self, exchange: &mut Exchange<'_>, outcome: &Outcome) {
        let traced = self.traced(exchange);
        if let Some(logs) = &self.logs
            && outcome.source == ResponseSource::Error
            && outcome.status >= 500
        {
            logs.send(Self::log_record(&traced, exchange, outcome).encode());
        }
        let Some(traces) = self.traces.as_ref().filter(|_| traced.is_sampled) else {
            return;
        };
        if let Some(span) = Self::attempt_span(&traced, exchange, outcome) {
            traces.send(span.encode());
        }
        traces.send(Self::root_span(&traced, exchange, outcome).encode());
    }
}

//! `zipkin` at work.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use plugin_api::{
    BuildContext, BuildError, Exchange, Handler, Outcome, PluginInput, ResponseSource,
    ResponseView, Step,
};
use uuid::Uuid;

use super::schema::Config;
use super::span::{Remote, Span};
use crate::outbox::{Courier, Deliver, Endpoint, EndpointSettings};
use crate::trace::{Extracted, Injected, SpanId, TraceId, is_sampled_by_ratio};

/// How long an idle connection to the collector is kept.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// Limit: tags that a client may add.
const TAGS_MAX: usize = 64;

/// Prepares an instance.
pub(super) fn build(
    input: &PluginInput<'_>,
    context: &mut BuildContext<'_>,
) -> Result<Arc<dyn Handler>, BuildError> {
    let config = Config::try_from(input.config)?;
    let courier = match &config.endpoint {
        None => None,
        Some(url) => {
            let make = || sender(url, &config);
            let name = format!("zipkin {}", input.id);
            Some(Courier::with(name, config.policy, make)?)
        }
    };
    Ok(Arc::new(Zipkin {
        id: input.id,
        node_id: context.node.id.to_string(),
        config,
        courier,
    }))
}

fn sender(url: &str, config: &Config) -> Result<Deliver<Vec<u8>>, BuildError> {
    let mut endpoint = Endpoint::prepare(&EndpointSettings {
        field: "http_endpoint",
        url,
        method: "POST",
        content_type: "application/json",
        headers: &[],
        timeout: config.timeout,
        keepalive: KEEPALIVE,
    })?;
    Ok(Box::new(move |spans: &[Vec<u8>]| {
        let mut list = vec![b'['];
        list.extend_from_slice(&spans.join(&b','));
        list.push(b']');
        endpoint.send(&list)
    }))
}

struct Zipkin {
    id: Uuid,
    node_id: String,
    config: Config,
    courier: Option<Courier<Vec<u8>>>,
}

/// The trace of a request.
#[derive(Clone)]
struct Traced {
    by: Uuid,
    trace_id: TraceId,
    /// The span of the request.
    span_id: SpanId,
    parent_id: Option<SpanId>,
    /// The span towards the service.
    proxy_id: SpanId,
    is_sampled: bool,
}

impl Zipkin {
    /// Takes up the trace of the client, or begins one.
    fn begin(&self, found: &Extracted) -> Traced {
        let trace_id = found.trace_id;
        let trace_id = trace_id.unwrap_or_else(|| TraceId::random(self.config.trace_id_bytes));
        // A format in which both sides share a span goes on with that of the client.
        let (span_id, parent_id) = match found.span_id {
            Some(shared) if found.reuses_span => (shared, found.parent_id),
            other => (SpanId::random(), other),
        };
        let by_ratio = || {
            let ratio = self.config.sample_ratio;
            ratio > 0.0 && is_sampled_by_ratio(&TraceId::random(16), ratio)
        };
        Traced {
            by: self.id,
            trace_id,
            span_id,
            parent_id,
            proxy_id: SpanId::random(),
            is_sampled: found.should_sample.unwrap_or_else(by_ratio),
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

    /// Compat: the method as the client sent it, with the path if the configuration says so.
    fn name(&self, exchange: &Exchange<'_>) -> String {
        let method = String::from_utf8_lossy(exchange.head.method()).into_owned();
        if self.config.names_path {
            let path = String::from_utf8_lossy(exchange.head.path());
            return format!("{method} {path}");
        }
        method
    }

    fn service_name(&self, exchange: &Exchange<'_>) -> Option<String> {
        let name = exchange.service.and_then(|service| service.name.as_ref());
        let name = name.map(|name| String::from_utf8_lossy(name).into_owned());
        name.or_else(|| self.config.default_service_name.clone())
    }

    /// The span of the request.
    fn request_span(&self, traced: &Traced, exchange: &Exchange<'_>, outcome: &Outcome) -> Span {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let head = &exchange.head;
        let mut span = Span {
            trace_id: traced.trace_id,
            id: traced.span_id,
            parent: traced.parent_id,
            kind: "SERVER",
            name: self.name(exchange),
            start: outcome.started_us,
            end: outcome.ended_us,
            tags: Vec::new(),
            annotations: Vec::new(),
            remote: Remote {
                service_name: self.config.default_service_name.clone(),
                ip: Some(exchange.client.ip),
                port: Some(exchange.client.port),
            },
        };
        let host = text(head.header("host").unwrap_or_default());
        let host = host.split(':').next().unwrap_or_default().to_owned();
        let version = head.index.version.as_str();
        span.tag("lc", "kong");
        span.tag("http.method", text(head.method()));
        span.tag("http.host", host);
        span.tag("http.path", text(head.path()));
        span.tag("http.protocol", format!("HTTP/{version}"));
        for (name, value) in &self.config.static_tags {
            span.tag(name, value.as_str());
        }
        if let Some(tags) = head.header(&self.config.tags_header) {
            span.tags.extend(tags_of(&text(tags)));
        }
        span.tag("http.status_code", outcome.status.to_string());
        if let Some(consumer) = &exchange.identity.consumer {
            span.tag("kong.consumer", text(&consumer.id_text));
        }
        let credential = exchange.identity.credential.as_ref();
        if let Some(credential) = credential.filter(|_| self.config.include_credential) {
            span.tag("kong.credential", text(&credential.id_text));
        }
        span.tag("kong.node.id", self.node_id.as_str());
        span
    }

    /// The span towards the service.
    fn proxy_span(&self, traced: &Traced, exchange: &Exchange<'_>, outcome: &Outcome) -> Span {
        let mut span = Span {
            trace_id: traced.trace_id,
            id: traced.proxy_id,
            parent: Some(traced.span_id),
            kind: "CLIENT",
            name: format!("{} (proxy)", self.name(exchange)),
            start: outcome.started_us,
            end: outcome.ended_us,
            tags: Vec::new(),
            annotations: Vec::new(),
            remote: Remote {
                service_name: self.service_name(exchange),
                ip: outcome.backend_address.map(|address| address.ip()),
                port: outcome.backend_address.map(|address| address.port()),
            },
        };
        self.note_phases(&mut span, outcome);
        if let Some(service) = exchange
            .service
            .filter(|_| outcome.backend_address.is_some())
        {
            span.tag("peer.hostname", String::from_utf8_lossy(&service.host));
        }
        Self::tag_place(&mut span, exchange);
        span
    }

    /// When the phases began and ended, as far as the node notes it: everything before the service
    /// is access, everything from its answer on is filters.
    fn note_phases(&self, span: &mut Span, outcome: &Outcome) {
        let access_end = match outcome.handed_on_us {
            0 => outcome.ended_us,
            moment => moment,
        };
        let filter_start = match outcome.answered_us {
            0 => access_end,
            moment => moment,
        };
        if self.config.has_phase_tags {
            let took = |from: u64, to: u64| (to.saturating_sub(from) / 1000).to_string();
            span.tag(
                "kong.access.duration_ms",
                took(outcome.started_us, access_end),
            );
            span.tag("kong.header_filter.duration_ms", "0");
            span.tag(
                "kong.body_filter.duration_ms",
                took(filter_start, outcome.ended_us),
            );
            return;
        }
        span.annotations = vec![
            (outcome.started_us, "kas"),
            (access_end, "kaf"),
            (filter_start, "khs"),
            (filter_start, "khf"),
            (filter_start, "kbs"),
            (outcome.ended_us, "kbf"),
        ];
    }

    fn tag_place(span: &mut Span, exchange: &Exchange<'_>) {
        if let Some(service) = exchange.service {
            span.tag("kong.service", String::from_utf8_lossy(&service.id_text));
            if let Some(route) = exchange.route {
                span.tag("kong.route", String::from_utf8_lossy(&route.id_text));
            }
        }
    }

    /// The span of the last attempt at the service.
    fn attempt_span(
        &self,
        traced: &Traced,
        exchange: &Exchange<'_>,
        outcome: &Outcome,
    ) -> Option<Span> {
        let address = outcome.backend_address?;
        let tries = outcome.tries.max(1);
        let mut span = Span {
            trace_id: traced.trace_id,
            id: SpanId::random(),
            parent: Some(traced.span_id),
            kind: "CLIENT",
            name: format!("{} (balancer try {tries})", self.name(exchange)),
            start: outcome.handed_on_us,
            end: match outcome.answered_us {
                0 => outcome.ended_us,
                moment => moment,
            },
            tags: Vec::new(),
            annotations: Vec::new(),
            remote: Remote {
                service_name: self.service_name(exchange),
                ip: Some(address.ip()),
                port: Some(address.port()),
            },
        };
        span.tag("kong.balancer.try", tries.to_string());
        if outcome.source != ResponseSource::Service {
            span.tag("error", "true");
            span.tag("kong.balancer.state", "failed");
            span.tag("http.status_code", outcome.status.to_string());
        }
        Self::tag_place(&mut span, exchange);
        Some(span)
    }
}

/// `name=value; name=value`.
fn tags_of(text: &str) -> impl Iterator<Item = (String, String)> {
    let pairs = text.split(';').filter_map(|pair| pair.split_once('='));
    pairs
        .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
        .filter(|(name, _)| !name.is_empty())
        .take(TAGS_MAX)
}

impl Handler for Zipkin {
    fn access<'a>(&'a self, exchange: &'a mut Exchange<'_>) -> Step<'a> {
        let found = self.config.propagation.extract(exchange);
        let traced = self.begin(&found);
        let told = Injected {
            trace_id: traced.trace_id,
            span_id: traced.proxy_id,
            parent_id: Some(traced.span_id),
            is_sampled: traced.is_sampled,
            // Compat: this plugin leaves it out there.
            tells_refusal: false,
        };
        exchange.locals.insert(traced);
        self.config.propagation.inject(exchange, &found, &told);
        Step::CONTINUE
    }

    fn header_filter(&self, exchange: &mut Exchange<'_>, response: &mut ResponseView<'_>) {
        if let Some(name) = &self.config.response_header {
            let traced = self.traced(exchange);
            let id = traced.trace_id.hex(&[16, 8]);
            response.headers.set(name.clone(), Bytes::from(id));
        }
    }

    fn log(&self, exchange: &mut Exchange<'_>, outcome: &Outcome) {
        let Some(courier) = &self.courier else {
            return;
        };
        let traced = self.traced(exchange);
        if !traced.is_sampled {
            return;
        }
        let attempt = self.attempt_span(&traced, exchange, outcome);
        let proxy = self.proxy_span(&traced, exchange, outcome);
        let request = self.request_span(&traced, exchange, outcome);
        for span in attempt.into_iter().chain([proxy, request]) {
            let config = &self.config;
            let span = span.to_json(&config.local_service_name, config.trace_id_bytes);
            courier.send(span.to_string().into_bytes());
        }
    }
}

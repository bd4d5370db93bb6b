//! `request-transformer` at work.

use std::sync::Arc;

use bytes::Bytes;
use plugin_api::{BuildContext, BuildError, Exchange, Handler, Needs, PluginInput, Reply, Step};

use super::body::{self, Kind};
use super::captures::Patterns;
use super::fields::Fields;
use super::headers;
use super::schema::Config;
use super::settings::{Plan, Text};
use crate::template::{Scope, TemplateError, Value};

/// Prepares an instance.
pub(super) fn build(
    input: &PluginInput<'_>,
    context: &mut BuildContext<'_>,
) -> Result<Arc<dyn Handler>, BuildError> {
    let config = Config::try_from(input.config)?;
    let notices = &mut context.notices;
    Ok(Arc::new(RequestTransformer {
        path: config
            .path
            .as_ref()
            .map(|path| Text::prepare(path, notices)),
        headers: Plan::prepare(&config.headers, notices),
        query: Plan::prepare(&config.query, notices),
        body: Plan::prepare(&config.body, notices),
        method: config.method.map(Bytes::from),
        patterns: Patterns::default(),
    }))
}

struct RequestTransformer {
    method: Option<Bytes>,
    path: Option<Text>,
    headers: Plan,
    query: Plan,
    body: Plan,
    patterns: Patterns,
}

/// What templates see of a request.
struct Seen<'s, 'e> {
    exchange: &'s Exchange<'e>,
    patterns: &'s Patterns,
}

impl Scope for Seen<'_, '_> {
    fn header(&self, name: &[u8]) -> Value {
        let name = String::from_utf8_lossy(name).replace('_', "-");
        self.exchange.header(&name).map_or(Value::Nil, Value::text)
    }

    fn parameter(&self, name: &[u8]) -> Value {
        let name = String::from_utf8_lossy(name);
        let first = self.exchange.query_values(&name).next();
        match first {
            None => Value::Nil,
            Some(None) => Value::Bool(true),
            Some(Some(value)) => Value::text(&value),
        }
    }

    fn capture(&self, name: &Value) -> Value {
        self.patterns.capture(self.exchange, name)
    }
}

impl RequestTransformer {
    fn transform(&self, exchange: &mut Exchange<'_>) -> Result<(), TemplateError> {
        // Compat: templates see the request as it came to this plugin.
        let seen = Seen {
            exchange,
            patterns: &self.patterns,
        };
        let path = self.path.as_ref().map(|path| path.render(&seen));
        let path = path.transpose()?;
        let header_plan = self.headers.resolve(&seen)?;
        let body_plan = self.body.resolve(&seen)?;
        let query_plan = self.query.resolve(&seen)?;
        if path.is_some() {
            exchange.request.path = path;
        }
        self.set_method(exchange);
        headers::transform(&header_plan, exchange);
        if !self.body.is_empty() {
            let content_type = exchange.header("content-type").unwrap_or_default();
            let changed = body::transform(body_of(exchange), content_type, &body_plan);
            if changed.is_some() {
                exchange.request.body = changed;
            }
        }
        if !self.query.is_empty() {
            let mut fields = Fields::parse(exchange.query());
            fields.apply(&query_plan);
            exchange.request.query = Some(fields.write());
        }
        Ok(())
    }

    /// Compat: towards a method without a body the fields of a form move into the query.
    fn set_method(&self, exchange: &mut Exchange<'_>) {
        let Some(method) = &self.method else { return };
        exchange.request.method = Some(method.clone());
        let content_type = exchange.header("content-type").unwrap_or_default();
        if !has_no_body(method) || Kind::of(content_type) != Some(Kind::Form) {
            return;
        }
        let form = Fields::parse(body_of(exchange));
        let mut fields = Fields::parse(exchange.query());
        fields.extend(form);
        exchange.request.query = Some(fields.write());
    }
}

fn has_no_body(method: &[u8]) -> bool {
    matches!(method, b"GET" | b"HEAD" | b"TRACE")
}

/// The body as the service would see it.
fn body_of<'e>(exchange: &'e Exchange<'_>) -> &'e [u8] {
    match &exchange.request.body {
        Some(body) => body,
        None => exchange.body.unwrap_or_default(),
    }
}

impl Handler for RequestTransformer {
    fn needs(&self) -> Needs {
        if self.body.is_empty() && !self.method.as_deref().is_some_and(has_no_body) {
            Needs::NONE
        } else {
            Needs::REQUEST_BODY
        }
    }

    fn access<'a>(&'a self, exchange: &'a mut Exchange<'_>) -> Step<'a> {
        match self.transform(exchange) {
            Ok(()) => Step::CONTINUE,
            Err(_) => Step::respond(Reply::failure()),
        }
    }
}

//! `request-termination` at work. What can be decided without a request is decided when the
//! instance is built.

use std::sync::Arc;

use bytes::Bytes;
use plugin_api::{
    BuildContext, BuildError, Exchange, Handler, Needs, PluginInput, Reply, ReplyBody, Step,
};
use serde_json::json;

use super::echo::{self, Node};
use super::pages;
use super::schema::Config;

/// Prepares an instance.
pub(super) fn build(
    input: &PluginInput<'_>,
    context: &mut BuildContext<'_>,
) -> Result<Arc<dyn Handler>, BuildError> {
    let config = Config::try_from(input.config)?;
    let answer = if config.echo {
        let node = Node {
            id: context.node.id,
            hostname: context.node.hostname.clone(),
        };
        Answer::Echo(node)
    } else {
        Answer::Fixed(fixed(&config))
    };
    Ok(Arc::new(RequestTermination { config, answer }))
}

struct RequestTermination {
    config: Config,
    answer: Answer,
}

enum Answer {
    Fixed(Reply),
    Echo(Node),
}

impl RequestTermination {
    fn is_triggered(&self, exchange: &Exchange<'_>) -> bool {
        let Some(trigger) = &self.config.trigger else {
            return true;
        };
        exchange.header(trigger).is_some() || exchange.query_values(trigger).next().is_some()
    }
}

impl Handler for RequestTermination {
    fn needs(&self) -> Needs {
        if self.config.echo {
            Needs::REQUEST_BODY
        } else {
            Needs::NONE
        }
    }

    fn access<'a>(&'a self, exchange: &'a mut Exchange<'_>) -> Step<'a> {
        if !self.is_triggered(exchange) {
            return Step::CONTINUE;
        }
        let status = self.config.status_code;
        match &self.answer {
            Answer::Fixed(reply) => Step::respond(reply.clone()),
            Answer::Echo(node) => {
                let message = self.config.message.as_deref();
                let message = message.or_else(|| default_message(status));
                Step::respond(json_reply(status, echo::describe(node, message, exchange)))
            }
        }
    }
}

/// The answer that is the same for every request.
fn fixed(config: &Config) -> Reply {
    let status = config.status_code;
    if let Some(body) = &config.body {
        let content_type = config.content_type.as_deref().unwrap_or(JSON);
        return Reply::with_body(status, ReplyBody::Raw(Bytes::from(body.clone())))
            .header("Content-Type", with_charset(content_type));
    }
    match config
        .message
        .as_deref()
        .or_else(|| default_message(status))
    {
        Some(message) => {
            let body = json!({ "message": message }).to_string();
            json_reply(status, Bytes::from(body))
        }
        None => pages::bare(status),
    }
}

fn json_reply(status: u16, body: Bytes) -> Reply {
    Reply::with_body(status, ReplyBody::Raw(body)).header("Content-Type", JSON)
}

/// Messages of statuses for which none is configured.
///
/// Compat: exactly these six statuses have one.
const fn default_message(status: u16) -> Option<&'static str> {
    Some(match status {
        401 => "Unauthorized",
        404 => "Not found",
        405 => "Method not allowed",
        500 => "An unexpected error occurred",
        502 => "Bad Gateway",
        503 => "Service unavailable",
        _ => return None,
    })
}

/// Names the character set of a text type that does not.
///
/// Compat: the reference's core does so for these types.
fn with_charset(content_type: &str) -> String {
    const TEXTS: [&str; 6] = [
        "application/javascript",
        "application/rss+xml",
        "text/html",
        "text/plain",
        "text/vnd.wap.wml",
        "text/xml",
    ];
    if TEXTS.contains(&content_type) {
        return format!("{content_type}; charset=UTF-8");
    }
    content_type.to_owned()
}

const JSON: &str = "application/json; charset=utf-8";

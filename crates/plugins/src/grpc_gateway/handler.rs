//! `grpc-gateway` at work.

use std::sync::Arc;

use bytes::Bytes;
use plugin_api::{
    BodyChunk, BuildContext, BuildError, Exchange, Handler, Needs, PluginInput, Reply,
    ResponseSource, ResponseView, Step,
};

use super::bindings::Bindings;
use super::schema::Config;
use crate::grpc::{self, Messages, preflight, refusal};

/// Prepares an instance.
pub(super) fn build(
    input: &PluginInput<'_>,
    _context: &mut BuildContext<'_>,
) -> Result<Arc<dyn Handler>, BuildError> {
    let config = Config::try_from(input.config)?;
    let bindings = grpc::described(config.proto.as_deref(), |protos| Bindings::of(&protos))?;
    Ok(Arc::new(GrpcGateway { bindings }))
}

struct GrpcGateway {
    bindings: Option<Bindings>,
}

/// An answer on its way.
struct Answer {
    messages: Messages,
    /// Whether it is an answer of gRPC.
    is_taken: bool,
}

/// The status of HTTP for one of gRPC.
///
/// Compat: the table of the reference.
const fn http_status(grpc: u16) -> u16 {
    match grpc {
        0 => 200,
        1 => 499,
        3 | 9 | 11 => 400,
        4 => 504,
        5 => 404,
        6 | 10 => 409,
        7 => 403,
        8 => 429,
        14 => 503,
        16 => 401,
        _ => 500,
    }
}

impl GrpcGateway {
    fn turn(&self, exchange: &mut Exchange<'_>) -> Result<(), Reply> {
        let Some(bindings) = &self.bindings else {
            let text = "transcoding requests require a .proto file defining the service";
            return Err(refusal(text));
        };
        let verb = String::from_utf8_lossy(exchange.method()).into_owned();
        let path = String::from_utf8_lossy(exchange.path).into_owned();
        let found = bindings.find(&verb, &path);
        let found =
            found.map_err(|reason| refusal(format!("failed to transcode .proto file {reason}")))?;
        let binding = found.binding;
        let edited = exchange.request.body.as_deref();
        let body = edited.or(exchange.body).unwrap_or_default();
        let message = found.message(exchange.query(), body).map_err(refusal)?;
        grpc::address(exchange, message.into());
        let request = &mut *exchange.request;
        // What is looked into must not be compressed.
        request.headers.remove("grpc-accept-encoding");
        request.path = Some(Bytes::copy_from_slice(binding.path.as_bytes()));
        request.query = Some(Bytes::new());
        request.method = Some(Bytes::from_static(b"POST"));
        exchange.locals.insert(Answer {
            messages: Messages::new(binding.output.clone(), binding.response_body()),
            is_taken: false,
        });
        Ok(())
    }
}

impl Handler for GrpcGateway {
    fn needs(&self) -> Needs {
        Needs::REQUEST_BODY
    }

    fn access<'a>(&'a self, exchange: &'a mut Exchange<'_>) -> Step<'a> {
        let allowed = ("Access-Control-Allow-Origin", Bytes::from_static(b"*"));
        exchange.response.headers.set(allowed.0, allowed.1.clone());
        if exchange.method() == b"OPTIONS" {
            return Step::respond(preflight([
                ("Content-Type", Bytes::from_static(b"application/json")),
                allowed,
                (
                    "Access-Control-Allow-Methods",
                    Bytes::from_static(b"GET,POST,PATCH,DELETE"),
                ),
                (
                    "Access-Control-Allow-Headers",
                    Bytes::from_static(b"content-type"),
                ),
            ]));
        }
        match self.turn(exchange) {
            Ok(()) => Step::CONTINUE,
            Err(reply) => Step::respond(reply),
        }
    }

    fn header_filter(&self, exchange: &mut Exchange<'_>, response: &mut ResponseView<'_>) {
        let Some(answer) = exchange.locals.get_mut::<Answer>() else {
            return;
        };
        if response.source != ResponseSource::Service {
            return;
        }
        let status = response.header("grpc-status").map(|status| {
            let text = std::str::from_utf8(status).unwrap_or_default();
            http_status(text.parse().unwrap_or(u16::MAX))
        });
        let is_grpc = response
            .header("content-type")
            .is_some_and(|kind| kind.starts_with(b"application/grpc"));
        if let Some(status) = status {
            response.status = status;
        }
        if is_grpc {
            answer.is_taken = true;
            response.headers.set("Content-Type", "application/json");
            response.changes_body = true;
        }
    }

    fn body_filter(&self, exchange: &mut Exchange<'_>, chunk: &mut BodyChunk) {
        let Some(answer) = exchange.locals.get_mut::<Answer>() else {
            return;
        };
        if answer.is_taken {
            // One behind the other.
            chunk.data = answer.messages.take(&chunk.data).concat().into();
            chunk.trailers = Bytes::new();
        }
    }
}

//! `grpc-web` at work.

use std::sync::Arc;

use bytes::Bytes;
use plugin_api::{
    BodyChunk, BuildContext, BuildError, Exchange, Handler, Needs, PluginInput, Reply,
    ResponseSource, ResponseView, Step,
};

use super::body::{self, Answer};
use super::kind::Kind;
use super::schema::Config;
use crate::grpc::{self, Messages, Method, Protos, preflight, refusal};

/// Prepares an instance.
pub(super) fn build(
    input: &PluginInput<'_>,
    _context: &mut BuildContext<'_>,
) -> Result<Arc<dyn Handler>, BuildError> {
    let config = Config::try_from(input.config)?;
    let protos = grpc::described(config.proto.as_deref(), Ok)?;
    Ok(Arc::new(GrpcWeb {
        protos,
        passes_stripped_path: config.pass_stripped_path,
        origin: Bytes::from(config.allow_origin_header),
    }))
}

struct GrpcWeb {
    protos: Option<Protos>,
    passes_stripped_path: bool,
    origin: Bytes,
}

impl GrpcWeb {
    /// The method that a path calls. A path that the route's prefix is taken off ends with it.
    fn method(&self, path: &[u8]) -> Result<&Method, Reply> {
        let Some(protos) = &self.protos else {
            let text = "transcoding requests require a .proto file defining the service";
            return Err(refusal(text));
        };
        let path = String::from_utf8_lossy(path);
        let called = match self.passes_stripped_path {
            true => path
                .rmatch_indices('/')
                .nth(1)
                .map_or(&*path, |(at, _)| &path[at..]),
            false => &path,
        };
        // Compat: the spelling is the reference's.
        let unknown = || refusal(format!("Unkown path \"{called}\""));
        protos.method(called).ok_or_else(unknown)
    }

    fn turn(&self, exchange: &mut Exchange<'_>) -> Result<(), Reply> {
        let kind = Kind::of(exchange.header("content-type").unwrap_or_default());
        let method = match kind {
            Some(kind) if !kind.is_json => None,
            _ => Some(self.method(exchange.path)?),
        };
        let kind = kind.ok_or_else(|| refusal("the content type is none of gRPC-Web or JSON"))?;
        let edited = exchange.request.body.as_deref();
        let received = edited.or(exchange.body).unwrap_or_default();
        let body = body::upstream(kind, method, received).map_err(refusal)?;
        if !self.passes_stripped_path && exchange.request.path.is_none() {
            exchange.request.path = Some(Bytes::copy_from_slice(exchange.path));
        }
        if method.is_some() {
            // What is looked into must not be compressed.
            exchange.request.headers.remove("grpc-accept-encoding");
        }
        grpc::address(exchange, body);
        let messages = method.map(|method| Messages::new(method.output.clone(), ""));
        exchange.locals.insert(Answer::new(kind, messages));
        Ok(())
    }
}

impl Handler for GrpcWeb {
    fn needs(&self) -> Needs {
        Needs::REQUEST_BODY
    }

    fn access<'a>(&'a self, exchange: &'a mut Exchange<'_>) -> Step<'a> {
        let allowed = ("Access-Control-Allow-Origin", self.origin.clone());
        exchange.response.headers.set(allowed.0, allowed.1.clone());
        if exchange.method() == b"OPTIONS" {
            return Step::respond(preflight([
                (
                    "Content-Type",
                    Bytes::from_static(b"application/grpc-web-text+proto"),
                ),
                allowed,
                (
                    "Access-Control-Allow-Headers",
                    Bytes::from_static(b"content-type,x-grpc-web,x-user-agent"),
                ),
                ("Access-Control-Allow-Methods", Bytes::from_static(b"POST")),
                // Compat: its content type makes it an answer of gRPC.
                ("grpc-status", Bytes::from_static(b"0")),
                ("grpc-message", Bytes::from_static(b"OK")),
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
        let is_grpc = response
            .header("content-type")
            .is_some_and(|kind| kind.starts_with(b"application/grpc"));
        if response.source != ResponseSource::Service {
            return;
        }
        if exchange.head.method() != b"POST" {
            // Compat: a call is a POST; of all else the content type alone is changed.
            response.headers.set("Content-Type", answer.kind.name);
            return;
        }
        if !is_grpc {
            return;
        }
        answer.is_taken = true;
        answer.status = response.header("grpc-status").map(<[u8]>::to_vec);
        answer.message = response.header("grpc-message").map(<[u8]>::to_vec);
        response.headers.set("Content-Type", answer.kind.name);
        response.changes_body = true;
    }

    fn body_filter(&self, exchange: &mut Exchange<'_>, chunk: &mut BodyChunk) {
        if let Some(answer) = exchange.locals.get_mut::<Answer>()
            && answer.is_taken
        {
            answer.turn(chunk);
        }
    }
}

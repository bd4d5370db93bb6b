//! One request from the path to the answer.
//!
//! Compat: in this order: the path, the type and reading of the body, the method.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use http::{Extensions, HeaderMap, Method, Request, Response, StatusCode, header};
use tokio::time::Instant;

use super::answer::Reply;
use super::arguments::{self, Arguments};
use super::fault::Fault;
use super::path::{self, BadPath};
use super::place::{self, Place};
use super::query::Query;
use super::{Api, collection, foreign, groups, info, item, links, schemas, tags, targets};
use crate::scope::Scope;

/// A request to a known path.
pub(super) struct Call<'r> {
    pub(super) api: &'r Api,
    pub(super) scope: &'r Scope,
    pub(super) method: &'r Method,
    pub(super) query: Query,
    /// The query as it came.
    pub(super) raw_query: Option<&'r str>,
    pub(super) arguments: Arguments,
}

/// Answers a request.
pub(super) async fn serve(State(api): State<Arc<Api>>, request: Request<Body>) -> Response<Body> {
    let start = Instant::now();
    let (head, body) = request.into_parts();
    // Compat: these two never reach the API of the reference.
    if matches!(head.method, Method::TRACE | Method::CONNECT) {
        return Reply::page(StatusCode::METHOD_NOT_ALLOWED).bare();
    }
    let segments = match path::segments(head.uri.path()) {
        Err(BadPath::Nul) => return Reply::page(StatusCode::BAD_REQUEST).bare(),
        other => other.unwrap_or_else(|_| vec![String::new()]),
    };
    let asked = Asked {
        method: &head.method,
        headers: &head.headers,
        extensions: &head.extensions,
        query: head.uri.query(),
    };
    let reply = answer(&api, &segments, asked, body).await;
    let reply = reply.unwrap_or_else(Reply::from);
    let origin = head.headers.get(header::ORIGIN);
    reply.finish(&api.options, origin, start.elapsed().as_millis())
}

struct Asked<'r> {
    method: &'r Method,
    headers: &'r HeaderMap,
    extensions: &'r Extensions,
    query: Option<&'r str>,
}

/// What a path means: something about the process, or about entities.
pub(super) enum Meaning<'c> {
    Info(info::Place),
    Entities(Place<'c>),
}

async fn answer(
    api: &Api,
    segments: &[String],
    asked: Asked<'_>,
    body: Body,
) -> Result<Reply, Fault> {
    let meaning = match info::resolve(segments, api.facts.mode()) {
        Some(place) => Meaning::Info(place),
        None => {
            let place = place::resolve(segments, api.entities.catalogue());
            Meaning::Entities(place.ok_or_else(Fault::not_found)?)
        }
    };
    if let Meaning::Entities(Place::Off(why)) = &meaning {
        return Err(Fault::bad_request(why));
    }
    let methods = match &meaning {
        Meaning::Info(place) => info::methods(place),
        Meaning::Entities(place) => place.methods(),
    };
    let scope = asked.extensions.get::<Scope>();
    let scope = scope.ok_or_else(|| Fault::unexpected("a request came without its scope"))?;
    let query = Query::read(asked.query)?;
    if let (Meaning::Info(info::Place::Config), &Method::POST, Some(declared)) =
        (&meaning, asked.method, api.facts.declared())
    {
        // Whole documents come in more forms than entities.
        let body = arguments::whole(body, api.options.max_body).await?;
        return info::submit(declared, asked.query, asked.headers, &body).await;
    }
    let arguments = if matches!(*asked.method, Method::POST | Method::PUT | Method::PATCH) {
        arguments::read(asked.headers, body, api.options.max_body).await?
    } else {
        Arguments::default()
    };
    let method = match *asked.method {
        Method::HEAD => &Method::GET,
        _ => asked.method,
    };
    if *method != Method::OPTIONS && !methods.contains(method) {
        return Err(Fault::not_allowed());
    }
    let call = Call {
        api,
        scope,
        method,
        query,
        raw_query: asked.query,
        arguments,
    };
    if *method == Method::OPTIONS {
        super::acls::options(&call, &meaning).await?;
        return Ok(Reply::options(methods, asked.headers));
    }
    match meaning {
        Meaning::Info(place) => info::serve(call, place).await,
        Meaning::Entities(place) => entities(call, place).await,
    }
}

async fn entities(call: Call<'_>, place: Place<'_>) -> Result<Reply, Fault> {
    match place {
        Place::Collection(kind, inside) => collection::serve(call, kind, inside).await,
        Place::Item(kind, key, inside) => item::serve(call, kind, &key, inside).await,
        Place::Foreign {
            kind,
            key,
            field,
            target,
        } => foreign::serve(call, (kind, &key), field, target).await,
        Place::Members(side, key, other) => groups::serve(call, side, &key, other).await,
        Place::AllTargets(upstream) => targets::all(call, &upstream).await,
        Place::Links(partial) => links::list(call, &partial).await,
        Place::Tags => tags::list(call, None).await,
        Place::Tag(tag) => tags::list(call, Some(tag)).await,
        Place::Description => Ok(Reply::ok(call.api.description().clone())),
        other => schemas::serve(call, &other).await,
    }
}

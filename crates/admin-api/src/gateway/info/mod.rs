//! The paths about the process: what it is and does, its whole configuration, health, logging.
//!
//! Everything is asked from [`Facts`](super::Facts); nothing is known by this module.

mod config;
mod endpoints;
mod health;
mod log_level;
mod paths;
mod submitted;

use http::{HeaderName, HeaderValue, Method, StatusCode};
use schema::Map;
use serde_json::{Value, json};

pub(super) use config::submit;
pub(super) use endpoints::all as templates;
pub(super) use paths::{Place, methods, resolve};

use super::answer::Reply;
use super::facts::{FactError, Mode};
use super::fault::Fault;
use super::serve::Call;

/// Answers a request whose method is one of the path's.
pub(super) async fn serve(call: Call<'_>, place: Place) -> Result<Reply, Fault> {
    let facts = &call.api.facts;
    let body = match place {
        Place::Root => facts.root(call.scope).await.map_err(fault)?,
        Place::Status => {
            let status = facts.status(call.scope, call.raw_query).await;
            status.map_err(fault)?
        }
        Place::Metrics => {
            let metrics = facts.metrics(call.scope).await;
            return Ok(match metrics {
                Ok((content_type, text)) => Reply::text(content_type, text),
                Err(FactError::NotFound) => Reply::page(StatusCode::NOT_FOUND),
                Err(error) => return Err(fault(error)),
            });
        }
        Place::StatusDns => {
            let text = "not implemented with the legacy DNS client";
            return Err(Fault::message(StatusCode::NOT_IMPLEMENTED, text));
        }
        Place::Timers => facts.timers(),
        Place::Endpoints => json!({"data": endpoints::all(call.api.entities.catalogue())}),
        Place::EnabledPlugins => enabled_plugins(&call).await?,
        Place::DataPlanes => json!({"data": data_planes(&call).await?, "next": null}),
        Place::ClusterStatus => return cluster_status(&call).await,
        Place::LogLevel => log_level::get(facts.as_ref()),
        Place::SetLogLevel(level) => log_level::set(&call, &level)?,
        Place::Config => config::get(facts.declared())?,
        // Nothing is cached that could be looked at.
        Place::CacheEntry if *call.method == Method::GET => return Err(Fault::not_found()),
        Place::Cache | Place::CacheEntry => return Ok(Reply::no_content()),
        Place::Wasm => return Err(Fault::bad_request(paths::WASM_OFF)),
        Place::OfPlugin(_) => return Ok(of_plugin(&call)),
        Place::Health(upstream) => health::read(&call, &upstream).await?,
        Place::Toggle(toggle) => return health::mark(&call, &toggle).await,
    };
    Ok(Reply::ok(body))
}

/// Paths of plugins whose handlers keep nothing here yet: there is nothing to find, and what is
/// to be emptied is empty.
fn of_plugin(call: &Call<'_>) -> Reply {
    if *call.method == Method::DELETE {
        Reply::no_content()
    } else {
        Reply::page(StatusCode::NOT_FOUND)
    }
}

/// A question without an answer, in this dialect.
fn fault(error: FactError) -> Fault {
    match error {
        FactError::NotFound => Fault::not_found(),
        FactError::Refused(text) => Fault::bad_request(&text),
        FactError::Unavailable(text) => {
            tracing::error!(reason = text, "the Admin API could not answer");
            let text = "not available at the moment";
            Fault::message(StatusCode::SERVICE_UNAVAILABLE, text)
        }
    }
}

/// What the process has, and what callers brought along.
async fn enabled_plugins(call: &Call<'_>) -> Result<Value, Fault> {
    let brought = call.api.entities.brought(call.scope).await;
    let mut names = call.api.facts.enabled_plugins();
    for plugin in brought.map_err(Fault::reading)? {
        if !names.iter().any(|name| name == plugin.name()) {
            names.push(plugin.name().to_owned());
        }
    }
    Ok(json!({"enabled_plugins": names}))
}

const NEEDS_CONTROL_PLANE: &str = "this endpoint is only available when Kong is configured to run as Control Plane for the \
     cluster";

async fn data_planes(call: &Call<'_>) -> Result<Vec<Map>, Fault> {
    let facts = &call.api.facts;
    if facts.mode() != Mode::ControlPlane {
        return Err(Fault::bad_request(NEEDS_CONTROL_PLANE));
    }
    facts.data_planes(call.scope).await.map_err(fault)
}

/// The older form of the same, by id.
async fn cluster_status(call: &Call<'_>) -> Result<Reply, Fault> {
    let mut nodes = Map::new();
    for row in data_planes(call).await? {
        let member = |name: &str| row.get(name).cloned().unwrap_or_default();
        if let Some(id) = row.get("id").and_then(Value::as_str) {
            let node = json!({
                "config_hash": member("config_hash"),
                "hostname": member("hostname"),
                "ip": member("ip"),
                "last_seen": member("last_seen"),
            });
            nodes.insert(id.to_owned(), node);
        }
    }
    let deprecated = HeaderName::from_static("deprecation");
    let reply = Reply::ok(nodes);
    Ok(reply.with(deprecated, HeaderValue::from_static("true")))
}

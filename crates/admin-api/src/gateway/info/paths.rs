//! Which paths these are, and their verbs.

use http::Method;

use super::health::Toggle;
use crate::gateway::facts::Mode;

/// What every path about WebAssembly is answered with.
pub(in crate::gateway) const WASM_OFF: &str =
    "this endpoint is only available when wasm is enabled";

/// A path of this module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::gateway) enum Place {
    Root,
    Status,
    Metrics,
    StatusDns,
    Timers,
    Endpoints,
    EnabledPlugins,
    DataPlanes,
    ClusterStatus,
    LogLevel,
    SetLogLevel(String),
    Config,
    Cache,
    CacheEntry,
    /// Filters of a route.
    Wasm,
    /// What a plugin would answer, with the verbs.
    OfPlugin(&'static [Method]),
    /// Of the upstream that is named.
    Health(String),
    Toggle(Toggle),
}

/// Templates of these paths and of the others that are about no single kind, as `/endpoints` lists
/// them.
pub(in crate::gateway) const TEMPLATES: &[&str] = &[
    "/",
    "/acme",
    "/acme/certificates",
    "/acme/certificates/{certificates}",
    "/cache",
    "/cache/{key}",
    "/clustering/data-planes",
    "/clustering/status",
    "/config",
    "/debug/cluster/log-level/{log_level}",
    "/debug/node/log-level",
    "/debug/node/log-level/{log_level}",
    "/endpoints",
    "/metrics",
    "/plugins/enabled",
    "/plugins/schema/{name}",
    "/proxy-cache",
    "/proxy-cache/{cache_key}",
    "/proxy-cache/{plugin_id}/caches/{cache_key}",
    "/routes/{routes}/filters/all",
    "/routes/{routes}/filters/disabled",
    "/routes/{routes}/filters/enabled",
    "/schemas/filters/{name}",
    "/schemas/plugins/validate",
    "/schemas/plugins/{name}",
    "/schemas/vaults/validate",
    "/schemas/vaults/{name}",
    "/schemas/{db_entity_name}/validate",
    "/schemas/{name}",
    "/status",
    "/status/dns",
    "/tags",
    "/tags/{tags}",
    "/timers",
    "/upstreams/{upstreams}/health",
    "/upstreams/{upstreams}/targets/all",
    "/upstreams/{upstreams}/targets/{targets}/healthy",
    "/upstreams/{upstreams}/targets/{targets}/unhealthy",
    "/upstreams/{upstreams}/targets/{targets}/{address}/healthy",
    "/upstreams/{upstreams}/targets/{targets}/{address}/unhealthy",
];

const READ: &[Method] = &[Method::GET];
const READ_AND_POST: &[Method] = &[Method::GET, Method::POST];
const READ_AND_DELETE: &[Method] = &[Method::DELETE, Method::GET];
const DELETE: &[Method] = &[Method::DELETE];
const PUT: &[Method] = &[Method::PUT];
const POST: &[Method] = &[Method::POST];

/// The path of these decoded segments; `None` when it is not one of these.
pub(in crate::gateway) fn resolve(segments: &[String], mode: Mode) -> Option<Place> {
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let found = match segments.as_slice() {
        [] => Place::Root,
        ["status"] => Place::Status,
        ["status", "dns"] => Place::StatusDns,
        ["timers"] => Place::Timers,
        ["endpoints"] => Place::Endpoints,
        ["plugins", "enabled"] => Place::EnabledPlugins,
        ["clustering", "data-planes"] => Place::DataPlanes,
        ["clustering", "status"] => Place::ClusterStatus,
        ["debug", rest @ ..] => return debug(rest, mode),
        ["config"] => Place::Config,
        ["cache"] => Place::Cache,
        ["cache", _] => Place::CacheEntry,
        ["routes", _, "filters", "all" | "disabled" | "enabled"] => Place::Wasm,
        ["acme"] => Place::OfPlugin(POST),
        ["metrics"] => Place::Metrics,
        ["acme", "certificates"] | ["acme", "certificates", _] => Place::OfPlugin(READ),
        ["proxy-cache"] => Place::OfPlugin(DELETE),
        ["proxy-cache", _] | ["proxy-cache", _, "caches", _] => Place::OfPlugin(READ_AND_DELETE),
        ["upstreams", upstream, rest @ ..] => return below_upstream(upstream, rest, mode),
        _ => return None,
    };
    Some(found)
}

/// The verbs of a path, `HEAD` and `OPTIONS` left out.
pub(in crate::gateway) const fn methods(place: &Place) -> &'static [Method] {
    match place {
        Place::Config => READ_AND_POST,
        Place::Cache => DELETE,
        Place::CacheEntry => READ_AND_DELETE,
        Place::SetLogLevel(_) | Place::Toggle(_) => PUT,
        Place::OfPlugin(methods) => methods,
        _ => READ,
    }
}

fn debug(rest: &[&str], mode: Mode) -> Option<Place> {
    let is_plane = mode == Mode::ControlPlane;
    let level = match rest {
        ["node", "log-level"] => return Some(Place::LogLevel),
        ["node", "log-level", level] => level,
        ["cluster", "log-level", level] if !is_plane => level,
        ["cluster", "control-planes-nodes", "log-level", level] if is_plane => level,
        _ => return None,
    };
    Some(Place::SetLogLevel((*level).to_owned()))
}

fn below_upstream(upstream: &str, rest: &[&str], mode: Mode) -> Option<Place> {
    let (target, address, last) = match rest {
        ["health"] => return Some(Place::Health(upstream.to_owned())),
        // Compat: a control plane has no balancers to tell.
        _ if mode == Mode::ControlPlane => return None,
        ["targets", target, last] => (target, None, last),
        ["targets", target, address, last] => (target, Some((*address).to_owned()), last),
        _ => return None,
    };
    let is_healthy = match *last {
        "healthy" => true,
        "unhealthy" => false,
        _ => return None,
    };
    Some(Place::Toggle(Toggle {
        upstream: upstream.to_owned(),
        target: (*target).to_owned(),
        address,
        is_healthy,
    }))
}

//! What only the process around this API knows: itself, its balancers, its nodes.
//!
//! The binary answers for a node, the platform for a control plane. Entities are not asked for
//! here; they come from [`crate::Entities`].

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;

use serde_json::Value;
use uuid::Uuid;

use crate::scope::Scope;

/// What a question will be answered with.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, FactError>> + Send + 'a>>;

/// Why a question has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FactError {
    /// Nothing of this kind exists in this process.
    #[error("not found")]
    NotFound,
    /// The question makes no sense here; the text is for the caller.
    #[error("{0}")]
    Refused(String),
    /// It cannot be said at the moment; the text is for the log.
    #[error("{0}")]
    Unavailable(String),
}

/// The health of one target's addresses, or of a whole upstream.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UpstreamHealth {
    /// Members of the answer about the balancer: `health`, `balancer_health`, `details`. Empty
    /// when this process has no balancer for the upstream.
    pub balancer: serde_json::Map<String, Value>,
    /// By target address (`host:port`): the members `health` and `data`.
    pub targets: BTreeMap<String, serde_json::Map<String, Value>>,
}

/// A wish to mark addresses of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The upstream's id.
    pub upstream: Uuid,
    /// The target as stored (`host:port`).
    pub target: String,
    /// One address of it, or all of them.
    pub address: Option<String>,
    /// Whether it shall count as healthy.
    pub is_healthy: bool,
}

/// What the process around this API knows.
pub trait Facts: Send + Sync + 'static {
    /// The body of `GET /`.
    fn root<'a>(&'a self, scope: &'a Scope) -> Answer<'a, Value>;
    /// The body of `GET /status`; the query is passed on as it came.
    fn status<'a>(&'a self, scope: &'a Scope, query: Option<&'a str>) -> Answer<'a, Value>;
    /// The id that this process gives itself in answers about health.
    fn node_id(&self) -> Uuid;
    /// Names of the plugins that can be used.
    fn enabled_plugins(&self) -> Vec<String>;
    /// How an upstream and its targets do.
    fn upstream_health<'a>(
        &'a self,
        scope: &'a Scope,
        upstream: Uuid,
    ) -> Answer<'a, UpstreamHealth>;
    /// Marks addresses as healthy or not.
    fn mark<'a>(&'a self, scope: &'a Scope, mark: Mark) -> Answer<'a, ()>;
}

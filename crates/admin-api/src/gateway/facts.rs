//! What only the process around this API knows: itself, its balancers, its nodes.
//!
//! The binary answers for a node, the platform for a control plane. Entities are not asked for
//! here; they come from [`crate::Entities`].

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use declarative::{Config, Document, Problem};
use schema::Map;
use serde_json::{Value, json};
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

/// What the process around this API is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A node with a database.
    Database,
    /// A node without one, configured as a whole.
    Declarative,
    /// A control plane, which carries no traffic.
    ControlPlane,
}

/// The health of one target's addresses, or of a whole upstream.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UpstreamHealth {
    /// Members of the answer about the balancer: `health`, `balancer_health`, `details`. Empty
    /// when this process has no balancer for the upstream.
    pub balancer: Map,
    /// By target address (`host:port`): the members `health` and `data`.
    pub targets: BTreeMap<String, Map>,
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
    /// What the process is.
    fn mode(&self) -> Mode;

    /// The body of `GET /`.
    fn root<'a>(&'a self, scope: &'a Scope) -> Answer<'a, Value>;

    /// The body of `GET /status`; the query is passed on as it came.
    fn status<'a>(&'a self, scope: &'a Scope, query: Option<&'a str>) -> Answer<'a, Value>;

    /// The body of `GET /metrics`, with its type; a process that carries no traffic has none.
    fn metrics<'a>(&'a self, _scope: &'a Scope) -> Answer<'a, (&'static str, String)> {
        Box::pin(async { Err(FactError::NotFound) })
    }

    /// The body of `GET /timers`.
    fn timers(&self) -> Value {
        json!({
            "worker": {"id": 0, "count": 1},
            "stats": {
                "sys": {"total": 0, "runs": 0, "running": 0, "pending": 0, "waiting": 0},
                "flamegraph": {"running": "", "pending": "", "elapsed_time": ""},
                "timers": {},
            },
        })
    }

    /// The id that this process gives itself in answers about health.
    fn node_id(&self) -> Uuid {
        Uuid::nil()
    }

    /// Names of the plugins that can be used.
    fn enabled_plugins(&self) -> Vec<String>;

    /// How an upstream and its targets do; both as stored.
    ///
    /// Compat: of a process without balancers the members about health are absent.
    fn upstream_health<'a>(
        &'a self,
        _scope: &'a Scope,
        _upstream: &'a Map,
        _targets: &'a [Map],
    ) -> Answer<'a, UpstreamHealth> {
        Box::pin(async { Ok(UpstreamHealth::default()) })
    }

    /// Marks addresses as healthy or not; a process without balancers has none.
    fn mark<'a>(&'a self, _scope: &'a Scope, _mark: Mark) -> Answer<'a, ()> {
        Box::pin(async { Err(FactError::NotFound) })
    }

    /// The rows of `GET /clustering/data-planes`; asked of a control plane only.
    fn data_planes<'a>(&'a self, _scope: &'a Scope) -> Answer<'a, Vec<Map>> {
        Box::pin(async { Err(FactError::NotFound) })
    }

    /// How much is logged, by the name that `kong.conf` uses.
    fn log_level(&self) -> String {
        "notice".to_owned()
    }

    /// Changes how much is logged, for a while or, with `None`, until the process ends. Nodes
    /// that share a database are reached one by one.
    ///
    /// # Errors
    ///
    /// [`FactError::Refused`] for a level that does not exist or a process that cannot.
    fn set_log_level(&self, _level: &str, _time: Option<Duration>) -> Result<(), FactError> {
        let text = "the log level of this process cannot be changed";
        Err(FactError::Refused(text.to_owned()))
    }

    /// The configuration of a node without a database.
    fn declared(&self) -> Option<&dyn Declared> {
        None
    }
}

/// Why a configuration was not taken into use. The running one is untouched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// Another configuration is being taken into use.
    #[error("another configuration is being loaded")]
    Busy,
    /// The node failed; it is not the configuration's fault.
    #[error("{0}")]
    Fault(String),
    /// It is wrong.
    #[error("{} violations", .0.len())]
    Invalid(Vec<Problem>),
    /// The node is ending.
    #[error("the node is ending")]
    Stopping,
}

/// The outcome of taking a configuration into use.
pub type LoadFuture<'a> = Pin<Box<dyn Future<Output = Result<Arc<Config>, LoadError>> + Send + 'a>>;

/// The whole configuration of a node without a database.
pub trait Declared: Send + Sync {
    /// Validates, keeps and activates a document, all or nothing. `text` is what was sent, where
    /// it was text.
    fn load(&self, document: Document, text: Option<&str>) -> LoadFuture<'_>;

    /// Whether the running configuration was made of this very text.
    fn is_active(&self, text: &str) -> bool;

    /// The running configuration as YAML, with every default filled in.
    fn export(&self) -> String;
}

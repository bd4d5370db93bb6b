//! What the Admin API is told of this process.

use std::time::Duration;

use admin_api::Scope;
use admin_api::gateway::{Answer, Declared, FactError, Facts, Mark, Mode, UpstreamHealth};
use declarative::Config;
use gateway::node::Handle;
use gateway::status::status_report;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::declared::Running;
use super::{health, root};
use crate::logging::LogControl;

/// The facts of a node.
pub(super) struct NodeFacts {
    node: Handle,
    log: LogControl,
    /// There on a node without a database.
    running: Option<Running>,
}

impl NodeFacts {
    pub(super) fn new(node: Handle, log: LogControl) -> Self {
        let has_database = node.store.is_some();
        let running = (!has_database).then(|| Running::new(node.clone()));
        Self { node, log, running }
    }
}

impl Facts for NodeFacts {
    fn mode(&self) -> Mode {
        if self.node.store.is_some() {
            Mode::Database
        } else {
            Mode::Declarative
        }
    }

    fn root<'a>(&'a self, _scope: &'a Scope) -> Answer<'a, Value> {
        Box::pin(async move { Ok(root::body(&self.node)) })
    }

    fn status<'a>(&'a self, _scope: &'a Scope, query: Option<&'a str>) -> Answer<'a, Value> {
        Box::pin(async move {
            let report = status_report(&self.node.facts, query.unwrap_or_default()).await;
            report.map_err(FactError::Refused)
        })
    }

    fn metrics<'a>(&'a self, _scope: &'a Scope) -> Answer<'a, (&'static str, String)> {
        Box::pin(async move {
            let text = self.node.facts.metrics().await;
            Ok((plugins::prometheus::CONTENT_TYPE, text))
        })
    }

    fn node_id(&self) -> Uuid {
        self.node.node_id
    }

    fn enabled_plugins(&self) -> Vec<String> {
        let enabled = root::plugins(&self.node.settings);
        enabled.map(|plugin| plugin.name.to_owned()).collect()
    }

    fn upstream_health<'a>(
        &'a self,
        _scope: &'a Scope,
        upstream: &'a Map<String, Value>,
        targets: &'a [Map<String, Value>],
    ) -> Answer<'a, UpstreamHealth> {
        Box::pin(async move { Ok(health::of(&self.node, upstream, targets).await) })
    }

    fn mark<'a>(&'a self, _scope: &'a Scope, mark: Mark) -> Answer<'a, ()> {
        Box::pin(async move {
            health::until_in_use(&self.node, mark.upstream, &mark.target).await;
            self.node.mark(
                mark.upstream,
                &mark.target,
                mark.address.as_deref(),
                mark.is_healthy,
            );
            Ok(())
        })
    }

    fn log_level(&self) -> String {
        self.log.level().as_str().to_owned()
    }

    fn set_log_level(&self, level: &str, time: Option<Duration>) -> Result<(), FactError> {
        let Some(level) = crate::logging::level_named(level) else {
            return Err(FactError::Refused(format!("unknown log level: {level}")));
        };
        self.log.change(level, time);
        Ok(())
    }

    fn declared(&self) -> Option<&dyn Declared> {
        self.running
            .as_ref()
            .map(|running| running as &dyn Declared)
    }
}

/// An empty configuration where nothing was taken into use yet.
pub(super) fn tables(node: &Handle) -> std::sync::Arc<Config> {
    node.intake.tables().unwrap_or_default()
}

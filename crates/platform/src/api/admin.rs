//! The gateway's own Admin API for a control plane: `/v2/control-planes/{id}/admin/…`.
//!
//! The same paths and bodies as on a node, for tools that speak only those. Who may call is
//! decided as for the other APIs of a control plane: by the token, never by where a call comes
//! from. Nothing about the platform's own process is told: a control plane has no balancers, and
//! its log belongs to whoever runs the installation.

use std::sync::Arc;

use admin_api::Scope;
use admin_api::gateway::{self, Answer, Facts, Mode, Options};
use axum::Router;
use control_plane::{Node, Planes};
use entities::Catalogue;
use plugin_api::COMPATIBLE_VERSION;
use serde_json::{Map, Value, json};

use crate::assembly::GeoParts;

/// The path of everything below, with the control plane's id as `{id}`.
pub(crate) const BASE: &str = "/v2/control-planes/{id}/admin";

/// The API of one geo. Whoever mounts it checks the caller and leaves a [`Scope`].
pub(super) fn router(geo: &GeoParts) -> Router {
    let facts = PlaneFacts {
        planes: geo.planes.clone(),
        catalogue: geo.entities.catalogue().clone(),
    };
    let options = Options {
        // Pages of other origins have no business here: tokens do not come from a browser.
        cors: false,
        needs_token: true,
        ..Options::default()
    };
    let admin = gateway::router(geo.entities.clone(), Arc::new(facts), options);
    Router::new().nest_service(BASE, admin)
}

/// What is known about a control plane besides its entities.
struct PlaneFacts {
    planes: Planes,
    catalogue: Arc<Catalogue>,
}

impl Facts for PlaneFacts {
    fn mode(&self) -> Mode {
        Mode::ControlPlane
    }

    /// Compat: the members that clients read. `version` is the line of the reference that this
    /// API is compatible with; our own name and version stand in `product`.
    fn root<'a>(&'a self, scope: &'a Scope) -> Answer<'a, Value> {
        Box::pin(async move {
            let available: Map<String, Value> = plugins::DEFINITIONS
                .iter()
                .map(|plugin| {
                    let about = json!({"version": plugin.version, "priority": plugin.priority});
                    (plugin.name.to_owned(), about)
                })
                .collect();
            Ok(json!({
                "tagline": "Welcome to Gatehouse",
                "product": Options::default().server,
                "version": COMPATIBLE_VERSION,
                "edition": "community",
                "hostname": self.planes.geo().name,
                "node_id": scope.control_plane,
                "lua_version": "none",
                "pids": {},
                "timers": {"running": 0, "pending": 0},
                "plugins": {"available_on_server": available, "enabled_in_cluster": []},
                "configuration": {
                    "database": "postgres",
                    "role": "control_plane",
                    "router_flavor": "traditional_compatible",
                    "log_level": self.log_level(),
                },
            }))
        })
    }

    fn status<'a>(&'a self, _scope: &'a Scope, _query: Option<&'a str>) -> Answer<'a, Value> {
        Box::pin(async { Ok(json!({"database": {"reachable": true}})) })
    }

    fn enabled_plugins(&self) -> Vec<String> {
        let names = self.catalogue.plugins().names();
        names.into_iter().map(str::to_owned).collect()
    }

    fn data_planes<'a>(&'a self, scope: &'a Scope) -> Answer<'a, Vec<Map<String, Value>>> {
        Box::pin(async move {
            let nodes = self.planes.nodes(scope.control_plane);
            Ok(nodes.iter().filter_map(data_plane).collect())
        })
    }
}

/// A node as the gateway's control planes list it.
fn data_plane(node: &Node) -> Option<Map<String, Value>> {
    let row = json!({
        "id": node.id,
        "ip": node.ip,
        "hostname": node.hostname,
        "version": node.version,
        "config_hash": node.config_hash,
        "last_seen": node.last_ping,
        "created_at": node.created_at,
        "updated_at": node.updated_at,
        "labels": node.labels,
    });
    row.as_object().cloned()
}

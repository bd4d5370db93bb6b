//! The dialect of the gateway itself: the Admin API of a node, and of a control plane.
//!
//! Compat: paths, bodies, statuses, headers and texts are those of the reference's Admin API, so
//! that its clients work unchanged. Which paths there are follows from the descriptions of the
//! entities (`place`); what is said about the process comes from [`Facts`] (`info`).
//!
//! Who may come in is not decided here: whoever mounts the router leaves a [`crate::Scope`].

mod acls;
mod answer;
mod arguments;
mod certificates;
mod collection;
mod describe;
mod facts;
mod fault;
mod foreign;
mod groups;
mod info;
mod item;
mod links;
mod path;
mod place;
mod query;
mod rows;
mod schemas;
mod serve;
mod tags;
mod targets;

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::middleware::from_fn_with_state;

pub use describe::{endpoints, operations};
pub use facts::{
    Answer, Declared, FactError, Facts, LoadError, LoadFuture, Mark, Mode, UpstreamHealth,
};
pub use router::Flavor;

use crate::entity::Entities;

/// How the API presents itself.
#[derive(Clone, Debug)]
pub struct Options {
    /// The `Server` header, such as `gatehouse/0.1.0`.
    pub server: String,
    /// Whether answers carry the headers that let pages of other origins read them.
    pub cors: bool,
    /// Origins of the administration page; empty lets every origin read.
    pub origins: Vec<String>,
    /// Bytes of a request's body.
    pub max_body: usize,
    /// Whether the description says that a token is needed. Whoever mounts the router checks it.
    pub needs_token: bool,
    /// How the nodes that this configures order their routes; warnings follow it.
    pub flavor: Flavor,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            server: concat!("gatehouse/", env!("CARGO_PKG_VERSION")).to_owned(),
            cors: true,
            origins: Vec::new(),
            max_body: MAX_BODY,
            needs_token: false,
            flavor: Flavor::default(),
        }
    }
}

/// Compat: bytes of a request's body, 10 MiB.
pub const MAX_BODY: usize = 10 << 20;

/// The whole API, at the root of its router. Whoever mounts it leaves a [`crate::Scope`] in every
/// request and lets bodies of [`Options::max_body`] pass.
pub fn router(entities: Entities, facts: Arc<dyn Facts>, options: Options) -> Router {
    let ground = crate::warnings::Ground {
        entities: entities.clone(),
        flavor: options.flavor,
    };
    let warnings = from_fn_with_state(ground, crate::warnings::tell);
    let api = Arc::new(Api {
        entities,
        facts,
        options,
        description: OnceLock::new(),
    });
    Router::new()
        .fallback(serve::serve)
        .with_state(api)
        .layer(warnings)
}

/// What every request needs.
struct Api {
    entities: Entities,
    facts: Arc<dyn Facts>,
    options: Options,
    description: OnceLock<serde_json::Value>,
}

impl Api {
    /// The description of this API, made when it is first asked for.
    fn description(&self) -> &serde_json::Value {
        let make = || describe::document(self.entities.catalogue(), &self.options);
        self.description.get_or_init(make)
    }
}

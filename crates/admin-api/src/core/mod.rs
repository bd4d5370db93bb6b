//! The dialect of control planes: `/v2/control-planes/{id}/core-entities/…`.
//!
//! Compat: JSON only, PUT replaces or creates and always answers 200, there is no PATCH, and
//! errors have the older form with `details`.
//!
//! Ingress controllers speak the same dialect under another base, with a certificate instead of a
//! token; see [`Mount`].

mod call;
mod collection;
mod endpoints;
mod error;
mod links;
mod members;
mod plugin_schemas;
mod query;
mod schemas;
mod table;
mod target;

#[cfg(test)]
mod tests;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Extension, OriginalUri, State};
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::any;
use http::{HeaderMap, Method};

pub use endpoints::{operations, schemas as components};
pub use error::CoreError;

use crate::entity::Entities;
use crate::scope::Scope;
use call::Call;
use target::Target;

/// Where the dialect is mounted. The path of either has the control plane's id as `{id}`, and
/// exactly four segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mount {
    /// For people and tools, by token.
    CoreEntities,
    /// For ingress controllers, by certificate.
    IngressController,
}

impl Mount {
    /// The path of everything below.
    #[must_use]
    pub const fn base(self) -> &'static str {
        match self {
            Self::CoreEntities => "/v2/control-planes/{id}/core-entities",
            Self::IngressController => "/kic/api/control-planes/{id}",
        }
    }
}

/// The API of one geo. Whoever mounts it checks the caller and leaves a [`Scope`].
pub fn router(entities: Entities, mount: Mount) -> Router {
    let path = format!("{}/{{*rest}}", mount.base());
    let ground = crate::warnings::Ground {
        entities: entities.clone(),
        flavor: router::Flavor::default(),
    };
    let warnings = from_fn_with_state(ground, crate::warnings::tell);
    Router::new()
        .route(&path, any(serve))
        .with_state(entities)
        .layer(warnings)
}

/// What follows the four segments of a base, not decoded, so that an encoded slash stays inside
/// its segment.
fn below_base(path: &str) -> &str {
    path.splitn(6, '/').nth(5).unwrap_or_default()
}

async fn serve(
    State(entities): State<Entities>,
    Extension(scope): Extension<Scope>,
    OriginalUri(uri): OriginalUri,
    request: (Method, HeaderMap, Bytes),
) -> Result<Response, CoreError> {
    let (method, headers, body) = &request;
    // HEAD is GET; the server leaves the body out.
    let method = if *method == Method::HEAD {
        &Method::GET
    } else {
        method
    };
    let segments = target::segments(below_base(uri.path())).ok_or(CoreError::NotFound)?;
    let call = Call {
        entities: &entities,
        scope: &scope,
        method,
        headers,
        query: uri.query(),
        body,
    };
    let catalogue = entities.catalogue();
    match target::resolve(&segments, catalogue).ok_or(CoreError::NotFound)? {
        Target::Collection(kind, nest) => collection::all(&call, kind, &nest).await,
        Target::Item(kind, key, nest) => collection::one(&call, kind, &key, &nest).await,
        Target::Members(membership, key) => members::all(&call, membership, &key).await,
        Target::Member(membership, key, member) => {
            members::one(&call, membership, &key, &member).await
        }
        Target::Links(key) => links::list(&call, &key).await,
        Target::PluginSchemas => plugin_schemas::all(&call).await,
        Target::PluginSchema(name) => plugin_schemas::one(&call, &name).await,
        Target::JsonSchema(kind) => call.reads(|| Some(schemas::json(kind))),
        Target::Form(kind) => call.reads(|| Some(kind.schema.admin_form())),
        Target::PluginForm(name) => {
            let catalogue = entities.catalogue_with(&scope, &name).await?;
            call.reads(|| catalogue.plugin_form(&name))
        }
        Target::PartialForm(name) => call.reads(|| catalogue.partial_form(&name)),
        Target::Validate(kind) => schemas::validate(&call, kind).await,
    }
}

//! Where a configuration lies: with a platform, or in the database of a traditional node.
//!
//! Both answer the same requests; the second one in this process, on the node's database itself.
//! A database file has to be free for that: one process has it at a time.

use std::path::Path;
use std::sync::Arc;

use admin_api::{Entities, Scope};
use axum::body::Body;
use axum::extract::DefaultBodyLimit;
use axum::{Extension, Router};
use entities::Catalogue;
use gateway::node::{LOCAL_PLANE, open_database};
use http_body_util::BodyExt as _;
use hyper::header::CONTENT_TYPE;
use hyper::{Method, Request};
use store::Actor;
use tower::ServiceExt as _;

use super::plane;
use crate::cli::Access;
use crate::client::{self, Answer, Client, Content};
use crate::commands::check;
use crate::failure::Failure;

/// A control plane, wherever it is kept.
pub(super) struct Target {
    /// The beginning of its paths.
    base: String,
    way: Way,
}

enum Way {
    Platform(Client),
    Database(Router),
}

impl Target {
    /// The control plane of that name or id, or the one of a node's database.
    pub(super) async fn open(access: &Access, name: &str) -> Result<Self, Failure> {
        if let Some(conf) = &access.conf {
            return Self::database(conf).await;
        }
        let api = client::api(access)?;
        let plane = plane::find(&api, name).await?;
        Ok(Self {
            base: format!("/v2/control-planes/{plane}"),
            way: Way::Platform(api),
        })
    }

    async fn database(conf: &Path) -> Result<Self, Failure> {
        let (settings, _) = check::load(Some(conf.to_owned()), false)?;
        let catalogue = Arc::new(Catalogue::new(plugins::catalogue()));
        let store = open_database(&settings, &catalogue).await?;
        let store = store.ok_or_else(|| {
            Failure::new(format!(
                "a node with the settings `{}` keeps no database; start it with \
                 KONG_DECLARATIVE_CONFIG instead",
                conf.display()
            ))
        })?;
        let entities = Entities::new(catalogue, store);
        let scope = Scope {
            control_plane: LOCAL_PLANE,
            actor: Actor {
                kind: "command_line".to_owned(),
                id: None,
            },
            read_only: None,
        };
        let router = admin_api::batch::router(entities.clone())
            .merge(admin_api::revision::router(entities))
            .layer(DefaultBodyLimit::disable())
            .layer(Extension(scope));
        Ok(Self {
            base: format!("/v2/control-planes/{LOCAL_PLANE}"),
            way: Way::Database(router),
        })
    }

    /// Asks; `rest` follows the control plane in the path.
    pub(super) async fn call(
        &self,
        method: Method,
        rest: &str,
        content: Option<Content>,
    ) -> Result<Answer, Failure> {
        let path = format!("{}{rest}", self.base);
        let router = match &self.way {
            Way::Platform(api) => return Ok(api.call(method, &path, content).await?),
            Way::Database(router) => router.clone(),
        };
        let mut request = Request::builder().method(method).uri(path);
        let mut body = Body::empty();
        if let Some(content) = content {
            request = request.header(CONTENT_TYPE, content.kind);
            body = Body::from(content.bytes);
        }
        let request = request
            .body(body)
            .map_err(|error| Failure::new(format!("the request cannot be made: {error}")))?;
        let answer = router.oneshot(request).await;
        let answer = answer.unwrap_or_else(|never| match never {});
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await;
        let body = body.map_err(|error| Failure::new(format!("the answer broke off: {error}")))?;
        Ok(Answer {
            status,
            body: body.to_bytes(),
        })
    }
}

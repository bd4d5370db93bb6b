//! The Admin API of a node, put together: entities from its database or its running
//! configuration, and what only this process knows.

mod configuration;
mod declared;
mod facts;
mod health;
mod root;

use std::sync::Arc;

use admin_api::gateway::{Flavor, Options, router};
use admin_api::{Entities, Scope, Source, linger};
use axum::Router;
use axum::body::Body;
use conf::{RouterFlavor, Settings};
use declarative::Config;
use gateway::node::{Handle, Handler, HandlerFuture, LOCAL_PLANE, MakeAdmin, PRODUCT};
use http_body_util::BodyExt as _;
use hyper::Request;
use hyper::body::Incoming;
use store::Actor;
use tower::ServiceExt as _;

use crate::logging::LogControl;
use facts::NodeFacts;

/// Builds the Admin API of the node that is being started.
pub(crate) fn admin(log: LogControl) -> MakeAdmin {
    Box::new(move |node| Arc::new(Admin::new(node, log)))
}

/// The Admin API of this node. Whoever reaches the listener may do everything.
struct Admin {
    router: Router,
    scope: Scope,
}

impl Admin {
    fn new(node: Handle, log: LogControl) -> Self {
        let source = match &node.store {
            Some(store) => Source::Store(store.clone()),
            None => {
                let intake = Arc::clone(&node.intake);
                let nothing: Arc<Config> = Arc::default();
                let running = move || intake.tables().unwrap_or_else(|| Arc::clone(&nothing));
                Source::Declarative(Arc::new(running))
            }
        };
        let entities = Entities::over(Arc::clone(&node.catalogue), source);
        let body_max = node.settings.admin_client_max_body_size;
        let options = Options {
            server: PRODUCT.to_owned(),
            flavor: flavor(&node.settings),
            origins: node.settings.admin_gui_origins.clone(),
            max_body: body_max.map_or(usize::MAX, |max| usize::try_from(max).unwrap_or(usize::MAX)),
            ..Options::default()
        };
        let facts = Arc::new(NodeFacts::new(node, log));
        let scope = Scope {
            control_plane: LOCAL_PLANE,
            actor: Actor {
                kind: "admin_api".to_owned(),
                id: None,
            },
            read_only: None,
        };
        Self {
            router: router(entities, facts, options),
            scope,
        }
    }
}

/// How this node orders its routes.
fn flavor(settings: &Settings) -> Flavor {
    match settings.router_flavor {
        RouterFlavor::Traditional => Flavor::Traditional,
        _ => Flavor::TraditionalCompatible,
    }
}

impl Handler for Admin {
    fn name(&self) -> &'static str {
        "Admin API (`admin_listen`)"
    }

    fn handle(&self, request: Request<Incoming>) -> HandlerFuture<'_> {
        let mut request = linger(request.map(Body::new));
        request.extensions_mut().insert(self.scope.clone());
        let router = self.router.clone();
        Box::pin(async move {
            let answer = router.oneshot(request).await;
            let answer = answer.unwrap_or_else(|never| match never {});
            answer.map(|body| body.map_err(Into::into).boxed_unsync())
        })
    }
}

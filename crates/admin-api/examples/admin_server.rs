//! The gateway's Admin API on a loopback port over a store in a new temporary folder, to replay
//! recordings against it without the rest of a node.
//!
//! `cargo run -p gatehouse-admin-api --example admin_server [PORT]`; ends on Ctrl-C.

use std::error::Error;
use std::io::Write;
use std::sync::Arc;

use axum::Extension;
use entities::Catalogue;
use gatehouse_admin_api::gateway::{self, Answer, Facts, Mode};
use gatehouse_admin_api::{Entities, Scope};
use serde_json::{Value, json};
use store::{Actor, Location, Store, StoreOptions};
use uuid::Uuid;

/// A process that knows nothing but its plugins.
struct Nothing(Vec<String>);

impl Facts for Nothing {
    fn mode(&self) -> Mode {
        Mode::Database
    }

    fn root<'a>(&'a self, _: &'a Scope) -> Answer<'a, Value> {
        Box::pin(async { Ok(json!({"configuration": {"database": "postgres"}})) })
    }

    fn status<'a>(&'a self, _: &'a Scope, _: Option<&'a str>) -> Answer<'a, Value> {
        Box::pin(async { Ok(json!({"database": {"reachable": true}})) })
    }

    fn enabled_plugins(&self) -> Vec<String> {
        self.0.clone()
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port: u16 = std::env::args().nth(1).map_or(Ok(0), |port| port.parse())?;
    let folder = std::env::temp_dir().join(Uuid::new_v4().to_string());
    let plugins = plugins::catalogue();
    let names = entities::PluginCatalogue::names(&*plugins);
    let facts = Nothing(names.into_iter().map(str::to_owned).collect());
    let catalogue = Arc::new(Catalogue::new(plugins));
    let store = Store::open(StoreOptions {
        location: Location::Sqlite(folder.join("entities.db")),
        sealer: Arc::new(pki::Sealer::from_key(&[7; 32])?),
        catalogue: catalogue.clone(),
    })?;
    let scope = Scope {
        control_plane: Uuid::nil(),
        actor: Actor::system(),
        read_only: None,
    };
    let entities = Entities::new(catalogue, store);
    let router = gateway::router(entities, Arc::new(facts), gateway::Options::default());
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    writeln!(
        std::io::stdout(),
        "http://{} over {}",
        listener.local_addr()?,
        folder.display()
    )?;
    let stop = async {
        let _ = tokio::signal::ctrl_c().await;
    };
    axum::serve(listener, router.layer(Extension(scope)))
        .with_graceful_shutdown(stop)
        .await?;
    Ok(std::fs::remove_dir_all(folder)?)
}

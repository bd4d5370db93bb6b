//! `gatehouse explain`: which route takes a request, and why the others do not.
//!
//! Of a declarative file, which is compiled as a node does it and sent nowhere, or of a running node,
//! which is asked through its status API.

mod report;
mod request;

use conf::Settings;
use entities::Catalogue;
use gateway::explain::{Asked, CONSIDERED_MAX};
use gateway::snapshot::{Compile, Snapshot};
use hyper::Method;
use serde_json::{Value, json};

use crate::cli::{Explain, Output, RouterFlavor};
use crate::client::{Client, Content};
use crate::commands::config;
use crate::failure::Failure;
use crate::output;

pub(super) fn run(arguments: &Explain) -> Result<(), Failure> {
    let told = match &arguments.node {
        Some(url) => of_node(url, &request::read(arguments)?)?,
        None => of_file(arguments, &request::read(arguments)?)?,
    };
    output::print(&match arguments.output {
        Output::Json => told.to_string(),
        Output::Text => report::text(&told),
    });
    Ok(())
}

/// Compiles a file as a node does it, and asks that.
fn of_file(arguments: &Explain, asked: &Asked) -> Result<Value, Failure> {
    let mut settings = Settings::builtin();
    settings.router_flavor = arguments.flavor.setting();
    let catalogue = Catalogue::new(plugins::catalogue());
    let catalogue = match arguments.flavor {
        RouterFlavor::Expressions => catalogue.with_expressions(),
        RouterFlavor::Traditional | RouterFlavor::TraditionalCompatible => catalogue,
    };
    let file = arguments.file.as_deref().unwrap_or_default();
    let config = config::read_with(file.as_ref(), &catalogue)?;
    let start = tokio::time::Instant::now();
    let node = plugin_api::NodeInfo::new(clock::new_uuid(), "explain");
    let compile = Compile::new(&settings, node, None).map_err(Failure::new)?;
    let snapshot = Snapshot::compile(&config, &revision(&config), &compile)
        .map_err(|problems| Failure::all(&problems))?;
    let compiled = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
    let told = gateway::explain::explain(&snapshot, asked, CONSIDERED_MAX);
    let mut told = told.map_err(Failure::new)?;
    told["nanoseconds"]["compile"] = json!(compiled);
    Ok(told)
}

/// The hash that a control plane gives a configuration.
fn revision(config: &declarative::Config) -> String {
    let tables = config.tables.iter();
    let tables = tables.map(|(kind, rows)| (kind.clone(), json!(rows)));
    wire::hash::config_hash(&Value::Object(tables.collect())).config
}

/// Asks a running node.
fn of_node(url: &str, asked: &Asked) -> Result<Value, Failure> {
    let url = url.trim_end_matches('/');
    let client = Client::new(url, pki::Roots::empty(), None).map_err(Failure::new)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::new)?;
    let body = Content::json(&asked.to_json());
    let answer = runtime.block_on(client.call(Method::POST, "/explain", Some(body)));
    let answer = answer.map_err(Failure::new)?;
    if answer.is_success() {
        return Ok(answer.json());
    }
    let told = answer.json();
    let reason = told.get("message").and_then(Value::as_str);
    let reason = reason.map_or_else(|| answer.text(), str::to_owned);
    let text = match answer.status {
        404 => format!("`{url}` is no status API of a node: see `status_listen`"),
        status => format!("the node answered {status}: {reason}"),
    };
    Err(Failure::new(text))
}

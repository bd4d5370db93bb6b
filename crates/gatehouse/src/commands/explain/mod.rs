//! `gatehouse explain`: which route of a declarative file takes a request, and why the others do not.
//!
//! The file is compiled as a node does it; nothing is sent anywhere.

mod report;
mod request;

use std::collections::HashSet;

use entities::{Catalogue, Map, Plugin, Route, Service};
use router::{Flavor, RouteInput, Router};
use uuid::Uuid;

use self::report::{Report, Timing};
use self::request::Request;
use crate::cli::{Explain, Output};
use crate::commands::config;
use crate::failure::Failure;
use crate::output;

/// Routes that are told of at most.
const CONSIDERED_MAX: usize = 20;

pub(super) fn run(arguments: &Explain) -> Result<(), Failure> {
    let request = Request::read(arguments)?;
    let flavor = arguments.flavor.flavor();
    let catalogue = Catalogue::new(plugins::catalogue());
    let catalogue = match flavor {
        Flavor::Expressions => catalogue.with_expressions(),
        Flavor::Traditional | Flavor::TraditionalCompatible => catalogue,
    };
    let config = config::read_with(&arguments.file, &catalogue)?;
    let start = tokio::time::Instant::now();
    let routes = routes(&config)?;
    let inputs: Vec<_> = routes.iter().map(|route| RouteInput { route }).collect();
    let router = Router::compile(&inputs, flavor).map_err(|errors| Failure::all(&errors))?;
    let compiled = start.elapsed();
    let start = tokio::time::Instant::now();
    let mut scratch = Vec::new();
    let path = router::normalise_path(request.path.as_bytes(), &mut scratch)
        .map_err(|error| Failure::new(format!("the request is answered with 400: {error}")))?;
    let normalised = start.elapsed();
    let query = request.query(&path);
    let start = tokio::time::Instant::now();
    let found = router.find(&query);
    let timing = Timing {
        compiled,
        normalised,
        routed: start.elapsed(),
    };
    let (considered, total) = router.explain(&query, CONSIDERED_MAX);
    let plugins: Vec<Plugin> = entities(&config, "plugins")?;
    let report = Report {
        config: &config,
        routes: &routes,
        plugins: &plugins,
        flavor,
        found,
        considered: &considered,
        total,
        timing,
    };
    output::print(&match arguments.output {
        Output::Json => report.json().to_string(),
        Output::Text => report.text(),
    });
    Ok(())
}

/// The routes that a node knows: those of disabled services are left out.
fn routes(config: &declarative::Config) -> Result<Vec<Route>, Failure> {
    let services: Vec<Service> = entities(config, "services")?;
    let off: HashSet<Uuid> = services
        .iter()
        .filter(|service| !service.enabled)
        .map(|service| service.id)
        .collect();
    let mut routes: Vec<Route> = entities(config, "routes")?;
    routes.retain(|route| !route.service.is_some_and(|service| off.contains(&service)));
    Ok(routes)
}

/// All entities of a kind.
fn entities<'c, T>(config: &'c declarative::Config, kind: &str) -> Result<Vec<T>, Failure>
where
    T: TryFrom<&'c Map, Error: std::fmt::Display>,
{
    let rows = config.rows(kind).iter();
    rows.map(|row| T::try_from(row).map_err(Failure::new))
        .collect()
}

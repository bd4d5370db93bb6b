//! From flat tables of valid entities to a snapshot.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use bytes::Bytes;
use declarative::{Config, Problem};
use entities::{Map, Route};
use pki::{CertifiedPair, certified_key};
use plugin_api::{Chain, RouteInfo, Secrets};
use router::{Flavor, Router};
use rustls::sign::CertifiedKey;
use schema::DecodeError;
use serde_json::Value;
use uuid::Uuid;

use super::certificates::Certificates;
use super::chains::{self, Chains, Known, Wanted};
use super::groups::Groups;
use super::lookups;
use super::routes::Routes;
use super::services::{Services, ServicesById};
use super::setup::Compile;
use super::types::{RouteEntry, Snapshot};
use super::update::Base;
use super::vaults::{Vaults, is_reference};

impl Snapshot {
    /// Compiles a configuration. Takes milliseconds per thousand routes: call it off the data
    /// path.
    ///
    /// # Errors
    ///
    /// Everything that this node cannot run, with the entity and the field.
    pub fn compile(config: &Config, hash: &str, node: &Compile) -> Result<Self, Vec<Problem>> {
        let mut report = Report::default();
        let vaults = Vaults::read(config, &node.vaults);
        let keys = certificate_keys(config, &vaults, &mut report);
        let services = Services::compile(config, node, &keys, &mut report);
        let groups = Groups::read(config, &mut report);
        let lookups = lookups::compile(config, &groups, &mut report);
        let known = Known {
            lookups: &lookups,
            groups: &groups,
            vaults: &vaults,
        };
        let mut chains = BothChains {
            http: Chains::compile(config, node, Wanted::Http, known, &mut report),
            stream: Chains::compile(config, node, Wanted::Stream, known, &mut report),
        };
        let routes = routes(config, &services.by_id, &mut chains, &mut report);
        let compiled = compile_router(config, routes, node, &mut report);
        let certificates = certificates(config, node, &keys, &mut report);
        let (Some((router, routes)), true) = (compiled, report.problems.is_empty()) else {
            return Err(report.problems);
        };
        node.shared.get::<Secrets>().set(Arc::new(vaults));
        let is_empty = config.is_empty();
        let hash = if is_empty { wire::EMPTY_HASH } else { hash }.to_owned();
        let snapshot = Self {
            router,
            routes,
            balancers: Arc::new(services.balancers),
            globals: chains.http.globals(),
            lookups: Arc::new(lookups.finish()),
            raised: services.raised,
            certificates: Arc::new(certificates),
            hash: hash.clone(),
            is_empty,
            plugin_names: plugin_names(config),
            notices: report.notices,
        };
        if let Some(memory) = node.routes.lock().as_mut() {
            memory.base = Some(Base {
                hash,
                services: services.by_id,
                chains,
            });
        }
        Ok(snapshot)
    }

    /// What a node runs before it has any configuration: nothing matches.
    #[must_use]
    pub fn empty(node: &Compile) -> Self {
        Self {
            certificates: Arc::new(Certificates::new(node.default_certificate.clone())),
            ..Self::nothing()
        }
    }

    /// What a connection that outlives configurations keeps: one route under the number 0, with
    /// its plugins. Nothing matches.
    pub(crate) fn only(&self, route: usize) -> Self {
        Self {
            routes: self.routes.only(route),
            hash: self.hash.clone(),
            ..Self::nothing()
        }
    }

    fn nothing() -> Self {
        let router = Router::compile(&[], Flavor::TraditionalCompatible).ok();
        Self {
            // No routes, no errors.
            router: router.expect("a router of no routes compiles"),
            routes: Routes::default(),
            balancers: Arc::default(),
            globals: Arc::default(),
            lookups: Arc::default(),
            raised: None,
            certificates: Arc::default(),
            hash: wire::EMPTY_HASH.to_owned(),
            is_empty: true,
            plugin_names: Vec::new(),
            notices: Vec::new(),
        }
    }
}

fn plugin_names(config: &Config) -> Vec<String> {
    let rows = config.rows("plugins").iter();
    let names = rows.filter_map(|row| row.get("name")?.as_str());
    let names: BTreeSet<&str> = names.collect();
    names.into_iter().map(str::to_owned).collect()
}

/// What compiling has to say.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) problems: Vec<Problem>,
    pub(super) notices: Vec<String>,
}

impl Report {
    /// Refuses the configuration because of a row.
    pub(super) fn problem(&mut self, row: Row<'_>, field: &str, message: impl AsRef<str>) {
        let body = Value::Object(row.body.clone());
        let problem = Problem::of_row(row.kind, row.position, body, field, message.as_ref());
        self.problems.push(problem);
    }

    /// Reads a row as its type; a row that cannot be read refuses the configuration.
    pub(super) fn read<'r, T>(&mut self, row: Row<'r>) -> Option<T>
    where
        T: TryFrom<&'r Map, Error = DecodeError>,
    {
        match T::try_from(row.body) {
            Ok(entity) => Some(entity),
            Err(error) => {
                self.problem(row, error.field, format!("is not {}", error.expected));
                None
            }
        }
    }
}

/// A row of a configuration and where it stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row<'a> {
    pub(super) kind: &'static str,
    pub(super) position: usize,
    pub(super) body: &'a Map,
}

/// The rows of a kind.
pub(super) fn rows<'a>(config: &'a Config, kind: &'static str) -> impl Iterator<Item = Row<'a>> {
    let rows = config.rows(kind).iter().enumerate();
    rows.map(move |(position, body)| Row {
        kind,
        position,
        body,
    })
}

/// An id as text, made once.
pub(super) fn id_text(id: Uuid) -> Bytes {
    Bytes::from(id.to_string())
}

/// Optional text as shared bytes.
pub(super) fn bytes(text: Option<&String>) -> Option<Bytes> {
    text.map(|text| Bytes::copy_from_slice(text.as_bytes()))
}

fn routes(
    config: &Config,
    services: &ServicesById,
    chains: &mut BothChains,
    report: &mut Report,
) -> Vec<RouteEntry> {
    let mut entries = Vec::with_capacity(config.rows("routes").len());
    for row in rows(config, "routes") {
        entries.extend(route_entry(row, services, chains, report));
    }
    entries
}

/// The entry of a route; `None` when its service is disabled, or when there is a problem.
pub(super) fn route_entry(
    row: Row<'_>,
    services: &ServicesById,
    chains: &mut BothChains,
    report: &mut Report,
) -> Option<RouteEntry> {
    let route: Route = report.read(row)?;
    let service = match route.service {
        None => None,
        Some(id) => match services.get(&id) {
            Some(Some(service)) => Some(Arc::clone(service)),
            // A disabled service takes its routes with it.
            Some(None) => return None,
            None => {
                let text = format!("service `{id}` is not part of the configuration");
                report.problem(row, "service", text);
                return None;
            }
        },
    };
    let info = RouteInfo {
        id: route.id,
        id_text: id_text(route.id),
        name: bytes(route.name.as_ref()),
        document: plugin_api::document(row.body),
    };
    Some(RouteEntry {
        chain: chains.of(&route),
        route,
        info,
        service,
    })
}

/// The chains of requests and those of streams: plugins name the protocols they are for.
pub(super) struct BothChains {
    http: Chains,
    stream: Chains,
}

impl BothChains {
    fn of(&mut self, route: &Route) -> Arc<Chain> {
        let is_http = route
            .protocols
            .iter()
            .any(|protocol| chains::is_http(*protocol));
        let chains = if is_http {
            &mut self.http
        } else {
            &mut self.stream
        };
        chains.of(route.id, route.service)
    }
}

fn route_row(config: &Config, id: Uuid) -> Option<Row<'_>> {
    let id = id.to_string();
    rows(config, "routes")
        .find(|row| row.body.get("id").and_then(Value::as_str) == Some(id.as_str()))
}

fn compile_router(
    config: &Config,
    routes: Vec<RouteEntry>,
    node: &Compile,
    report: &mut Report,
) -> Option<(Router, Routes)> {
    let mut memory = node.routes.lock();
    match super::routes::compile(&mut memory, routes, node.flavor) {
        Ok(compiled) => Some(compiled),
        Err(errors) => {
            for error in errors {
                if let Some(row) = route_row(config, error.id) {
                    report.problem(row, "", error.problem.to_string());
                }
            }
            None
        }
    }
}

/// The certificates of a configuration, by id. One that cannot be used is missing.
pub(super) type CertificateKeys = HashMap<Uuid, Arc<CertifiedPair>>;

fn certificate_keys(config: &Config, vaults: &Vaults, report: &mut Report) -> CertificateKeys {
    let mut keys = CertificateKeys::new();
    for row in rows(config, "certificates") {
        let Some(mut certificate) = report.read::<entities::Certificate>(row) else {
            continue;
        };
        if let Err(fault) = resolve_certificate(vaults, &mut certificate) {
            report.notices.push(format!(
                "certificate `{}`: {fault}; clients are shown the default certificate in its place",
                certificate.id
            ));
            continue;
        }
        let primary = pair(&certificate.cert, &certificate.key);
        let alternative = match (&certificate.cert_alt, &certificate.key_alt) {
            (Some(cert), Some(key)) => pair(cert, key).map(Some),
            _ => Ok(None),
        };
        match (primary, alternative) {
            (Ok(primary), Ok(alternative)) => {
                let pair = CertifiedPair::new(primary, alternative);
                keys.insert(certificate.id, Arc::new(pair));
            }
            (Err(error), _) => report.problem(row, "cert", error.to_string()),
            (_, Err(error)) => report.problem(row, "cert_alt", error.to_string()),
        }
    }
    keys
}

fn pair(cert: &str, key: &str) -> Result<Arc<CertifiedKey>, pki::Error> {
    certified_key(cert.as_bytes(), key.as_bytes())
}

/// Replaces the references to vaults in a certificate.
fn resolve_certificate(
    vaults: &Vaults,
    certificate: &mut entities::Certificate,
) -> Result<(), String> {
    let texts = [&mut certificate.cert, &mut certificate.key].into_iter();
    let alternatives = [&mut certificate.cert_alt, &mut certificate.key_alt];
    for text in texts.chain(alternatives.into_iter().flatten()) {
        if is_reference(text) {
            *text = vaults.text(text)?;
        }
    }
    Ok(())
}

fn certificates(
    config: &Config,
    node: &Compile,
    keys: &CertificateKeys,
    report: &mut Report,
) -> Certificates {
    let mut certificates = Certificates::new(node.default_certificate.clone());
    for row in rows(config, "snis") {
        let Some(sni) = report.read::<entities::Sni>(row) else {
            continue;
        };
        if let Some(pair) = keys.get(&sni.certificate) {
            certificates.insert(&sni.name, Arc::clone(pair));
        }
    }
    certificates
}

//! From a request to the service its host name stands for.

use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use control_plane::api::Problem;
use control_plane::outlet::Peer;
use http::uri::PathAndQuery;
use http::{Request, StatusCode, Uri, header};
use hyper::body::Incoming;
use identity::Identity;
use pki::PeerCertificate;
use rustls::pki_types::CertificateDer;
use serde_json::json;
use tower::ServiceExt;
use uuid::Uuid;

use crate::api;
use crate::assembly::GeoParts;
use crate::hosts::{Class, Hosts, host_of};
use crate::kic;
use crate::options::Limits;
use crate::site;

/// What the handshake told about the other side.
#[derive(Debug)]
pub(crate) struct Caller {
    server_name: Option<String>,
    pub(crate) certificates: Vec<CertificateDer<'static>>,
    pub(crate) remote: SocketAddr,
}

impl Caller {
    pub(crate) fn new(
        server_name: Option<String>,
        certificates: &[CertificateDer<'_>],
        remote: SocketAddr,
    ) -> Self {
        Self {
            server_name,
            certificates: certificates
                .iter()
                .cloned()
                .map(CertificateDer::into_owned)
                .collect(),
            remote,
        }
    }

    /// The class asked for in the handshake; no name at all is what a caller by address sends.
    fn class(&self, hosts: &Hosts) -> Option<Class> {
        match &self.server_name {
            None => Some(Class::Local),
            Some(name) => hosts.classify(name),
        }
    }
}

/// The services of all host names.
#[derive(Debug)]
pub(crate) struct Services {
    hosts: Hosts,
    cloud: Router,
    global: Router,
    local: Router,
    geos: Vec<GeoService>,
}

/// The services of one geo.
#[derive(Debug)]
struct GeoService {
    parts: GeoParts,
    api: Router,
    kic: Router,
}

impl Services {
    pub(crate) fn new(
        hosts: Hosts,
        port: u16,
        limits: &Limits,
        identity: Identity,
        geos: &[GeoParts],
    ) -> Self {
        let parts = api::Parts {
            identity,
            hosts: hosts.clone(),
            port,
            limits: *limits,
        };
        let routers = geos.iter().map(|geo| GeoService {
            parts: geo.clone(),
            api: api::geo(&parts, geo),
            kic: api::kic(&parts, geo),
        });
        Self {
            cloud: site::router(&hosts, port),
            global: api::global(&parts),
            local: api::local(&parts, geos.first()),
            geos: routers.collect(),
            hosts,
        }
    }

    /// Answers one request.
    pub(crate) async fn answer(&self, request: Request<Incoming>, caller: &Caller) -> Response {
        let class = match self.class(&request, caller) {
            Ok(class) => class,
            Err(problem) => return problem.into_response(),
        };
        match class {
            Class::Cloud => route(&self.cloud, request).await,
            Class::GlobalApi => route(&self.global, request).await,
            Class::GeoApi { geo } => match self.geo(&geo) {
                Some(parts) => route(&parts.api, request).await,
                None => self.unknown().into_response(),
            },
            Class::Configuration { prefix, geo } | Class::Telemetry { prefix, geo } => {
                self.node(request, caller, &geo, &prefix).await
            }
            Class::PrivateLink { geo } => match private_link(request.uri().path()) {
                Some(prefix) => {
                    let prefix = prefix.to_owned();
                    self.node(request, caller, &geo, &prefix).await
                }
                None => nothing("Nodes are served below `/cp/{prefix}` and `/tp/{prefix}`"),
            },
            Class::Local => match private_link(request.uri().path()) {
                Some(prefix) => {
                    let (prefix, geo) = (prefix.to_owned(), self.hosts.geos()[0].clone());
                    self.node(request, caller, &geo, &prefix).await
                }
                None => route(&self.local, request).await,
            },
            Class::IngressController { geo } => match self.geo(&geo) {
                Some(parts) => {
                    let mut request = request;
                    request
                        .extensions_mut()
                        .insert(kic::Presented::from(caller));
                    route(&parts.kic, request).await
                }
                None => self.unknown().into_response(),
            },
            Class::Portal { .. } => not_yet("Developer portals"),
            Class::MeshSync { .. } => not_yet("The synchronisation of mesh zones"),
            Class::IpAddresses => not_yet("The list of addresses"),
        }
    }

    /// The class that host and server name agree on.
    ///
    /// A node that is configured with an address and a server name sends the address as its host;
    /// then the server name says what is meant.
    fn class(&self, request: &Request<Incoming>, caller: &Caller) -> Result<Class, Problem> {
        let mut hosts = request.headers().get_all(header::HOST).iter();
        let host = hosts.next().and_then(|value| value.to_str().ok());
        // Two readers could take two hosts for the one that counts.
        let host = host.filter(|_| hosts.next().is_none());
        let authority = match request.uri().authority() {
            Some(authority) => Some(authority.as_str()),
            None => host,
        };
        let Some(host) = authority.and_then(host_of) else {
            let detail = "The request names no host: send one `Host`";
            return Err(Problem::new(StatusCode::BAD_REQUEST, detail));
        };
        let asked = self.hosts.classify(host).ok_or_else(|| self.unknown())?;
        match caller.class(&self.hosts) {
            Some(shaken) if shaken == asked => Ok(asked),
            Some(shaken) if asked == Class::Local && shaken.is_for_nodes() => Ok(shaken),
            _ => Err(Problem::new(
                StatusCode::MISDIRECTED_REQUEST,
                "The host is not the one that this connection was opened for; open another one",
            )),
        }
    }

    fn geo(&self, name: &str) -> Option<&GeoService> {
        self.geos
            .iter()
            .find(|geo| geo.parts.planes.geo().name == name)
    }

    /// Hands a request of a node over. A prefix that does not exist is served by a control plane
    /// that lets nobody in, so that the two cannot be told apart.
    async fn node(
        &self,
        request: Request<Incoming>,
        caller: &Caller,
        geo: &str,
        prefix: &str,
    ) -> Response {
        let Some(GeoService { parts: geo, .. }) = self.geo(geo) else {
            return self.unknown().into_response();
        };
        let plane = match geo.planes.by_prefix(prefix).await {
            Ok(plane) => plane,
            Err(error) => {
                tracing::error!(%error, "control planes cannot be read");
                let detail = "Control planes cannot be read now; try again";
                return Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail).into_response();
            }
        };
        let leaf = caller.certificates.first();
        let peer = Peer {
            control_plane: plane.map_or(Uuid::nil(), |plane| plane.id),
            certificate: leaf.and_then(|leaf| PeerCertificate::from_der(leaf).ok()),
            chain: caller.certificates.iter().skip(1).cloned().collect(),
            address: caller.remote,
        };
        geo.outlet.serve(request, peer).await.map(Body::new)
    }

    fn unknown(&self) -> Problem {
        let detail = "This host name means nothing here; `names` lists the patterns that do";
        Problem::new(StatusCode::NOT_FOUND, detail).with("names", json!(self.hosts.patterns()))
    }
}

/// Routes a request; a slash at the end of a path means nothing.
async fn route(router: &Router, request: Request<Incoming>) -> Response {
    let mut request = admin_api::linger(request.map(Body::new));
    if let Some(uri) = without_slash(request.uri()) {
        *request.uri_mut() = uri;
    }
    // A router cannot fail.
    router
        .clone()
        .oneshot(request)
        .await
        .unwrap_or_else(|never| match never {})
}

fn without_slash(uri: &Uri) -> Option<Uri> {
    let path = uri.path();
    let trimmed = path.trim_end_matches('/');
    if trimmed.len() == path.len() || trimmed.is_empty() {
        return None;
    }
    let text = match uri.query() {
        Some(query) => format!("{trimmed}?{query}"),
        None => trimmed.to_owned(),
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(text).ok()?);
    Uri::from_parts(parts).ok()
}

/// The prefix of a path `/cp/PREFIX/…` or `/tp/PREFIX/…`.
fn private_link(path: &str) -> Option<&str> {
    let rest = path
        .strip_prefix("/cp/")
        .or_else(|| path.strip_prefix("/tp/"))?;
    rest.split('/').next().filter(|prefix| !prefix.is_empty())
}

fn nothing(detail: &str) -> Response {
    Problem::new(StatusCode::NOT_FOUND, detail).into_response()
}

fn not_yet(what: &str) -> Response {
    let detail = format!("{what}: this release does not serve that yet");
    Problem::new(StatusCode::NOT_IMPLEMENTED, detail).into_response()
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    #[test]
    fn slashes_at_the_end_are_dropped_and_the_query_stays() {
        let trimmed = |text: &str| without_slash(&text.parse().unwrap()).map(|u| u.to_string());
        assert_eq!(trimmed("/a/b/").as_deref(), Some("/a/b"));
        assert_eq!(trimmed("/a//?x=/").as_deref(), Some("/a?x=/"));
        assert_eq!(trimmed("/"), None);
        assert_eq!(trimmed("/a"), None);
    }

    #[test]
    fn private_links_name_their_prefix_in_the_path() {
        assert_eq!(private_link("/cp/0c9f4e21aa/v1/outlet"), Some("0c9f4e21aa"));
        assert_eq!(private_link("/tp/0c9f4e21aa"), Some("0c9f4e21aa"));
        assert_eq!(private_link("/cp//v1/outlet"), None);
        assert_eq!(private_link("/v2/control-planes"), None);
    }
}

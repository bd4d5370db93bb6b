//! Tests of the whole matcher: what was recorded of the reference, and the naive scan as a yardstick.

pub(crate) mod agreement;
mod behaviour;
mod changes;
mod explain;
pub(crate) mod naive;
pub(crate) mod oracle;
mod recorded;

use std::net::{IpAddr, Ipv4Addr};

use entities::{PathHandling, Protocol, Route};
use uuid::Uuid;

use crate::{Flavor, HeaderLookup, Query, RouteInput, Router, Scheme};

/// A route without any condition; the number makes its id and age.
pub(crate) fn route(number: u64) -> Route {
    Route {
        id: Uuid::from_u128(u128::from(number) << 64 | 1),
        name: Some(format!("r{number}")),
        protocols: vec![Protocol::Http, Protocol::Https],
        methods: Vec::new(),
        hosts: Vec::new(),
        paths: Vec::new(),
        headers: Vec::new(),
        snis: Vec::new(),
        sources: Vec::new(),
        destinations: Vec::new(),
        https_redirect_status_code: 426,
        regex_priority: 0,
        strip_path: true,
        path_handling: PathHandling::V0,
        preserve_host: false,
        request_buffering: true,
        response_buffering: true,
        expression: None,
        priority: 0,
        service: None,
        created_at: number,
        tags: Vec::new(),
    }
}

pub(crate) fn strings(list: &[&str]) -> Vec<String> {
    list.iter().map(|one| (*one).to_owned()).collect()
}

pub(crate) fn compile(routes: &[Route], flavor: Flavor) -> Router {
    let inputs: Vec<_> = routes.iter().map(|route| RouteInput { route }).collect();
    Router::compile(&inputs, flavor).expect("the routes of a test compile")
}

/// A plain GET to a listener on port 8000.
pub(crate) fn query<'a>(host: &'a str, path: &'a str, headers: &'a dyn HeaderLookup) -> Query<'a> {
    let (host, host_port) = crate::split_host(host.as_bytes());
    let local = IpAddr::V4(Ipv4Addr::LOCALHOST);
    Query {
        scheme: Scheme::Http,
        method: b"GET",
        host,
        host_port,
        path: path.as_bytes(),
        query: b"",
        headers,
        sni: None,
        source: (local, 40000),
        destination: (local, 8000),
    }
}

/// Header fields of a test, in order.
pub(crate) struct Fields(pub(crate) Vec<(String, String)>);

impl HeaderLookup for Fields {
    fn any_value(&self, name: &str, visit: &mut dyn FnMut(&[u8]) -> bool) -> bool {
        self.0
            .iter()
            .filter(|(own, _)| own.eq_ignore_ascii_case(name))
            .any(|(_, value)| visit(value.as_bytes()))
    }
}

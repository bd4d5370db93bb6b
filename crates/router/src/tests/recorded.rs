//! The reference's answers, recorded: which route a request went to, and with which path.

use entities::{PathHandling, Protocol, Route};
use serde_json::Value;
use uuid::Uuid;

use super::{Fields, compile, naive, query, route};
use crate::{Flavor, Match, Router, Scheme, normalise_path, upstream_path};

const ROUTING: &str = include_str!("../../tests/data/recorded-routing.json");
const PATHS: &str = include_str!("../../tests/data/recorded-paths.json");
const FLAVORS: [(&str, Flavor); 2] = [
    ("t", Flavor::Traditional),
    ("c", Flavor::TraditionalCompatible),
];
/// The listeners; the recordings hold no host rule with their ports.
const PLAIN_PORT: u16 = 8000;
const TLS_PORT: u16 = 8443;

fn texts(value: &Value) -> Vec<String> {
    let list = value.as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter()
        .map(|one| one.as_str().unwrap().to_owned())
        .collect()
}

fn read_route(value: &Value) -> Route {
    let mut read = route(0);
    read.id = value["id"].as_str().unwrap().parse::<Uuid>().unwrap();
    read.name = value["name"].as_str().map(str::to_owned);
    read.created_at = value["created_at"].as_u64().unwrap_or(0);
    read.methods = texts(&value["methods"]);
    read.hosts = texts(&value["hosts"]);
    read.paths = texts(&value["paths"]);
    read.snis = texts(&value["snis"]);
    read.regex_priority = value["regex_priority"].as_i64().unwrap_or(0);
    if let Some(headers) = value["headers"].as_object() {
        read.headers = headers
            .iter()
            .map(|(name, list)| (name.clone(), texts(list)))
            .collect();
    }
    if value.get("protocols").is_some() {
        let names = texts(&value["protocols"]);
        read.protocols = names.iter().map(|name| protocol(name)).collect();
    }
    read
}

fn protocol(name: &str) -> Protocol {
    match name {
        "http" => Protocol::Http,
        "https" => Protocol::Https,
        "grpc" => Protocol::Grpc,
        "grpcs" => Protocol::Grpcs,
        other => unreachable!("protocol `{other}`"),
    }
}

/// The recorder added a route of its own to each configuration, to see when it was in force. It matters: in the
/// traditional flavor the method of any route makes that method known.
fn probe() -> Route {
    let mut probe = route(u64::MAX);
    probe.hosts = vec!["ready.golden.invalid".to_owned()];
    probe.paths = vec!["/ready".to_owned()];
    probe.methods = vec!["GET".to_owned()];
    probe
}

/// Asks the router and the scan; they must agree.
fn ask(router: &Router, request: &Value) -> Option<Match> {
    let target = request[1].as_str().unwrap();
    let raw: Vec<u8> = target
        .chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap())
        .collect();
    let raw = raw.split(|byte| *byte == b'?').next().unwrap();
    let mut scratch = Vec::new();
    let path = normalise_path(raw, &mut scratch).ok()?;
    let mut host = "";
    let mut fields = Fields(Vec::new());
    for pair in request[3].as_array().unwrap() {
        let (name, value) = (pair[0].as_str().unwrap(), pair[1].as_str().unwrap());
        if name.eq_ignore_ascii_case("host") {
            host = value;
        }
        fields.0.push((name.to_owned(), value.to_owned()));
    }
    let mut query = query(host, "", &fields);
    query.path = &path;
    query.method = request[0].as_str().unwrap().as_bytes();
    query.destination.1 = PLAIN_PORT;
    if let Some(sni) = request[2].as_str() {
        query.scheme = Scheme::Https;
        query.sni = (!sni.is_empty()).then_some(sni);
        query.destination.1 = TLS_PORT;
    }
    let found = router.find(&query);
    assert_eq!(
        found,
        naive::find(router, &query),
        "index and scan differ for {request}"
    );
    found
}

#[test]
fn requests_go_to_the_routes_that_the_reference_chose() {
    let cases: Value = serde_json::from_str(ROUTING).unwrap();
    let mut wrong = Vec::new();
    let mut count = 0;
    for case in cases.as_array().unwrap() {
        let mut routes: Vec<Route> = case["routes"]
            .as_array()
            .unwrap()
            .iter()
            .map(read_route)
            .collect();
        routes.push(probe());
        for (key, flavor) in FLAVORS {
            let router = compile(&routes, flavor);
            for request in case["requests"].as_array().unwrap() {
                let Some(expected) = request[4].get(key) else {
                    continue;
                };
                count += 1;
                let found = ask(&router, request).map(|found| &routes[found.route]);
                let name = found.and_then(|route| route.name.as_deref());
                let is_tls_only =
                    found.is_some_and(|route| !route.protocols.contains(&Protocol::Http));
                let is_right = match expected.as_str() {
                    Some("*https") => is_tls_only,
                    other => other == name,
                };
                if !is_right {
                    wrong.push(format!("{} {key} {request}: {name:?}", case["case"]));
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {count} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(count > 2500, "the recordings were read");
}

#[test]
fn upstreams_get_the_paths_that_the_reference_built() {
    let rows: Value = serde_json::from_str(PATHS).unwrap();
    let mut wrong = Vec::new();
    for row in rows.as_array().unwrap() {
        let mut configured = route(1);
        configured.hosts = vec!["a.test".to_owned()];
        configured.paths = row[1].as_str().map(str::to_owned).into_iter().collect();
        let strip_path = row[2].as_bool().unwrap();
        let handling = if row[3].as_str() == Some("v1") {
            PathHandling::V1
        } else {
            PathHandling::V0
        };
        for (key, flavor) in FLAVORS {
            let Some(expected) = row[5][key].as_str() else {
                continue;
            };
            let router = compile(std::slice::from_ref(&configured), flavor);
            let (path, tail) = split_target(row[4].as_str().unwrap());
            let mut scratch = Vec::new();
            let path = normalise_path(path.as_bytes(), &mut scratch).unwrap();
            let mut query = query("a.test", "", &());
            query.path = &path;
            let matched = router
                .find(&query)
                .expect("the route matches")
                .stripped_len();
            let handling = flavor.effective_path_handling(handling);
            let service_path = row[0].as_str().unwrap_or_default();
            let mut out = Vec::new();
            upstream_path(service_path, &path, matched, strip_path, handling, &mut out);
            out.extend_from_slice(tail.as_bytes());
            if out != expected.as_bytes() {
                wrong.push(format!("{row} {key}: {}", String::from_utf8_lossy(&out)));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

fn split_target(target: &str) -> (&str, &str) {
    target.split_at(target.find('?').unwrap_or(target.len()))
}

//! Facts about compiled configurations.

use declarative::Config;
use entities::Map;
use pki::Authority;
use plugin_api::Needs;
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::testing::{compile, config, lines, snapshot};

fn service(snapshot: &Snapshot, route: usize) -> &ServiceEntry {
    snapshot.routes[route].service.as_ref().unwrap()
}

#[test]
fn a_destination_is_an_address_a_name_or_an_upstream() {
    let snapshot = snapshot(
        "
upstreams:
- {name: pool.test, host_header: shown.test, targets: [{target: '10.0.0.1:81'}]}
services:
- {name: a, host: 127.0.0.1, port: 80, routes: [{name: a, paths: [/a]}]}
- {name: b, host: '::1', port: 81, routes: [{name: b, paths: [/b]}]}
- {name: c, host: name.test, port: 443, protocol: https, routes: [{name: c, paths: [/c]}]}
- {name: d, host: name.test, port: 80, protocol: https, routes: [{name: d, paths: [/d]}]}
- {name: e, host: pool.test, routes: [{name: e, paths: [/e]}]}
",
    );
    let mut found: Vec<_> = (0..snapshot.routes.len())
        .map(|route| {
            let entry = service(&snapshot, route);
            let host = std::str::from_utf8(&entry.host_header).unwrap();
            let name = entry.service.name.clone().unwrap();
            format!(
                "{name}: {:?}, host {host}, tls {}",
                entry.destination,
                entry.tls.is_some()
            )
        })
        .collect();
    found.sort();
    assert_eq!(
        found,
        [
            "a: Address(127.0.0.1:80), host 127.0.0.1, tls false",
            "b: Address([::1]:81), host [::1]:81, tls false",
            "c: Name, host name.test, tls true",
            "d: Name, host name.test:80, tls true",
            "e: Upstream(0), host shown.test, tls false",
        ]
    );
    assert_eq!(snapshot.balancers.len(), 1);
    assert!(!snapshot.is_empty);
}

#[test]
fn a_disabled_service_takes_its_routes_with_it() {
    let snapshot = snapshot(
        "
services:
- {name: shut, host: shut.test, enabled: false, routes: [{name: shut, paths: [/shut]}]}
- {name: open, host: open.test, routes: [{name: open, paths: [/open]}]}
routes:
- {name: alone, paths: [/alone]}
",
    );
    let mut names: Vec<_> = snapshot
        .routes
        .iter()
        .map(|entry| (entry.route.name.clone().unwrap(), entry.service.is_some()))
        .collect();
    names.sort();
    assert_eq!(
        names,
        [("alone".to_owned(), false), ("open".to_owned(), true)]
    );
}

const ROUTE: &str = "00000001-0000-4000-8000-000000000001";
const SERVICE: &str = "00000001-0000-4000-8000-000000000002";
const ALICE: &str = "00000001-0000-4000-8000-000000000003";
const OTHER_ROUTE: &str = "00000001-0000-4000-8000-000000000004";

/// Every combination of scopes, most specific first, as route, service, consumer.
const RANKS: [(bool, bool, bool); 8] = [
    (true, true, true),
    (true, false, true),
    (false, true, true),
    (true, true, false),
    (false, false, true),
    (true, false, false),
    (false, true, false),
    (false, false, false),
];

/// A configuration with one instance for each of these ranks; its id ends in the rank.
fn scoped(ranks: impl Iterator<Item = usize>) -> Config {
    let mut yaml = format!(
        "
services:
- id: {SERVICE}
  name: s
  host: s.test
  routes:
  - {{id: {ROUTE}, name: r, paths: [/r]}}
  - {{id: {OTHER_ROUTE}, name: o, paths: [/o]}}
consumers:
- {{id: {ALICE}, username: alice}}
plugins:
"
    );
    for rank in ranks {
        let (route, service, consumer) = RANKS[rank];
        let mut line =
            format!("- {{name: request-termination, id: 00000002-0000-4000-8000-00000000000{rank}");
        for (is_set, member, id) in [
            (route, "route", ROUTE),
            (service, "service", SERVICE),
            (consumer, "consumer", ALICE),
        ] {
            if is_set {
                line.push_str(&format!(", {member}: {{id: {id}}}"));
            }
        }
        yaml.push_str(&format!("{line}}}\n"));
    }
    config(&yaml)
}

/// The rank of the instance that applies to a route's requests.
fn winner(snapshot: &Snapshot, route: &str, consumer: Option<&str>) -> Option<usize> {
    let route = Uuid::parse_str(route).unwrap();
    let chain = &snapshot.routes.iter().find(|r| r.route.id == route)?.chain;
    let entry = chain.entries().first()?;
    let own = consumer.and_then(|consumer| {
        let id = Uuid::parse_str(consumer).unwrap();
        entry.consumers().iter().find_map(|map| map.get(&id))
    });
    let bound = own.or_else(|| entry.default_bound())?;
    Some(usize::from(*bound.id.as_bytes().last().unwrap()))
}

#[test]
fn the_most_specific_scope_wins() {
    for first in 0..RANKS.len() {
        let config = scoped(first..RANKS.len());
        let snapshot = Snapshot::compile(&config, "h", &compile()).unwrap();
        assert_eq!(winner(&snapshot, ROUTE, Some(ALICE)), Some(first));
        let anonymous = (first..RANKS.len()).find(|rank| !RANKS[*rank].2);
        assert_eq!(winner(&snapshot, ROUTE, None), anonymous);
    }
}

#[test]
fn an_instance_of_another_route_does_not_apply() {
    let all = Snapshot::compile(&scoped(0..8), "h", &compile()).unwrap();
    assert_eq!(winner(&all, OTHER_ROUTE, Some(ALICE)), Some(2));
    assert_eq!(winner(&all, OTHER_ROUTE, None), Some(6));
    let only_route = Snapshot::compile(&scoped(5..6), "h", &compile()).unwrap();
    assert_eq!(winner(&only_route, OTHER_ROUTE, None), None);
    assert!(only_route.globals.is_empty());
}

#[test]
fn only_instances_of_global_scope_are_global() {
    let snapshot = Snapshot::compile(&scoped(0..8), "h", &compile()).unwrap();
    let entry = snapshot.globals.entries().first().unwrap();
    assert!(entry.consumers().is_empty());
    assert!(entry.default_bound().is_some());
}

#[test]
fn routes_without_plugins_of_their_own_share_one_chain() {
    let snapshot = snapshot(
        "
plugins: [{name: correlation-id}]
services:
- name: s
  host: s.test
  routes:
  - {name: a, paths: [/a]}
  - {name: b, paths: [/b]}
  - {name: c, paths: [/c], plugins: [{name: key-auth, config: {key_in_body: true}}]}
",
    );
    let chain = |name: &str| {
        let named = |entry: &&RouteEntry| entry.route.name.as_deref() == Some(name);
        &snapshot.routes.iter().find(named).unwrap().chain
    };
    assert!(std::sync::Arc::ptr_eq(chain("a"), chain("b")));
    let names: Vec<_> = chain("c")
        .entries()
        .iter()
        .map(|e| e.definition().name)
        .collect();
    assert_eq!(names, ["correlation-id", "key-auth"]);
    assert_eq!(chain("c").needs(), Needs::REQUEST_BODY);
    assert_eq!(chain("a").needs(), Needs::NONE);
}

#[test]
fn disabled_instances_and_those_of_the_stream_proxy_are_left_out() {
    let mut config = config(
        "
services:
- {name: s, host: s.test, routes: [{name: r, paths: [/r]}]}
plugins:
- {name: correlation-id, enabled: false}
- {name: request-termination}
",
    );
    for plugin in config.tables.get_mut("plugins").unwrap() {
        if plugin["name"] == "request-termination" {
            plugin.insert("protocols".to_owned(), json!(["tcp", "tls"]));
        }
    }
    let snapshot = Snapshot::compile(&config, "h", &compile()).unwrap();
    assert!(snapshot.routes[0].chain.is_empty());
}

#[test]
fn a_plugin_that_this_node_lacks_refuses_the_configuration() {
    let mut config = config("plugins: [{name: correlation-id}]");
    let plugin = &mut config.tables.get_mut("plugins").unwrap()[0];
    plugin.insert("name".to_owned(), json!("no-such"));
    let problems = Snapshot::compile(&config, "h", &compile()).unwrap_err();
    assert_eq!(
        lines(&problems),
        ["plugins[0].name: plugin `no-such` is not part of this node"]
    );
}

#[test]
fn a_plugin_without_a_handler_is_said_and_takes_part_in_access() {
    if plugins::definition("pre-function").is_some_and(|one| one.is_runnable()) {
        // A build with Lua runs all of them.
        return;
    }
    let id = "00000002-0000-4000-8000-000000000009";
    let snapshot = snapshot(&format!(
        "plugins: [{{name: pre-function, id: {id}, config: {{access: [x]}}}}]"
    ));
    let [entry] = snapshot.globals.entries() else {
        panic!("one plugin is configured")
    };
    assert!(entry.phases().contains(plugin_api::Phases::ACCESS));
    assert_eq!(
        snapshot.notices,
        [format!(
            "plugin `pre-function` (`{id}`): this node cannot run it; the requests it \
             applies to are answered 503"
        )]
    );
}

#[test]
fn what_a_plugin_refuses_is_named_with_its_field() {
    let limits = "{minute: 5, policy: cluster}";
    let config = config(&format!(
        "plugins: [{{name: rate-limiting, config: {limits}}}]"
    ));
    let problems = Snapshot::compile(&config, "h", &compile()).unwrap_err();
    let [line] = lines(&problems).try_into().unwrap();
    assert!(
        line.starts_with("plugins[0].config.policy: expected one of: local, redis"),
        "{line}"
    );
    let body = declarative::error_body(&problems, true);
    assert_eq!(body["flattened_errors"][0]["entity_name"], "rate-limiting");
    assert_eq!(
        body["flattened_errors"][0]["errors"][0]["field"],
        "config.policy"
    );
}

#[test]
fn what_works_differently_here_is_said_with_the_plugins_id() {
    let config = "{minute: 5, error_code: 9000}";
    let id = "00000002-0000-4000-8000-000000000009";
    let snapshot = snapshot(&format!(
        "plugins: [{{name: rate-limiting, id: {id}, config: {config}}}]"
    ));
    assert_eq!(snapshot.notices.len(), 1);
    let prefix = format!("plugin `rate-limiting` (`{id}`): ");
    assert!(
        snapshot.notices[0].starts_with(&prefix),
        "{:?}",
        snapshot.notices
    );
}

#[test]
fn a_pattern_that_cannot_be_compiled_names_its_route() {
    let mut config = config("routes: [{name: r, paths: [/a]}]");
    let route = &mut config.tables.get_mut("routes").unwrap()[0];
    route.insert("paths".to_owned(), json!(["~/(unclosed"]));
    let problems = Snapshot::compile(&config, "h", &compile()).unwrap_err();
    let [line] = lines(&problems).try_into().unwrap();
    assert!(line.starts_with("routes[0]: regular expression"), "{line}");
}

#[test]
fn a_row_that_is_not_its_type_names_its_field() {
    let mut config = config("services: [{name: s, host: s.test}]");
    let service = &mut config.tables.get_mut("services").unwrap()[0];
    service.insert("port".to_owned(), json!("eighty"));
    let problems = Snapshot::compile(&config, "h", &compile()).unwrap_err();
    assert!(lines(&problems)[0].starts_with("services[0].port: is not"));
}

#[test]
fn a_route_of_a_service_that_is_not_there_is_refused() {
    let mut config = config("routes: [{name: r, paths: [/a]}]");
    let route = &mut config.tables.get_mut("routes").unwrap()[0];
    route.insert("service".to_owned(), json!({ "id": SERVICE }));
    let problems = Snapshot::compile(&config, "h", &compile()).unwrap_err();
    assert!(lines(&problems)[0].starts_with("routes[0].service: service"));
}

#[test]
fn a_key_leads_to_its_consumer_until_it_ends() {
    let mut config = config(
        "consumers: [{username: alice, custom_id: a-1, keyauth_credentials: [{key: secret}]}]",
    );
    let credential = &mut config.tables.get_mut("keyauth_credentials").unwrap()[0];
    credential.insert("ttl".to_owned(), json!(2000));
    let snapshot = Snapshot::compile(&config, "h", &compile()).unwrap();
    let slot = snapshot.lookups.slot("keyauth_credentials").unwrap();
    let found = snapshot
        .lookups
        .credential(slot, b"secret", 1_999_999)
        .unwrap();
    assert_eq!(found.consumer.username.as_deref(), Some(&b"alice"[..]));
    assert_eq!(found.consumer.custom_id.as_deref(), Some(&b"a-1"[..]));
    assert!(
        snapshot
            .lookups
            .credential(slot, b"secret", 2_000_000)
            .is_none()
    );
    assert!(snapshot.lookups.consumer_named("alice").is_some());
}

#[test]
fn an_empty_configuration_has_the_hash_of_none() {
    let snapshot = Snapshot::compile(&Config::default(), "h", &compile()).unwrap();
    assert!(snapshot.is_empty);
    assert_eq!(snapshot.hash, "00000000000000000000000000000000");
    let parameter = json!({ "key": "cluster_id", "value": SERVICE });
    let Value::Object(parameter) = parameter else {
        unreachable!()
    };
    let mut config = Config::default();
    config
        .tables
        .insert("parameters".to_owned(), vec![parameter]);
    let snapshot = Snapshot::compile(&config, "h", &compile()).unwrap();
    assert!(!snapshot.is_empty);
    assert_eq!(snapshot.hash, "h");
    assert!(Snapshot::empty(&compile()).is_empty);
}

fn row(value: Value) -> Map {
    match value {
        Value::Object(map) => map,
        _ => panic!("a row is an object"),
    }
}

/// Certificates with one name each, shown under the same names.
fn with_certificates(names: &[&str]) -> Config {
    let authority = Authority::create("test").unwrap();
    let mut config = Config::default();
    for (at, name) in names.iter().enumerate() {
        let issued = authority.issue_server(&[format!("{at}.test")]).unwrap();
        let id = Uuid::from_u128(at as u128 + 1);
        let certificate = json!({ "id": id, "cert": issued.cert_pem, "key": issued.key_pem });
        let sni = json!({ "id": id, "name": name, "certificate": { "id": id } });
        config
            .tables
            .entry("certificates".to_owned())
            .or_default()
            .push(row(certificate));
        config
            .tables
            .entry("snis".to_owned())
            .or_default()
            .push(row(sni));
    }
    config
}

#[test]
fn a_certificate_is_chosen_by_exact_name_then_wildcards_then_the_nodes_own() {
    let names = ["a.example.test", "*.example.test", "a.example.*", "*"];
    let snapshot = Snapshot::compile(&with_certificates(&names), "h", &compile()).unwrap();
    let schemes = pki::crypto_provider()
        .signature_verification_algorithms
        .supported_schemes();
    let chosen = |name: &str| {
        let key = snapshot.certificates.choose(Some(name), &schemes)?;
        let leaf = pki::PeerCertificate::from_der(key.cert.first()?).ok()?;
        let index = leaf
            .dns_names()
            .first()?
            .split('.')
            .next()?
            .parse::<usize>();
        index.ok().map(|index| names[index])
    };
    assert_eq!(chosen("a.example.test"), Some("a.example.test"));
    assert_eq!(chosen("A.Example.TEST"), Some("a.example.test"));
    assert_eq!(chosen("b.example.test"), Some("*.example.test"));
    assert_eq!(chosen("a.example.org"), Some("a.example.*"));
    assert_eq!(chosen("x.b.example.test"), Some("*"));
    assert_eq!(chosen("example.test"), Some("*"));
    assert!(snapshot.certificates.choose(None, &schemes).is_none());
    assert_eq!(snapshot.certificates.len(), 4);
}

#[test]
fn a_certificate_that_cannot_be_used_is_named() {
    let mut config = with_certificates(&["a.test", "b.test"]);
    let rows = config.tables.get_mut("certificates").unwrap();
    let key = rows[1]["key"].clone();
    rows[0].insert("key".to_owned(), key);
    let problems = Snapshot::compile(&config, "h", &compile()).unwrap_err();
    let [line] = lines(&problems).try_into().unwrap();
    assert!(line.starts_with("certificates[0].cert: "), "{line}");
    assert!(!line.contains("PRIVATE"), "{line}");
}

#[test]
fn a_certificate_in_a_vault_is_passed_over_and_said() {
    let mut config = with_certificates(&["a.test"]);
    let rows = config.tables.get_mut("certificates").unwrap();
    rows[0].insert("key".to_owned(), json!("{vault://env/key}"));
    let snapshot = Snapshot::compile(&config, "h", &compile()).unwrap();
    assert!(snapshot.certificates.is_empty());
    assert!(snapshot.notices[0].contains("the variable `KEY` is not set"));
}

#[test]
fn services_with_equal_tls_settings_share_them_and_others_do_not() {
    let yaml = "
services:
- {name: a, host: a.test, protocol: https, routes: [{name: a, paths: [/a]}]}
- {name: b, host: b.test, protocol: https, routes: [{name: b, paths: [/b]}]}
- {name: c, host: c.test, protocol: https, tls_verify: true, routes: [{name: c, paths: [/c]}]}
- {name: d, host: d.test, protocol: grpcs, routes: [{name: d, paths: [/d], protocols: [grpcs]}]}
";
    let first = snapshot(yaml);
    let identity = |snapshot: &Snapshot, name: &str| {
        let named = |entry: &&RouteEntry| entry.route.name.as_deref() == Some(name);
        let entry = snapshot.routes.iter().find(named).unwrap();
        entry
            .service
            .as_ref()
            .unwrap()
            .tls
            .as_ref()
            .unwrap()
            .identity
    };
    assert_eq!(identity(&first, "a"), identity(&first, "b"));
    assert_ne!(identity(&first, "a"), identity(&first, "c"));
    assert_ne!(identity(&first, "a"), identity(&first, "d"));
    // Connections of the pool outlive a configuration.
    assert_eq!(identity(&first, "c"), identity(&snapshot(yaml), "c"));
}

#[test]
fn an_authority_that_is_not_there_refuses_its_service() {
    let mut config =
        config("services: [{name: a, host: a.test, protocol: https, tls_verify: true}]");
    let service = &mut config.tables.get_mut("services").unwrap()[0];
    service.insert("ca_certificates".to_owned(), json!([ALICE]));
    let problems = Snapshot::compile(&config, "h", &compile()).unwrap_err();
    assert!(lines(&problems)[0].starts_with("services[0].ca_certificates: "));
}

#[test]
fn all_problems_are_reported_at_once() {
    let mut config =
        config("services: [{name: a, host: a.test}]\nplugins: [{name: correlation-id}]");
    let tables = &mut config.tables;
    tables.get_mut("services").unwrap()[0].insert("port".to_owned(), json!("x"));
    tables.get_mut("plugins").unwrap()[0].insert("name".to_owned(), json!("nope"));
    assert_eq!(
        Snapshot::compile(&config, "h", &compile())
            .unwrap_err()
            .len(),
        2
    );
}

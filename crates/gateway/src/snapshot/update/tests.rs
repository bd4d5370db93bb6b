//! A snapshot that is brought up to date is as one that is compiled from all rows.

use declarative::Config;
use entities::Map;
use proptest::{
    collection::vec,
    prelude::{ProptestConfig, Strategy, any, proptest},
    sample::select,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::RowChange;
use crate::explain::{Asked, explain};
use crate::snapshot::{Compile, Snapshot};
use crate::testing::{compile, config};

/// Services `tls`, `pool` and `dark`; plugins of the node, a service, two routes and a consumer.
const BASE: &str = "
upstreams: [{name: pool.test, targets: [{target: '10.0.0.1:81'}]}]
services:
- {name: tls, id: 00000001-0000-4000-8000-000000000001, url: 'https://on.test'}
- {name: pool, id: 00000001-0000-4000-8000-000000000002, host: pool.test}
- {name: dark, id: 00000001-0000-4000-8000-000000000003, url: 'http://off.test', enabled: false}
routes:
- {name: r0, id: 00000002-0000-4000-8000-000000000000, paths: [/a]}
- {name: r1, id: 00000002-0000-4000-8000-000000000001, paths: ['~/b/(?<n>.*)']}
consumers: [{username: alice, keyauth_credentials: [{key: k}]}]
plugins:
- {name: cors}
- {name: key-auth, service: tls}
- {name: cors, route: r0}
- {name: cors, route: r1, service: pool}
- {name: ip-restriction, consumer: alice, config: {deny: [10.0.0.1]}}
";

const ROUTES: u8 = 6;
const PATHS: [&str; 5] = ["/a", "/a/b", "~/b/(?<n>.*)", "/c", "~/c/\\d+"];

/// What a route becomes: of a number, with this path, this method, this service.
type Step = (u8, Option<(&'static str, Option<&'static str>, Option<u8>)>);

fn step() -> impl Strategy<Value = Step> {
    let method = proptest::option::of(select(vec!["GET", "PUT"]));
    let service = proptest::option::of(1..4_u8);
    let route = (select(PATHS.to_vec()), method, service);
    (0..ROUTES, proptest::option::weighted(0.75, route))
}

fn id(number: u8) -> Uuid {
    Uuid::parse_str(&format!("00000002-0000-4000-8000-{number:012}")).unwrap()
}

/// Does a step to a configuration; gives what changed.
fn apply(config: &mut Config, (number, now): &Step, sample: &Map) -> RowChange {
    let text = id(*number).to_string();
    let rows = config.tables.entry("routes".to_owned()).or_default();
    rows.retain(|row| row["id"] != text.as_str());
    let body = now.map(|(path, method, service)| {
        let mut row = sample.clone();
        row.insert("id".to_owned(), json!(text));
        row.insert("name".to_owned(), json!(format!("r{number}")));
        row.insert("paths".to_owned(), json!([path]));
        row.insert("methods".to_owned(), json!(method.map(|own| [own])));
        let service =
            service.map(|own| json!({"id": format!("00000001-0000-4000-8000-{own:012}")}));
        row.insert("service".to_owned(), json!(service));
        rows.push(row.clone());
        row
    });
    RowChange {
        kind: "routes".to_owned(),
        id: id(*number),
        body,
    }
}

/// Everything that can be told of a snapshot.
fn facts(snapshot: &Snapshot) -> Vec<Value> {
    let mut facts = Vec::new();
    for path in ["/a", "/a/b/c", "/b/x", "/c", "/c/12", "/none"] {
        for method in ["GET", "PUT"] {
            let asked = json!({"path": path, "method": method}).to_string();
            let asked = Asked::from_json(asked.as_bytes()).unwrap();
            let mut told = explain(snapshot, &asked, 100).unwrap();
            told["nanoseconds"] = Value::Null;
            facts.push(told);
        }
    }
    let mut routes: Vec<String> = snapshot
        .routes
        .iter()
        .map(|entry| {
            let service = entry.service.as_ref();
            let service = service.map(|own| {
                let tls = own.tls.as_ref().is_some();
                (own.service.id, own.destination.clone(), tls)
            });
            let chain = entry.chain.entries().iter().map(|entry| {
                let bound = entry.default_bound().map(|bound| bound.id);
                let consumers = entry.consumers().iter().map(|map| map.len());
                (
                    entry.definition().name,
                    bound,
                    consumers.collect::<Vec<_>>(),
                )
            });
            let chain: Vec<_> = chain.collect();
            format!("{:?} {:?} {service:?} {chain:?}", entry.route, entry.info)
        })
        .collect();
    routes.sort();
    facts.extend(routes.into_iter().map(Value::from));
    facts.push(json!([
        snapshot.routes.len(),
        snapshot.balancers.len(),
        snapshot.certificates.len(),
        snapshot.globals.entries().len(),
        snapshot.plugin_names,
        snapshot.notices,
        snapshot.hash,
        snapshot.is_empty,
    ]));
    facts
}

/// The running snapshot, or one of all rows where that is asked for.
fn next(
    running: &Snapshot,
    (config, hash): (&Config, &str),
    changes: &[RowChange],
    node: &Compile,
) -> (Snapshot, bool) {
    match running.changed(changes, hash, node) {
        Some(next) => (next, true),
        None => (Snapshot::compile(config, hash, node).unwrap(), false),
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 30,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn changed_rows_end_where_all_rows_do(
        steps in vec((vec(step(), 1..4), any::<bool>()), 1..8),
    ) {
        let mut all = config(BASE);
        let sample = all.rows("routes")[0].clone();
        let node = compile();
        let mut running = Snapshot::compile(&all, "0", &node).unwrap();
        for (number, (steps, is_whole)) in steps.iter().enumerate() {
            let mut changes: Vec<RowChange> = Vec::new();
            for step in steps {
                let change = apply(&mut all, step, &sample);
                changes.retain(|own| own.id != change.id);
                changes.push(change);
            }
            let hash = number.to_string() + "x";
            let (next, was_changed) = match is_whole {
                true => (Snapshot::compile(&all, &hash, &node).unwrap(), false),
                false => next(&running, (&all, &hash), &changes, &node),
            };
            let is_bare = all.rows("routes").is_empty();
            assert!(*is_whole || was_changed || running.routes.is_empty() || next.routes.is_empty() || is_bare);
            running = next;
            let whole = Snapshot::compile(&all, &hash, &compile()).unwrap();
            assert_eq!(facts(&running), facts(&whole));
        }
    }
}

#[test]
fn what_reaches_into_everything_or_is_wrong_compiles_everything() {
    let all = config(BASE);
    let node = compile();
    let running = Snapshot::compile(&all, "1", &node).unwrap();
    let route = all.rows("routes")[0].clone();
    let change = |kind: &str, body: Option<Map>| RowChange {
        kind: kind.to_owned(),
        id: id(0),
        body,
    };
    let is_taken = |changes: &[RowChange]| running.changed(changes, "1", &node).is_some();
    assert!(is_taken(&[]));
    assert!(is_taken(&[change("routes", Some(route.clone()))]));
    for kind in ["services", "plugins", "upstreams", "snis", "acls"] {
        let changes = [change("routes", Some(route.clone())), change(kind, None)];
        assert!(!is_taken(&changes), "{kind}");
    }
    for (member, value) in [
        (
            "service",
            json!({"id": "00000001-0000-4000-8000-000000000009"}),
        ),
        ("paths", json!(["~/("])),
        ("protocols", json!(7)),
    ] {
        let mut wrong = route.clone();
        wrong.insert(member.to_owned(), value);
        assert!(!is_taken(&[change("routes", Some(wrong))]), "{member}");
    }
    // Nothing of the wrong ones is left, and another base is not this one.
    assert!(is_taken(&[change("routes", Some(route.clone()))]));
    let other = Snapshot::compile(&all, "2", &node).unwrap();
    assert!(!is_taken(&[change("routes", Some(route))]));
    assert!(other.changed(&[], "3", &node).is_some());
}

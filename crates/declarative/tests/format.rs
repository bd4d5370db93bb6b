//! The declarative format, sentence by sentence: versions, nesting, references, decK's members.

mod common;

use common::{catalogue, config, packed, parse, problems, shown};
use gatehouse_declarative::{Config, Document, Options, TextForm, render_minimal};
use serde_json::{Value, json};

const ID: &str = "a0000050-0050-4000-8000-000000000001";

fn deck() -> Options {
    Options {
        tolerate_deck: true,
        ..Options::default()
    }
}

fn of(document: Value, options: Options) -> Config {
    let shown = document.to_string();
    let read = Document::from_value(document).normalise(&catalogue(), options);
    assert!(read.is_ok(), "{shown}: {read:?}");
    read.unwrap_or_default()
}

fn first<'c>(config: &'c Config, kind: &str) -> &'c entities::Map {
    let rows = config.rows(kind);
    assert!(!rows.is_empty(), "no row of {kind}");
    &rows[0]
}

/// Parent, what it needs, the child's list, what the child needs, the member that refers back.
type Nesting = (&'static str, Value, &'static str, Value, &'static str);

fn nestings() -> Vec<Nesting> {
    let service = json!({"name": "s", "host": "h"});
    let route = json!({"name": "r", "paths": ["/"]});
    let group = json!({"name": "g"});
    let upstream = json!({"name": "up"});
    let set = json!({"name": "ks"});
    let plugin = json!({"name": "limit", "config": {"minute": 1}});
    let target = json!({"target": "1.2.3.4:80"});
    let jwk = "{\"kid\":\"k\",\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AA\"}";
    let key = json!({"name": "k", "kid": "k", "jwk": jwk});
    let mut all = vec![
        (
            "services",
            service.clone(),
            "routes",
            route.clone(),
            "service",
        ),
        ("services", service, "plugins", plugin.clone(), "service"),
        ("routes", route, "plugins", plugin.clone(), "route"),
        (
            "consumer_groups",
            group,
            "plugins",
            plugin.clone(),
            "consumer_group",
        ),
        ("upstreams", upstream, "targets", target, "upstream"),
        ("key_sets", set, "keys", key, "set"),
    ];
    let of_consumers = [
        ("plugins", plugin),
        ("keyauth_credentials", json!({"key": "k"})),
        (
            "basicauth_credentials",
            json!({"username": "b", "password": "p"}),
        ),
        ("hmacauth_credentials", json!({"username": "h"})),
        ("jwt_secrets", json!({"key": "j"})),
        (
            "oauth2_credentials",
            json!({"name": "app", "client_id": "c", "client_secret": "s"}),
        ),
        ("acls", json!({"group": "g"})),
        ("mtls_auth_credentials", json!({"subject_name": "s"})),
    ];
    let consumer = || json!({"username": "u"});
    all.extend(
        of_consumers.map(|(list, child)| ("consumers", consumer(), list, child, "consumer")),
    );
    all
}

#[test]
fn every_kind_that_refers_to_another_may_stand_in_it_or_name_it() {
    for (parent, row, list, child, member) in nestings() {
        let mut nested = row.clone();
        nested[list] = json!([child]);
        let nested = of(json!({"_format_version": "3.0", parent: [nested]}), deck());
        let id = &first(&nested, parent)["id"];
        assert_eq!(
            first(&nested, list)[member],
            json!({ "id": id }),
            "{parent}.{list}"
        );

        let name = ["name", "username"]
            .iter()
            .find_map(|key| row.get(*key))
            .expect("a name");
        for reference in [name, id] {
            let mut flat = child.clone();
            flat[member] = reference.clone();
            let flat = of(
                json!({"_format_version": "3.0", parent: [row], list: [flat]}),
                deck(),
            );
            assert_eq!(
                first(&flat, list)[member],
                json!({ "id": id }),
                "{list}: {reference}"
            );
        }
    }
}

#[test]
fn entities_nest_to_any_depth() {
    let config = config(
        "_format_version: '3.0'\nconsumers:\n- username: u\n  oauth2_credentials:\n  - name: app\n    \
         client_id: c\n    client_secret: s\n    oauth2_tokens:\n    - {access_token: t, expires_in: 60}\n\
         services:\n- name: s\n  host: h\n  routes:\n  - name: r\n    paths: [/]\n    plugins:\n    \
         - {name: limit, config: {minute: 1}}\n",
    );
    let application = &first(&config, "oauth2_credentials")["id"];
    assert_eq!(
        first(&config, "oauth2_tokens")["credential"],
        json!({ "id": application })
    );
    assert_eq!(
        first(&config, "plugins")["route"]["id"],
        first(&config, "routes")["id"]
    );
}

#[test]
fn members_that_nobody_knows_are_refused() {
    for member in ["bogus", "tags", "no_such_plugin_rows", "_Format_version"] {
        let document = json!({"_format_version": "3.0", member: [{"name": "x"}]});
        let found = Document::from_value(document).normalise(&catalogue(), Options::default());
        let shown = shown(&found.expect_err("it is refused"));
        assert_eq!(shown, [format!("{member}: unknown field")]);
    }
}

#[test]
fn every_dangling_and_repeated_name_is_told_in_the_words_of_the_reference() {
    let text = format!(
        "_format_version: '3.0'\nroutes:\n- {{name: r, paths: [/], service: orders}}\n\
         services:\n- {{name: s, host: h, id: {ID}}}\n- {{name: t, host: h, id: {ID}}}\n\
         - {{name: s, host: h}}\n"
    );
    let shown = shown(&problems(&text));
    for part in [
        "invalid reference 'service: orders' (no such entry in 'services')",
        "uniqueness violation: 'services' entity with name set to 's' already declared",
    ] {
        assert!(
            shown.iter().any(|line| line.contains(part)),
            "{part}: {shown:?}"
        );
    }
    let twice = format!(
        "_format_version: '3.0'\nservices:\n- {{name: s, host: h, id: {ID}}}\n- {{name: t, host: h, id: {ID}}}\n"
    );
    let said = format!(
        "uniqueness violation: 'services' entity with primary key set to '{ID}' already declared"
    );
    let shown = common::shown(&problems(&twice));
    assert!(shown.iter().any(|line| line.contains(&said)), "{shown:?}");
}

/// The path of a route after reading a document of that version.
fn path(version: &str, path: &str) -> Value {
    let document = json!({"_format_version": version, "routes": [{"name": "r", "paths": [path]}]});
    first(&of(document, Options::default()), "routes")["paths"][0].clone()
}

#[test]
fn paths_of_old_formats_are_prefixes_or_become_expressions() {
    for version in ["1.1", "2.1"] {
        for (old, new) in [
            ("/plain-1._~/x", "/plain-1._~/x"),
            ("/a%2eb", "/a.b"),
            ("/a/./b/../c", "/a/c"),
            ("/users/\\d+$", "~/users/\\d+$"),
            ("/a%20(b)", "~/a (b)"),
            ("/a(%2e)", "~/a(\\.)"),
            ("/a(%2f)", "~/a(%2F)"),
        ] {
            assert_eq!(path(version, old), json!(new), "{version} {old}");
        }
    }
    assert_eq!(path("3.0", "/a(b)"), json!("/a(b)"));
    assert_eq!(path("3.0", "~/users/\\d+$"), json!("~/users/\\d+$"));
}

#[test]
fn what_old_formats_wrote_is_rendered_in_the_current_one_and_stays() {
    let text = "_format_version: '1.1'\nservices:\n- name: s\n  host: h\n  routes:\n  - {name: r, paths: [/u/(x)]}\n";
    let config = config(text);
    let minimal =
        |config: &Config| render_minimal(&packed(config), &catalogue(), &[], TextForm::Yaml);
    let rendered = minimal(&config);
    assert!(
        rendered.starts_with("_format_version: '3.0'\n"),
        "{rendered}"
    );
    let again = common::config(&rendered);
    assert_eq!(first(&again, "routes")["paths"], json!(["~/u/(x)"]));
    assert_eq!(minimal(&again), rendered);
}

#[test]
fn what_steers_deck_itself_is_read_over_and_refused_by_nodes() {
    for header in [
        json!({"_workspace": "team"}),
        json!({"_konnect": {"control_plane_name": "prod"}}),
        json!({"_info": {"default_lookup_tags": {"services": ["shared"]}}}),
        json!({"_info": {"consumer_group_policy_overrides": false}}),
        json!({"_info": {"include_plugin_definitions": true}}),
        json!({"_info": {"select_tags": ["a"], "defaults": {}}}),
        json!({"_plugin_configs": {"shared": {"minute": 1}}}),
    ] {
        let mut document =
            json!({"_format_version": "3.0", "services": [{"name": "s", "host": "h"}]});
        let (member, value) = header
            .as_object()
            .and_then(|all| all.iter().next())
            .expect("one");
        document[member] = value.clone();
        assert_eq!(of(document.clone(), deck()).rows("services").len(), 1);
        let refused = Document::from_value(document).normalise(&catalogue(), Options::default());
        let shown = shown(&refused.expect_err("a node refuses it"));
        assert_eq!(shown, [format!("{member}: unknown field")]);
    }
}

#[test]
fn passwords_that_the_file_says_are_hashes_stay_as_they_are() {
    for (skips, stored) in [
        (true, "plain"),
        (false, "d807696e9b284ec30ca3af3a5d28ebf12c4629f1"),
    ] {
        let document = json!({
            "_format_version": "3.0",
            "_info": {"skip_hash_for_basic_auth": skips},
            "consumers": [{
                "username": "u", "basicauth_credentials": [{"username": "b", "password": "plain"}],
            }],
        });
        let row = first(&of(document, deck()), "basicauth_credentials")["password"].clone();
        assert_eq!(row, json!(stored), "{skips}");
    }
}

#[test]
fn rows_of_kinds_without_a_list_of_their_own_name_their_kind() {
    let custom = json!([
        {"type": "degraphql_routes", "id": ID, "fields": {"uri": "/a", "query": "{a}", "service": {"name": "s"}}},
        {"type": "degraphql_routes", "fields": {"uri": "/b", "query": "{b}", "service": "s"}},
    ]);
    let services = json!([{"name": "s", "host": "h"}]);
    let document =
        json!({"_format_version": "3.0", "services": services, "custom_entities": custom});
    let config = of(document.clone(), deck());
    assert_eq!(config.rows("degraphql_routes").len(), 2);
    let row = first(&config, "degraphql_routes");
    assert_eq!(row["id"], json!(ID));
    assert_eq!(row["service"]["id"], first(&config, "services")["id"]);
    let refused = Document::from_value(document).normalise(&catalogue(), Options::default());
    assert_eq!(
        shown(&refused.expect_err("a node refuses it")),
        ["custom_entities: unknown field"]
    );
    for row in [
        json!({"type": "no_such", "fields": {}}),
        json!({"fields": {}}),
        json!(5),
    ] {
        let document = json!({"_format_version": "3.0", "custom_entities": [row]});
        let refused = Document::from_value(document).normalise(&catalogue(), deck());
        let shown = shown(&refused.expect_err("it is no row of a kind"));
        assert!(shown[0].ends_with("unknown field"), "{shown:?}");
    }
}

#[test]
fn what_there_is_only_in_other_products_is_refused_by_name() {
    for member in ["rbac_roles", "service_packages", "cloned_plugins"] {
        let document = json!({"_format_version": "3.0", member: [{"name": "x"}]});
        let refused = Document::from_value(document).normalise(&catalogue(), deck());
        assert_eq!(
            shown(&refused.expect_err("it is refused")),
            [format!("{member}: unknown field")]
        );
    }
}

#[test]
fn plugins_take_shared_configurations_and_their_own_members_win() {
    let text = "_format_version: '3.0'\n_plugin_configs: {a: {minute: 5}}\nplugins:\n\
                - {name: limit, _config: a}\n";
    let config = parse(text).normalise(&catalogue(), deck()).expect("valid");
    assert_eq!(first(&config, "plugins")["config"]["minute"], json!(5));
}

//! From documents to tables: nesting, references, ids, old formats.

mod common;

use common::{catalogue, config, parse, problems, shown};
use gatehouse_declarative::{Document, Options};
use serde_json::{Value, json};

#[test]
fn nested_entities_become_rows_that_refer_to_their_parents() {
    let config = config(
        "_format_version: '3.0'\nservices:\n- name: s1\n  host: a.test\n  plugins:\n  - name: limit\n  \
         routes:\n  - name: r1\n    paths: [/a]\n    plugins:\n    - name: limit\n",
    );
    assert_eq!(config.rows("services").len(), 1);
    let service = &config.rows("services")[0]["id"];
    assert_eq!(service, &json!("356ebaf8-b7af-5cba-99a1-f392e34730ab"));
    let route = &config.rows("routes")[0];
    assert_eq!(route["service"], json!({ "id": service }));
    assert_eq!(route["id"], json!("4726a05a-d550-537e-9fc3-a07c7a1188c7"));
    let plugins = config.rows("plugins");
    let of_route = plugins
        .iter()
        .find(|plugin| !plugin["route"].is_null())
        .expect("it");
    assert_eq!(of_route["route"], json!({"id": route["id"]}));
    let of_service = plugins
        .iter()
        .find(|plugin| !plugin["service"].is_null())
        .expect("it");
    assert_eq!(of_service["service"], json!({ "id": service }));
    assert_eq!(of_service["config"]["redis"]["port"], json!(6379));
}

#[test]
fn references_are_names_or_ids() {
    let config = config(
        "_format_version: '3.0'\nservices:\n- {name: s1, host: a, id: a0000050-0050-4000-8000-000000000001}\n\
         routes:\n- {name: r1, paths: [/a], service: s1}\n\
         - {name: r2, paths: [/b], service: a0000050-0050-4000-8000-000000000001}\n\
         - {name: r3, paths: [/c], service: null}\n",
    );
    let id = json!({"id": "a0000050-0050-4000-8000-000000000001"});
    assert_eq!(config.rows("routes")[0]["service"], id);
    assert_eq!(config.rows("routes")[1]["service"], id);
    assert_eq!(config.rows("routes")[2]["service"], Value::Null);
}

#[test]
fn a_name_that_looks_like_an_id_is_found() {
    let config = config(
        "_format_version: '3.0'\nconsumers:\n- username: a0000050-0050-4000-8000-00000000004d\n\
         acls:\n- consumer: a0000050-0050-4000-8000-00000000004d\n  group: g\n",
    );
    assert_eq!(
        config.rows("acls")[0]["consumer"],
        json!({"id": config.rows("consumers")[0]["id"]})
    );
}

#[test]
fn the_same_document_gives_the_same_ids() {
    let text = "_format_version: '3.0'\nconsumers:\n- username: u\n  acls:\n  - group: g\n";
    assert_eq!(
        config(text).rows("acls")[0]["id"],
        config(text).rows("acls")[0]["id"]
    );
}

#[test]
fn certificates_hold_server_names_as_objects() {
    let authority = pki::Authority::create("test").expect("an authority");
    let issued = authority.issue_server(&["a.test"]).expect("issued");
    let document = json!({
        "_format_version": "3.0",
        "certificates": [{"cert": issued.cert_pem, "key": issued.key_pem, "snis": [{"name": "a.test"}]}],
    });
    let config = Document::from_value(document)
        .normalise(&catalogue(), Options::default())
        .expect("valid");
    let certificate = &config.rows("certificates")[0];
    assert!(!certificate.contains_key("snis"));
    assert_eq!(
        config.rows("snis")[0]["certificate"],
        json!({"id": certificate["id"]})
    );
}

#[test]
fn old_formats_mark_paths_that_are_expressions() {
    let text = "_format_version: '2.1'\nroutes:\n- name: r1\n  paths: [/plain, '/re(gex)?', /a.b, /d+, /c%20d]\n\
                services:\n- name: s\n  host: h\n  routes:\n  - name: r2\n    paths: ['/(a)%2E']\n";
    let config = config(text);
    assert_eq!(
        config
            .rows("routes")
            .iter()
            .find(|route| route["name"] == "r1")
            .map(|r| r["paths"].clone()),
        Some(json!(["/plain", "~/re(gex)?", "/a.b", "~/d+", "/c d"]))
    );
    assert_eq!(
        config
            .rows("routes")
            .iter()
            .find(|route| route["name"] == "r2")
            .map(|r| r["paths"].clone()),
        Some(json!(["~/(a)\\."]))
    );
    let current = config_of("3.0", "/re(gex)?");
    assert_eq!(current["paths"], json!(["/re(gex)?"]));
}

fn config_of(version: &str, path: &str) -> entities::Map {
    let text = format!("_format_version: '{version}'\nroutes:\n- name: r\n  paths: ['{path}']\n");
    config(&text).rows("routes")[0].clone()
}

#[test]
fn comments_and_ignored_members_are_ignored_everywhere() {
    let config = config(
        "_format_version: '3.0'\n_comment: c\n_ignore: [{a: &x 5}]\nservices:\n- name: s\n  host: h\n  \
         _comment: c\n  _ignore: [1]\n  retries: *x\n",
    );
    assert_eq!(config.rows("services")[0]["retries"], json!(5));
}

#[test]
fn passwords_are_hashed_unless_the_document_says_they_are() {
    let text = |transform: &str| {
        format!(
            "_format_version: '3.0'\n{transform}consumers:\n- username: u\n  \
             basicauth_credentials:\n  - username: b\n    password: plain\n"
        )
    };
    let password = |text: &str| config(text).rows("basicauth_credentials")[0]["password"].clone();
    assert_eq!(
        password(&text("")),
        json!("d807696e9b284ec30ca3af3a5d28ebf12c4629f1")
    );
    assert_eq!(password(&text("_transform: false\n")), json!("plain"));
}

#[test]
fn members_of_deck_are_tolerated_on_demand() {
    let text = "_format_version: '3.0'\n_workspace: w\n_info: {select_tags: [a]}\n_konnect: {x: y}\n\
                _plugin_configs:\n  shared: {minute: 5, redis: {host: h}}\n\
                plugins:\n- name: limit\n  _config: shared\n  config: {minute: 7}\n";
    let options = Options {
        tolerate_deck: true,
        ..Options::default()
    };
    let config = parse(text).normalise(&catalogue(), options).expect("valid");
    let limit = &config.rows("plugins")[0]["config"];
    assert_eq!(
        limit,
        &json!({"minute": 7, "redis": {"host": "h", "port": 6379}})
    );
    let found = shown(&problems(text));
    assert!(
        found.contains(&"line 2: _workspace: unknown field".to_owned()),
        "{found:?}"
    );
    assert!(
        found.contains(&"line 3: _info: unknown field".to_owned()),
        "{found:?}"
    );
}

#[test]
fn every_problem_has_its_path_and_line() {
    let text = "_format_version: '3.0'\nservices:\n- name: a b\n  host: ''\n  routes:\n  - name: r\n    \
                paths:\n    - /ok\n    - bad\n    plugins:\n    - name: nope\n    - name: limit\n      \
                config:\n        minute: -1\nbogus: 1\n";
    assert_eq!(
        shown(&problems(text)),
        [
            "line 15: bogus: unknown field",
            "line 4: services[0].host: length must be at least 1",
            "line 3: services[0].name: invalid value 'a b': the only accepted ascii characters are \
             alphanumerics or ., -, _, and ~",
            "line 9: services[0].routes[0].paths[1]: should start with: / (fixed path) or ~/ (regex \
             path)",
            "line 11: services[0].routes[0].plugins[0].name: plugin 'nope' not enabled; add it to the \
             'plugins' configuration property",
            "line 14: services[0].routes[0].plugins[1].config.minute: value must be greater than 0",
        ]
    );
}

#[test]
fn dangling_references_are_all_reported() {
    let text = "_format_version: '3.0'\nroutes:\n- {name: r, paths: [/], service: nope}\n\
                targets:\n- {target: 'a:80', upstream: gone}\n";
    assert_eq!(
        shown(&problems(text)),
        [
            "line 3: routes[0].service: invalid reference 'service: nope' (no such entry in \
             'services')",
            "line 5: targets[0].upstream: invalid reference 'upstream: gone' (no such entry in \
             'upstreams')",
        ]
    );
}

#[test]
fn references_may_point_outside_a_part_of_a_configuration() {
    let text = "_format_version: '3.0'\nroutes:\n- {name: r, paths: [/], service: a0000050-0050-4000-8000-000000000001}\n";
    assert_eq!(problems(text).len(), 1);
    let options = Options {
        is_partial: true,
        ..Options::default()
    };
    let config = parse(text).normalise(&catalogue(), options).expect("valid");
    assert_eq!(
        config.rows("routes")[0]["service"],
        json!({"id": "a0000050-0050-4000-8000-000000000001"})
    );
}

#[test]
fn what_exists_twice_is_reported_at_the_second() {
    let text = "_format_version: '3.0'\nservices:\n- {name: s, host: a}\n- {name: s, host: b}\n\
                plugins:\n- name: limit\n- name: limit\n";
    let found = shown(&problems(text));
    assert_eq!(
        found[0],
        "line 4: services[1]: uniqueness violation: 'services' entity with name set to 's' already \
         declared"
    );
    assert!(found[1].starts_with(
        "line 7: plugins[1]: uniqueness violation: 'plugins' entity with primary key"
    ));
}

#[test]
fn two_ids_for_one_plugin_and_scope_clash() {
    let text = "_format_version: '3.0'\nplugins:\n- {name: limit, id: a0000050-0050-4000-8000-000000000001}\n\
                - {name: limit, id: a0000050-0050-4000-8000-000000000002}\n";
    let found = shown(&problems(text));
    assert!(
        found[0].contains("name,route,service,consumer"),
        "{found:?}"
    );
}

#[test]
fn shapes_that_are_wrong_are_named() {
    let cases = [
        ("services: x", "services: expected an array"),
        ("services: {name: x}", "services: expected an array"),
        ("services: [x]", "services[0]: expected a record"),
        ("services: [null]", "services[0]: expected a record"),
        ("_transform: x", "_transform: expected a boolean"),
        ("_ignore: 5", "_ignore: expected an array"),
        (
            "routes:\n- {paths: [/], service: 5}",
            "routes[0].service: expected a string",
        ),
        (
            "routes:\n- {paths: [/], service: {name: s}}",
            "routes[0].service.id: missing primary key",
        ),
    ];
    for (text, message) in cases {
        let found = shown(&problems(&format!("_format_version: '3.0'\n{text}\n")));
        assert!(
            found.iter().any(|line| line.ends_with(message)),
            "{text}: {found:?}"
        );
    }
}

#[test]
fn a_nested_entity_does_not_name_its_parent() {
    let text = "_format_version: '3.0'\nservices:\n- name: s\n  host: h\n  routes:\n  - paths: [/]\n    service: other\n";
    assert_eq!(
        shown(&problems(text)),
        ["line 7: services[0].routes[0].service: value must be null"]
    );
}

#[test]
fn versions_are_checked_and_may_be_optional() {
    for (text, message) in [
        ("services: []", "required field missing"),
        ("_format_version: '4.0'", "expected one of: 1.1, 2.1, 3.0"),
        ("_format_version: 3.0", "expected a string"),
    ] {
        let found = shown(&problems(text));
        assert!(found[0].ends_with(message), "{found:?}");
    }
    let options = Options {
        version_optional: true,
        ..Options::default()
    };
    assert!(
        parse("services: []")
            .normalise(&catalogue(), options)
            .is_ok()
    );
}

#[test]
fn empty_lists_are_no_configuration() {
    let empty = config("_format_version: '3.0'\nservices: {}\nroutes: []\nplugins: null\n");
    assert!(empty.is_empty());
    assert!(!config("_format_version: '3.0'\nconsumers: [{username: u}]\n").is_empty());
}

#[test]
fn ten_thousand_routes_are_all_there() {
    let routes: Vec<Value> = (0..10_000)
        .map(|n| json!({"name": format!("r{n}"), "paths": [format!("/p{n}")], "service": format!("s{}", n % 100)}))
        .collect();
    let services: Vec<Value> = (0..100)
        .map(|n| json!({"name": format!("s{n}"), "host": "h"}))
        .collect();
    let document = json!({"_format_version": "3.0", "services": services, "routes": routes});
    let config = Document::from_value(document)
        .normalise(&catalogue(), Options::default())
        .expect("valid");
    assert_eq!(config.rows("routes").len(), 10_000);
}

#[test]
fn plugins_share_a_protocol_with_their_routes() {
    let text = "_format_version: '3.0'\nservices:\n- name: s\n  host: h\n  routes:\n  - name: r\n    protocols: [http]\n    paths: [/]\n    \
                plugins:\n    - {name: limit, protocols: [grpc]}\n  plugins:\n  - {name: limit, protocols: [tcp]}\n";
    assert_eq!(
        shown(&problems(text)),
        [
            "line 10: services[0].routes[0].plugins[0].protocols: must match the associated route's \
             protocols",
            "line 12: services[0].plugins[0].protocols: must match the protocols of at least one \
             route pointing to this Plugin's service",
        ]
    );
}

#[test]
fn a_shared_configuration_that_is_not_there_is_reported() {
    let text = "_format_version: '3.0'\nplugins:\n- name: limit\n  _config: nope\n";
    let options = Options {
        tolerate_deck: true,
        ..Options::default()
    };
    let found = parse(text)
        .normalise(&catalogue(), options)
        .expect_err("there is none");
    assert_eq!(
        shown(&found),
        ["line 4: plugins[0]._config: no such entry in '_plugin_configs': nope"]
    );
}

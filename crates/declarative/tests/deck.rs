//! decK's dialect.

mod common;

use std::collections::BTreeMap;

use common::{catalogue, parse, shown};
use entities::Packed;
use gatehouse_declarative::{Config, Options, Surroundings};
use serde_json::{Value, json};

fn deck() -> Options {
    Options {
        tolerate_deck: true,
        ..Options::default()
    }
}

fn read(text: &str) -> Config {
    parse(text).normalise(&catalogue(), deck()).expect("valid")
}

#[test]
fn defaults_of_the_file_fill_what_entities_leave_out() {
    let config = read(
        "_format_version: '3.0'\n_info:\n  defaults:\n    service: {retries: 9, port: 81}\n    \
         route: {strip_path: false}\n    upstream: {healthchecks: {threshold: 7}}\n\
         services:\n- {name: s, host: h, port: 82, routes: [{name: r, paths: [/a]}]}\n\
         upstreams:\n- {name: u, healthchecks: {active: {concurrency: 3}}}\n",
    );
    let service = &config.rows("services")[0];
    assert_eq!(
        (&service["retries"], &service["port"]),
        (&json!(9), &json!(82))
    );
    assert_eq!(config.rows("routes")[0]["strip_path"], false);
    let checks = &config.rows("upstreams")[0]["healthchecks"];
    assert_eq!(checks["threshold"], 7);
    assert_eq!(checks["active"]["concurrency"], 3);
}

#[test]
fn tags_of_the_selection_are_put_on_every_entity() {
    let text = "_format_version: '3.0'\n_info: {select_tags: [team-a, prod]}\n\
                services:\n- {name: s, host: h, tags: [prod, own], routes: [{name: r, paths: [/a]}]}\n";
    let config = read(text);
    assert_eq!(
        config.rows("services")[0]["tags"],
        json!(["prod", "own", "team-a"])
    );
    assert_eq!(config.rows("routes")[0]["tags"], json!(["team-a", "prod"]));
    assert_eq!(parse(text).select_tags(), ["team-a", "prod"]);

    let around = Surroundings::default().with_tags(vec!["given".to_owned()]);
    let config = parse("_format_version: '3.0'\nservices:\n- {name: s, host: h}\n")
        .normalise_within(&catalogue(), deck(), &around)
        .unwrap();
    assert_eq!(config.rows("services")[0]["tags"], json!(["given"]));
}

#[test]
fn members_of_groups_may_be_named_on_both_sides() {
    let below_consumers = read(
        "_format_version: '3.0'\nconsumer_groups:\n- name: gold\nconsumers:\n- username: ann\n  groups:\n  - name: gold\n",
    );
    let below_groups = read(
        "_format_version: '3.0'\nconsumer_groups:\n- name: gold\n  consumers:\n  - username: ann\nconsumers:\n- username: ann\n",
    );
    for config in [&below_consumers, &below_groups] {
        let row = &config.rows("consumer_group_consumers")[0];
        assert_eq!(row["consumer"]["id"], config.rows("consumers")[0]["id"]);
        assert_eq!(
            row["consumer_group"]["id"],
            config.rows("consumer_groups")[0]["id"]
        );
    }
}

#[test]
fn a_group_that_is_not_there_is_named() {
    let problems =
        parse("_format_version: '3.0'\nconsumers:\n- username: ann\n  groups:\n  - name: gold\n")
            .normalise(&catalogue(), deck())
            .unwrap_err();
    assert!(
        shown(&problems)[0].contains("no such entry in 'consumer_groups'"),
        "{problems:?}"
    );
}

#[test]
fn rows_around_a_part_are_found_by_id_and_name() {
    let id = "a0000050-0050-4000-8000-000000000001";
    let service = json!({"id": id, "name": "outside", "host": "h"});
    let Value::Object(service) = service else {
        unreachable!()
    };
    let tables = BTreeMap::from([("services".to_owned(), vec![Packed::of(&service)])]);
    let around = Surroundings::of_rows(&catalogue(), &tables);
    for reference in ["outside", id] {
        let text = format!(
            "_format_version: '3.0'\nroutes:\n- {{name: r, paths: [/a], service: {reference}}}\n"
        );
        let config = parse(&text)
            .normalise_within(&catalogue(), deck(), &around)
            .unwrap();
        assert_eq!(config.rows("routes")[0]["service"]["id"], id);
        assert!(config.rows("services").is_empty());
        assert!(parse(&text).normalise(&catalogue(), deck()).is_err());
    }
}

#[test]
fn the_target_of_a_file_is_told() {
    let document = parse("_format_version: '3.0'\n_konnect: {control_plane_name: prod}\n");
    assert_eq!(document.control_plane_name(), Some("prod"));
    let document = parse("_format_version: '3.0'\n_konnect: {runtime_group_name: old}\n");
    assert_eq!(document.control_plane_name(), Some("old"));
    assert_eq!(
        parse("_format_version: '3.0'\n_konnect: 1\n").control_plane_name(),
        None
    );
}

#[test]
fn plugins_are_judged_with_their_partials_in_their_places() {
    let document = |member: &str| {
        format!(
            "_format_version: '3.0'\npartials:\n- {{name: shared, type: model, config: \
             {{{member}: h.test}}}}\nplugins:\n- name: limit\n  config: {{minute: 5}}\n  \
             partials: [{{name: shared, path: config.redis}}]\n"
        )
    };
    read(&document("host"));
    let problems = parse(&document("hots"))
        .normalise(&catalogue(), deck())
        .unwrap_err();
    let shown = shown(&problems);
    assert_eq!(shown.len(), 1, "{shown:?}");
    for said in ["plugins", "redis.hots", "unknown field"] {
        assert!(shown[0].contains(said), "{shown:?}");
    }
}

//! What is told of a small configuration, and what cannot be asked.

use serde_json::{Value, json};

use super::{Asked, explain};
use crate::testing;

const CONFIG: &str = "
services:
- name: s
  url: http://s.test
  plugins: [{name: key-auth}]
  routes:
  - {name: deep, paths: [/a/b], plugins: [{name: cors}]}
  - {name: flat, paths: [/a], methods: [PUT]}
plugins:
- name: cors
- {name: ip-restriction, config: {deny: [10.0.0.1]}}
";

fn asked(body: &Value) -> Result<Asked, String> {
    Asked::from_json(body.to_string().as_bytes())
}

#[test]
fn the_winner_its_plugins_and_the_others_are_told() {
    let snapshot = testing::snapshot(CONFIG);
    let asked = asked(&json!({"path": "/a/b/c?d", "headers": [["X-A", "1"]]})).unwrap();
    let told = explain(&snapshot, &asked, 20).unwrap();
    assert_eq!(told["route"]["name"], "deep");
    assert_eq!(told["route"]["matched_path_length"], 4);
    assert_eq!(told["configuration_hash"], snapshot.hash.as_str());
    let plugins = told["route"]["plugins"].as_array().unwrap();
    let plugins: Vec<_> = plugins
        .iter()
        .map(|own| {
            (
                own["name"].as_str().unwrap(),
                own["scope"].as_str().unwrap(),
            )
        })
        .collect();
    let expected = [
        ("cors", "route"),
        ("key-auth", "service"),
        ("ip-restriction", "node"),
    ];
    assert_eq!(plugins, expected);
    assert_eq!(told["considered"][1]["unmet"][0]["field"], "methods");
    let few = explain(&snapshot, &asked, 1).unwrap();
    assert_eq!(few["considered"].as_array().unwrap().len(), 1);
    assert_eq!(few["routes_in_all"], 2);
}

#[test]
fn a_question_comes_through_json_as_it_is() {
    let question = asked(&json!({
        "method": "POST", "host": "a.test:81", "path": "/x?y", "sni": "a.test",
        "headers": [["A", "1"], ["A", "2"]], "source": "[::1]:7", "destination": "10.0.0.1:8443",
    }));
    let question = question.unwrap();
    assert!(question.is_tls);
    assert_eq!(asked(&question.to_json()).as_ref(), Ok(&question));
    assert!(!asked(&json!({"tls": false, "sni": "a"})).unwrap().is_tls);
}

#[test]
fn what_cannot_be_asked_is_said() {
    for (body, part) in [
        (json!([]), "no JSON object"),
        (json!({"paht": "/"}), "`paht` is unknown"),
        (json!({"path": 1}), "`path` is no text"),
        (json!({"tls": "yes"}), "`tls`"),
        (json!({"headers": {"a": "b"}}), "`headers`"),
        (json!({"headers": [["a"]]}), "`headers`"),
        (json!({"source": "here"}), "`source`"),
        (json!({"destination": ""}), "`destination`"),
    ] {
        let error = asked(&body).unwrap_err();
        assert!(error.contains(part), "{body}: {error}");
    }
    assert!(Asked::from_json(b"{").unwrap_err().contains("no JSON"));
    let snapshot = testing::snapshot(CONFIG);
    for (path, part) in [("a", "begins with `/`"), ("/%zz", "400")] {
        let asked = asked(&json!({"path": path})).unwrap();
        let error = explain(&snapshot, &asked, 1).unwrap_err();
        assert!(error.contains(part), "{error}");
    }
}

//! Facts about `grpc-gateway`; its requests are in the tests of the engine.

use serde_json::json;

use super::DEFINITION;
use super::template::Template;
use crate::testing::Bench;

fn found(template: &str, path: &str) -> Option<String> {
    let template = Template::parse(template).unwrap();
    let fields = template.find(path)?;
    let fields = fields.iter().map(|(name, value)| format!("{name}={value}"));
    Some(fields.collect::<Vec<_>>().join(" "))
}

#[test]
fn templates_find_what_they_name_and_nothing_else() {
    for (template, path, fields) in [
        ("/v1/a", "/v1/a", Some("")),
        ("/v1/a", "/v1/a/", None),
        ("/v1.a", "/v1xa", None),
        ("/v1/{name}", "/v1/x", Some("name=x")),
        ("/v1/{name}", "/v1/x/y", None),
        (
            "/v1/{a.b=s/*}/c/{d=**}",
            "/v1/s/1/c/2/3",
            Some("a.b=s/1 d=2/3"),
        ),
        ("/v1/*/b/{c}:read", "/v1/x/b/y:read", Some("c=y")),
        ("/v1/{name}", "/v1/a%2Fb+c", Some("name=a/b+c")),
    ] {
        assert_eq!(
            found(template, path).as_deref(),
            fields,
            "{template} {path}"
        );
    }
}

#[test]
fn a_template_that_is_none_is_refused() {
    assert!(
        Template::parse("/v1/{name")
            .unwrap_err()
            .contains("not closed")
    );
    assert!(Template::parse("/v1/{=a}").unwrap_err().contains("no name"));
}

#[test]
fn a_file_that_is_not_there_refuses_the_configuration() {
    let mut bench = Bench::new();
    let built = bench.build(&DEFINITION, json!({"proto": "/nowhere/a.proto"}));
    let error = built.err().expect("an error").to_string();
    assert!(
        error.starts_with("`config.proto`: `/nowhere/a.proto`"),
        "{error}"
    );
}

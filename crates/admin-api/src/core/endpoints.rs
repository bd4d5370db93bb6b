//! Every endpoint of this dialect, for the machine-readable description and for tests that walk
//! all of them.

use entities::Catalogue;

use super::{BASE, target};

/// One endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Upper case.
    pub method: &'static str,
    /// With `{id}` for the control plane, `{parent}` and `{key}`.
    pub path: String,
    /// One sentence.
    pub summary: String,
    /// The status of success.
    pub success: u16,
    /// Plural name of the kind whose description the body follows, if it has one.
    pub kind: Option<&'static str>,
}

/// Everything that [`super::router`] serves.
#[must_use]
pub fn endpoints(catalogue: &Catalogue) -> Vec<Endpoint> {
    let mut found = Vec::new();
    for (path, kind, is_writable) in target::collections(catalogue) {
        let collection = format!("{BASE}/{path}");
        let item = format!("{collection}/{{key}}");
        let mut add = |method, path: &str, success, summary: String| {
            found.push(Endpoint {
                method,
                path: path.to_owned(),
                summary,
                success,
                kind: Some(kind.name),
            });
        };
        let singular = kind.singular.replace('_', " ");
        add(
            "GET",
            &collection,
            200,
            format!("List {}", kind.name.replace('_', " ")),
        );
        if is_writable {
            add("POST", &collection, 201, format!("Create a {singular}"));
        }
        add("GET", &item, 200, format!("Read a {singular}"));
        if is_writable {
            add("PUT", &item, 200, format!("Create or replace a {singular}"));
            add("DELETE", &item, 204, format!("Delete a {singular}"));
        }
    }
    let schemas = [
        (
            "GET",
            "v1/schemas/json/{entity}",
            "The JSON schema of an entity",
        ),
        ("GET", "schemas/{entity}", "The description of an entity"),
        (
            "GET",
            "schemas/plugins/{name}",
            "The description of a plugin",
        ),
        (
            "POST",
            "schemas/{entity}/validate",
            "Check an entity without writing it",
        ),
    ];
    found.extend(schemas.map(|(method, path, summary)| Endpoint {
        method,
        path: format!("{BASE}/{path}"),
        summary: summary.to_owned(),
        success: 200,
        kind: None,
    }));
    found
}

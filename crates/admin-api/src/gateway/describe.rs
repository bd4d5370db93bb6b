//! `/openapi.json`: this API for machines.
//!
//! Made of the templates of `/endpoints` and of what the router itself makes of them, so that it
//! says nothing that is not served.

use entities::{Catalogue, EntityKind};
use http::Method;
use openapi::{Access, Document, ErrorForm, Operation, Query, page, reference};
use serde_json::{Map, Value, json};

use super::facts::Mode;
use super::place::{self, Place};
use super::{Options, info};

/// Memberships and users of partials are no kinds with paths of their own, so `/endpoints` does
/// not know them.
const UNLISTED: [&str; 5] = [
    "/consumer_groups/{consumer_groups}/consumers",
    "/consumer_groups/{consumer_groups}/consumers/{consumers}",
    "/consumers/{consumers}/consumer_groups",
    "/consumers/{consumers}/consumer_groups/{consumer_groups}",
    "/partials/{partials}/links",
];

const MEDIA: &[&str] = &[
    "application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
];

const PAGING: [Query; 3] = [
    Query::number(
        "size",
        (1, 1000),
        "Entities of a page; 100 when it is not given",
    ),
    Query::text("offset", "The `offset` of the page before"),
    Query::text(
        "tags",
        "Only entities with all of these tags (`a,b`) or any of them (`a/b`)",
    ),
];

/// The whole description.
pub(super) fn document(catalogue: &Catalogue, options: &Options) -> Value {
    let kinds = catalogue.kinds().iter().filter(|kind| kind.in_admin_api);
    let schemas: Map<String, Value> = kinds
        .map(|kind| (kind.name.to_owned(), openapi::component(kind)))
        .collect();
    Document {
        title: "Admin API".to_owned(),
        // Where the API lies below a path, that is the folder of the document.
        server: options.needs_token.then(|| ".".to_owned()),
        operations: operations(catalogue, options.needs_token),
        schemas,
    }
    .render()
}

/// Everything about entities that [`super::router`] serves, and what is read of the process.
#[must_use]
pub fn operations(catalogue: &Catalogue, needs_token: bool) -> Vec<Operation> {
    let mut templates = info::templates(catalogue);
    templates.extend(UNLISTED.map(str::to_owned));
    templates.push("/openapi.json".to_owned());
    let mut found = Vec::new();
    for template in templates {
        for mut operation in of_template(&template, catalogue) {
            operation.errors = ErrorForm::Gateway;
            operation.access = if needs_token {
                Access::Token
            } else {
                Access::Open
            };
            found.push(operation);
        }
    }
    found
}

/// Every path that `/endpoints` lists: those of entities, and those about the process.
#[must_use]
pub fn endpoints(catalogue: &Catalogue) -> Vec<String> {
    info::templates(catalogue)
}

/// The operations of a template; none when nothing is served there.
fn of_template(template: &str, catalogue: &Catalogue) -> Vec<Operation> {
    let segments: Vec<String> = template
        .split('/')
        .filter(|segment| !segment.is_empty())
        .map(str::to_owned)
        .collect();
    if info::resolve(&segments, Mode::Database).is_some() {
        return of_process(template);
    }
    let place = match place::resolve(&segments, catalogue) {
        None | Some(Place::Off(_)) => return Vec::new(),
        Some(place) => place,
    };
    let methods = place.methods().iter().filter_map(name);
    // What is always refused is nothing that can be called.
    let methods = methods.filter(|method| match place {
        Place::Tags | Place::Tag(_) => *method == "GET",
        Place::Foreign { .. } => *method != "DELETE",
        _ => true,
    });
    methods
        .map(|method| of_place(method, template, &place, catalogue))
        .collect()
}

/// What is only read of the process; what changes it is for people.
fn of_process(template: &str) -> Vec<Operation> {
    let summary = match template {
        "/" => "What this process is",
        "/status" => "How this process does",
        "/timers" => "What waits for its time",
        "/endpoints" => "Every path",
        "/plugins/enabled" => "Plugins that can be used",
        _ => return Vec::new(),
    };
    let mut operation = Operation::new("GET", template, summary);
    operation.tag = "process";
    operation.answer = Some(json!({"type": "object"}));
    vec![operation]
}

fn of_place(
    method: &'static str,
    template: &str,
    place: &Place<'_>,
    catalogue: &Catalogue,
) -> Operation {
    let (kind, is_list) = match place {
        Place::Collection(kind, _) => (Some(*kind), true),
        Place::Item(kind, ..) | Place::Foreign { target: kind, .. } => (Some(*kind), false),
        Place::AllTargets(_) => (catalogue.kind("targets"), true),
        _ => {
            let is_list = matches!(place, Place::Tags | Place::Tag(_) | Place::Links(_));
            (None, is_list)
        }
    };
    let subject = kind.map_or_else(|| subject(place).to_owned(), |kind| words(kind, is_list));
    let verb = match method {
        "GET" if is_list => "List",
        "GET" => "Read",
        "POST" => "Create or check",
        "PUT" => "Create or replace",
        "PATCH" => "Change",
        _ => "Remove",
    };
    let mut operation = Operation::new(method, template, format!("{verb} {subject}"));
    operation.tag = kind.map_or("other", |kind| kind.name);
    operation.media = MEDIA;
    let schema = kind.map_or_else(|| json!({"type": "object"}), |kind| reference(kind.name));
    match method {
        "GET" if is_list => {
            operation.query = PAGING.to_vec();
            operation.answer = Some(page(&schema));
        }
        "GET" if kind.is_some_and(|kind| kind.name == "consumer_groups") => {
            let text = "`false` leaves its consumers out";
            operation.query = vec![Query::text("list_consumers", text)];
            operation.answer = Some(json!({"type": "object"}));
        }
        "GET" => operation.answer = Some(schema),
        "DELETE" => operation.success = vec![204],
        _ => {
            let is_check = matches!(place, Place::Validate(_));
            if method == "POST" && !is_check {
                operation.success = vec![201];
            }
            // A change names what it changes; nothing is required of it.
            let is_whole = method != "PATCH" && kind.is_some();
            let any = json!({"type": "object"});
            operation.body = Some(if is_whole { schema.clone() } else { any });
            operation.answer = Some(schema);
        }
    }
    operation
}

const fn subject(place: &Place<'_>) -> &'static str {
    match place {
        Place::Members(..) => "members of a consumer group",
        Place::Links(_) => "the plugins that use a partial",
        Place::Tags | Place::Tag(_) => "tags and what has them",
        Place::Validate(_) => "an entity without writing it",
        Place::Description => "this description",
        _ => "a description",
    }
}

fn words(kind: &EntityKind, is_list: bool) -> String {
    let name = if is_list { kind.name } else { kind.singular };
    let words = name.replace('_', " ");
    if is_list {
        words
    } else {
        format!("one {words}")
    }
}

fn name(method: &Method) -> Option<&'static str> {
    ["GET", "POST", "PUT", "PATCH", "DELETE"]
        .into_iter()
        .find(|name| method.as_str() == *name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use super::*;

    fn catalogue() -> Catalogue {
        Catalogue::new(Arc::new(entities::NoPlugins))
    }

    #[test]
    fn every_family_is_described_once() {
        let operations = operations(&catalogue(), false);
        let named: BTreeSet<_> = operations
            .iter()
            .map(|one| format!("{} {}", one.method, one.path))
            .collect();
        assert_eq!(named.len(), operations.len());
        let ids: BTreeSet<_> = operations.iter().map(|one| &one.id).collect();
        assert_eq!(ids.len(), operations.len());
        for expected in [
            "GET /",
            "GET /services",
            "POST /services",
            "PATCH /services/{services}",
            "PUT /services/{services}/routes/{routes}",
            "GET /routes/{routes}/service",
            "POST /consumers/{consumers}/key-auth",
            "DELETE /consumer_groups/{consumer_groups}/consumers/{consumers}",
            "GET /upstreams/{upstreams}/targets/all",
            "POST /schemas/{db_entity_name}/validate",
            "GET /tags/{tags}",
            "GET /partials/{partials}/links",
        ] {
            assert!(named.contains(expected), "{expected}");
        }
        for absent in [
            "GET /targets",
            "GET /snis/{snis}/certificate",
            "POST /config",
        ] {
            assert!(!named.contains(absent), "{absent}");
        }
        assert!(operations.len() > 300, "{}", operations.len());
    }

    #[test]
    fn every_reference_of_the_document_leads_somewhere() {
        let document = document(&catalogue(), &Options::default());
        let text = document.to_string();
        for part in text.split("\"#/components/schemas/").skip(1) {
            let name = part.split('"').next().unwrap();
            assert!(
                document["components"]["schemas"].get(name).is_some(),
                "{name}"
            );
        }
        assert_eq!(document["openapi"], "3.1.0");
    }
}

//! What each kind refuses, in the exact words of both dialects: clashes, references that lead
//! nowhere, missing and wrong members, methods, parents that are missing.

use serde_json::{Map, Value, json};

use super::fixture::{Dialect, Fixture, coded};
use super::table::{Faults, Said, merged, scenarios, start};

const NOBODY: &str = "4a0c2d5e-0000-4000-8000-000000000000";

/// A key as the gateway's messages print it.
fn printed(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let mut all: Vec<_> = members.iter().collect();
            all.sort_by_key(|(name, _)| name.as_str());
            let all: Vec<_> = all
                .iter()
                .map(|(name, value)| format!("{name}={}", printed(value)))
                .collect();
            format!("{{{}}}", all.join(","))
        }
        Value::Null => "null".to_owned(),
        text => text.to_string(),
    }
}

/// The whole answer of a dialect about these violations.
fn refusal(dialect: Dialect, said: &[Said]) -> Value {
    match dialect {
        Dialect::Gateway => {
            let mut fields = json!({});
            let mut texts = Vec::new();
            for (place, message) in said {
                if place.is_empty() {
                    fields["@entity"] = json!([message]);
                    texts.push((*message).to_owned());
                    continue;
                }
                let mut at = &mut fields;
                let mut shown = Vec::new();
                for step in place.split('.') {
                    match step.parse::<usize>() {
                        Ok(position) => {
                            *at = Value::Array(vec![Value::Null; position + 1]);
                            at = &mut at[position];
                            shown.push((position + 1).to_string());
                        }
                        Err(_) => {
                            if at.is_null() {
                                *at = json!({});
                            }
                            at = &mut at[step];
                            shown.push(step.to_owned());
                        }
                    }
                }
                *at = json!(message);
                texts.push(format!("{}: {message}", shown.join(".")));
            }
            let count = match texts.len() {
                1 => "schema violation".to_owned(),
                count => format!("{count} schema violations"),
            };
            let message = format!("{count} ({})", texts.join("; "));
            coded(2, "schema violation", &message, fields)
        }
        Dialect::Core => {
            let detail = |(place, message): &Said| {
                if place.is_empty() {
                    return json!({"type": "ERROR_TYPE_ENTITY", "messages": [message]});
                }
                let mut field = String::new();
                for step in place.split('.') {
                    match step.parse::<usize>() {
                        Ok(position) => field.push_str(&format!("[{position}]")),
                        Err(_) if field.is_empty() => field.push_str(step),
                        Err(_) => field.push_str(&format!(".{step}")),
                    }
                }
                json!({"type": "ERROR_TYPE_FIELD", "field": field, "messages": [message]})
            };
            let details: Vec<_> = said.iter().map(detail).collect();
            json!({"code": 3, "message": "validation error", "details": details})
        }
    }
}

/// Equal whatever the order of what is listed.
fn sorted(mut body: Value) -> Value {
    if let Some(Value::Array(details)) = body.get_mut("details") {
        details.sort_by_key(ToString::to_string);
    }
    body
}

async fn count(fixture: &Fixture, list: &str) -> usize {
    let page = fixture.get(list).await.json();
    page["data"].as_array().unwrap().len()
}

#[tokio::test]
async fn an_equal_entity_clashes_in_the_words_of_the_dialect() {
    let mut faults = Faults::default();
    for (row, dialect, kept) in scenarios() {
        let fixture = start(row, dialect, &kept).await;
        let created = fixture.create(row.path, (row.body)()).await;

        let second = fixture.send("POST", row.path, &(row.body)()).await;

        let at = format!("{kept:?} {dialect:?} {}: {}", row.path, second.text());
        let list = row.list(dialect);
        if row.clash.is_empty() {
            let done = (second.status, count(&fixture, list).await);
            faults.compare(&at, &done, &(201, 2));
            continue;
        }
        let held = row.clash.iter();
        let held: Map<_, _> = held
            .map(|name| ((*name).to_owned(), created[name].clone()))
            .collect();
        let expected = match dialect {
            Dialect::Gateway => {
                let message = format!(
                    "UNIQUE violation detected on '{}'",
                    printed(&Value::Object(held.clone()))
                );
                (409, coded(5, "unique constraint violation", &message, held))
            }
            Dialect::Core => (400, taken(row.kind, &second.json(), &held)),
        };
        faults.compare(&at, &(second.status, second.json()), &expected);
        faults.compare(&at, &count(&fixture, list).await, &1);
    }
}

/// The answer of a control plane about a clash. The order in which it names the members is its
/// own; which ones it names, and how, is not.
fn taken(kind: &str, answer: &Value, held: &Map<String, Value>) -> Value {
    let detail = &answer["details"][0];
    let message = detail["messages"][0].as_str().unwrap_or_default();
    let values: Vec<String> = held
        .iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| {
            let text = value.as_str().or_else(|| value["id"].as_str()).unwrap();
            format!("`{name}` = `{text}`")
        })
        .collect();
    for value in &values {
        assert!(message.contains(value), "{value} in {message}");
    }
    let length: usize = values.iter().map(String::len).sum();
    let frame = format!("another row of `{kind}` has  already").len();
    let ands = " and ".len() * (values.len() - 1);
    assert_eq!(message.len(), frame + length + ands, "{message}");
    let field = detail["field"].as_str().unwrap();
    assert!(held.contains_key(field), "{answer}");
    let detail = json!({"type": "ERROR_TYPE_REFERENCE", "field": field, "messages": [message]});
    json!({"code": 3, "message": "data constraint error", "details": [detail]})
}

#[tokio::test]
async fn an_id_that_is_taken_is_refused() {
    let mut faults = Faults::default();
    for (row, dialect, kept) in scenarios() {
        let fixture = start(row, dialect, &kept).await;
        let created = fixture.create(row.path, (row.body)()).await;
        let id = created["id"].as_str().unwrap();

        let body = merged(row.other(0), json!({"id": id}));
        let second = fixture.send("POST", row.path, &body).await;

        let at = format!("{kept:?} {dialect:?} {}: {}", row.path, second.text());
        let expected = match dialect {
            Dialect::Gateway => coded(
                3,
                "primary key violation",
                &format!("primary key violation on key '{{id=\"{id}\"}}'"),
                json!({"id": id}),
            ),
            Dialect::Core => {
                let message = format!("`{}` already has a row with the id `{id}`", row.kind);
                let detail =
                    json!({"type": "ERROR_TYPE_REFERENCE", "field": "id", "messages": [message]});
                json!({"code": 3, "message": "data constraint error", "details": [detail]})
            }
        };
        faults.compare(&at, &(second.status, second.json()), &(400, expected));
        faults.compare(&at, &count(&fixture, row.list(dialect)).await, &1);
    }
}

#[tokio::test]
async fn a_reference_that_leads_nowhere_is_refused() {
    let mut faults = Faults::default();
    for (row, dialect, kept) in scenarios() {
        let Some((field, target)) = row.reference else {
            continue;
        };
        let is_parent = row.path.contains('/') && !row.path.ends_with(row.kind);
        assert!(!is_parent, "{}", row.path);
        if row.path.contains('/') {
            // The path names it.
            continue;
        }
        let fixture = start(row, dialect, &kept).await;

        let body = merged((row.body)(), json!({ field: {"id": NOBODY} }));
        let id = "0195d6a4-0000-4000-8000-00000000abcd";
        let item = format!("{}/{id}", row.path);
        for (method, path) in [("POST", row.path), ("PUT", &item)] {
            let body = merged(body.clone(), json!({"id": id}));
            let refused = fixture.send(method, path, &body).await;

            let at = format!("{kept:?} {dialect:?} {method} {path}: {}", refused.text());
            let expected = match dialect {
                Dialect::Gateway => coded(
                    4,
                    "foreign key violation",
                    &format!(
                        "the foreign key '{{id=\"{NOBODY}\"}}' does not reference an existing \
                         '{target}' entity."
                    ),
                    json!({ field: {"id": NOBODY} }),
                ),
                Dialect::Core => {
                    let message = format!(
                        "`{field}` of `{}` refers to `{NOBODY}`, which is not in `{target}`",
                        row.kind
                    );
                    let detail = json!({
                        "type": "ERROR_TYPE_REFERENCE", "field": field, "messages": [message],
                    });
                    json!({"code": 3, "message": "data constraint error", "details": [detail]})
                }
            };
            faults.compare(&at, &(refused.status, refused.json()), &(400, expected));
        }
        faults.compare(row.path, &count(&fixture, row.list(dialect)).await, &0);
    }
}

#[tokio::test]
async fn violations_are_told_in_the_words_of_the_dialect() {
    let mut faults = Faults::default();
    for (row, dialect, kept) in scenarios() {
        let fixture = start(row, dialect, &kept).await;
        let (wrong, about_wrong) = row.wrong;
        let unknown: &[Said] = &[("bogus", "unknown field")];
        for (body, said) in [
            (json!({}), row.empty),
            (merged((row.body)(), wrong()), about_wrong),
            (merged((row.body)(), json!({"bogus": null})), unknown),
        ] {
            let refused = fixture.send("POST", row.path, &body).await;
            let at = format!("{kept:?} {dialect:?} {} {body}", row.path);
            if said.is_empty() {
                faults.compare(&format!("{at}: {}", refused.text()), &refused.status, &201);
                continue;
            }
            let expected = sorted(refusal(dialect, said));
            let answer = (refused.status, sorted(refused.json()));
            faults.compare(&at, &answer, &(400, expected));
        }
    }
}

#[tokio::test]
async fn what_is_not_there_is_missing() {
    let mut faults = Faults::default();
    for (row, dialect, kept) in scenarios() {
        let fixture = start(row, dialect, &kept).await;
        let text = match dialect {
            Dialect::Gateway => "Not found",
            Dialect::Core => "Not Found",
        };
        let missing = (404, json!({"message": text}));
        let read = fixture.get(&format!("{}/{NOBODY}", row.path)).await;
        let at = format!("{kept:?} {dialect:?} {}", row.path);
        faults.compare(&at, &(read.status, read.json()), &missing.clone());
        let nested: Vec<&str> = row.path.split('/').collect();
        if let [parents, _, children @ ..] = nested.as_slice()
            && !row.path.starts_with("graphql")
        {
            let list = format!("{parents}/{NOBODY}/{}", children.join("/"));
            for (method, path) in [("GET", &list), ("POST", &list)] {
                let answer = fixture.send(method, path, &(row.body)()).await;
                let answer = (answer.status, answer.json());
                faults.compare(&format!("{at} {method} {path}"), &answer, &missing.clone());
            }
        }
        faults.compare(&at, &count(&fixture, row.list(dialect)).await, &0);
    }
}

#[tokio::test]
async fn methods_that_a_path_does_not_know_are_refused() {
    let mut faults = Faults::default();
    for (row, dialect, kept) in scenarios() {
        let fixture = start(row, dialect, &kept).await;
        let item = format!("{}/{NOBODY}", row.path);
        let methods: &[(&str, &str)] = match dialect {
            Dialect::Gateway => &[("PUT", row.path), ("PATCH", row.path), ("POST", &item)],
            Dialect::Core => &[
                ("PUT", row.path),
                ("PATCH", row.path),
                ("DELETE", row.path),
                ("POST", &item),
                ("PATCH", &item),
            ],
        };
        let text = match dialect {
            Dialect::Gateway => "Method not allowed",
            Dialect::Core => "Method Not Allowed",
        };
        for (method, path) in methods {
            let answer = fixture.send(method, path, &(row.body)()).await;
            let at = format!("{kept:?} {dialect:?} {method} {path}");
            let refused = (405, json!({"message": text}));
            faults.compare(&at, &(answer.status, answer.json()), &refused);
        }
    }
}

//! Errors in the form of this dialect: `{message, name, code, fields}`.

use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};
use schema::{Map, Violations, table_text};
use serde_json::{Value, json};
use store::StoreError;
use uuid::Uuid;

use super::answer::Reply;
use crate::entity::{EntityError, Unresolved};

/// Why a request got no other answer. Large, but made rarely.
#[derive(Debug)]
pub(super) struct Fault(Box<Reply>);

/// What was being done, for errors whose text says so.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deed<'a> {
    /// Plural name of the kind.
    pub(super) kind: &'a str,
    /// `create`, `create or update`, `update` or `remove`.
    pub(super) verb: &'static str,
    /// The other key it was addressed by.
    pub(super) by: Option<&'a str>,
}

impl From<Reply> for Fault {
    fn from(reply: Reply) -> Self {
        Self(Box::new(reply))
    }
}

impl From<Fault> for Reply {
    fn from(fault: Fault) -> Self {
        *fault.0
    }
}

impl Fault {
    pub(super) fn message(status: StatusCode, message: &str) -> Self {
        Reply::message(status, message).into()
    }

    pub(super) fn not_found() -> Self {
        Self::message(StatusCode::NOT_FOUND, "Not found")
    }

    pub(super) fn status(&self) -> StatusCode {
        self.0.status
    }

    pub(super) fn not_allowed() -> Self {
        Self::message(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed")
    }

    pub(super) fn bad_request(message: &str) -> Self {
        Self::message(StatusCode::BAD_REQUEST, message)
    }

    /// Something broke here; the reason goes into the log.
    pub(super) fn unexpected(reason: &str) -> Self {
        tracing::error!(reason, "the Admin API could not answer");
        Self::message(
            StatusCode::INTERNAL_SERVER_ERROR,
            "An unexpected error occurred",
        )
    }

    /// Code 1: a key that is no id, of a kind that has no other key.
    pub(super) fn primary_key() -> Self {
        const EXPECTED: &str = "expected a valid UUID";
        coded(
            (StatusCode::BAD_REQUEST, 1, "invalid primary key"),
            &format!("invalid primary key: '{{id=\"{EXPECTED}\"}}'"),
            Some(("fields", json!({"id": EXPECTED}))),
        )
    }

    /// Code 2.
    ///
    /// Compat: names that count up from 1, as the places of a list do, are shown as a list.
    pub(super) fn schema(violations: &Violations) -> Self {
        let counts = |(at, (name, _)): (usize, (&str, _))| name == (at + 1).to_string();
        let mut fields = violations.fields();
        if let Value::Object(members) = &mut fields
            && violations.entity().is_empty()
            && violations.members().enumerate().all(counts)
        {
            fields = std::mem::take(members)
                .into_iter()
                .map(|(_, said)| said)
                .collect();
        }
        coded(
            (StatusCode::BAD_REQUEST, 2, "schema violation"),
            &violations.message(),
            Some(("fields", fields)),
        )
    }

    /// Code 3 for an id that is null.
    ///
    /// Compat: the text shows how the reference holds a null.
    pub(super) fn null_id() -> Self {
        coded(
            (StatusCode::BAD_REQUEST, 3, "primary key violation"),
            "primary key violation on key '{id=\"userdata: NULL\"}'",
            Some(("fields", json!({"id": null}))),
        )
    }

    /// Code 6 with everything it says; most places say only `Not found`.
    pub(super) fn not_found_by(member: &str, value: &str) -> Self {
        let key = json!({ member: value });
        let with = if member == "id" { "primary key " } else { "" };
        let text = table_text(&key);
        coded(
            (StatusCode::NOT_FOUND, 6, "not found"),
            &format!("could not find the entity with {with}'{text}'"),
            Some(("fields", key)),
        )
    }

    /// Code 7.
    pub(super) fn offset(offset: &str, reason: &str) -> Self {
        coded(
            (StatusCode::BAD_REQUEST, 7, "invalid offset"),
            &format!("'{offset}' is not a valid offset: {reason}"),
            None,
        )
    }

    /// Code 9.
    pub(super) fn size(message: &str) -> Self {
        coded((StatusCode::BAD_REQUEST, 9, "invalid size"), message, None)
    }

    /// Code 10.
    pub(super) fn unique(member: &str, message: &str) -> Self {
        let name = format!("invalid unique {member}");
        coded((StatusCode::BAD_REQUEST, 10, &name), message, None)
    }

    /// Code 11.
    pub(super) fn option(name: &str, message: &str) -> Self {
        coded(
            (StatusCode::BAD_REQUEST, 11, "invalid options"),
            &format!("invalid option ({name}: {message})"),
            Some(("options", json!({ name: message }))),
        )
    }

    /// Turns an error of the generic handler into this dialect.
    pub(super) fn of(error: EntityError, deed: Deed<'_>) -> Self {
        match error {
            EntityError::Invalid(violations) => Self::schema(&violations),
            EntityError::NotFound => Self::not_found(),
            EntityError::ReadOnly(reason) => Self::message(StatusCode::FORBIDDEN, reason),
            EntityError::NoDatabase => no_database(deed),
            EntityError::Unresolved(all) => unresolved(&all),
            EntityError::Store(error) => store(&error),
        }
    }

    /// [`Self::of`] where nothing is written.
    pub(super) fn reading(error: EntityError) -> Self {
        let (kind, verb, by) = ("", "read", None);
        Self::of(error, Deed { kind, verb, by })
    }
}

fn coded(
    (status, code, name): (StatusCode, u8, &str),
    message: &str,
    more: Option<(&str, Value)>,
) -> Fault {
    let mut body = json!({"code": code, "name": name, "message": message});
    if let (Some((member, value)), Value::Object(members)) = (more, &mut body) {
        members.insert(member.to_owned(), value);
    }
    Reply::json(status, body).into()
}

fn store(error: &StoreError) -> Fault {
    match error {
        StoreError::Unique { fields, .. } => taken(fields),
        StoreError::PrimaryKey { id, .. } => primary_key_taken(*id),
        StoreError::Foreign {
            field,
            target_kind,
            target,
            ..
        } => {
            let key = json!({"id": target});
            let text = table_text(&key);
            foreign(
                &format!(
                    "the foreign key '{text}' does not reference an existing '{target_kind}' \
                     entity."
                ),
                json!({ field: key }),
            )
        }
        StoreError::Referenced { kind, by, .. } if kind == "ca_certificates" => {
            still_trusted(error, by)
        }
        StoreError::Referenced { kind, by, .. } => foreign(
            &format!("an existing '{by}' entity references this '{kind}' entity"),
            json!({"@referenced_by": by}),
        ),
        StoreError::NotFound { .. } => Fault::not_found(),
        StoreError::Stale { .. } => Fault::message(
            StatusCode::CONFLICT,
            "the entity is being changed by others; try again",
        ),
        StoreError::Unavailable { .. } | StoreError::Full { .. } => {
            tracing::error!(%error, "entities cannot be read or written");
            let text = "the database cannot be reached at the moment; nothing was changed";
            let reply = Reply::message(StatusCode::SERVICE_UNAVAILABLE, text);
            reply
                .with(RETRY_AFTER, HeaderValue::from_static("1"))
                .into()
        }
        other => Fault::unexpected(&other.to_string()),
    }
}

fn taken(fields: &Map) -> Fault {
    let fields = Value::Object(fields.clone());
    coded(
        (StatusCode::CONFLICT, 5, "unique constraint violation"),
        &format!("UNIQUE violation detected on '{}'", table_text(&fields)),
        Some(("fields", fields)),
    )
}

pub(super) fn primary_key_taken(id: Uuid) -> Fault {
    let key = json!({"id": id});
    coded(
        (StatusCode::BAD_REQUEST, 3, "primary key violation"),
        &format!("primary key violation on key '{}'", table_text(&key)),
        Some(("fields", key)),
    )
}

fn foreign(message: &str, fields: Value) -> Fault {
    coded(
        (StatusCode::BAD_REQUEST, 4, "foreign key violation"),
        message,
        Some(("fields", fields)),
    )
}

/// Compat: code 19; the reference says which certificate, by which entity.
fn still_trusted(error: &StoreError, by: &str) -> Fault {
    let StoreError::Referenced { id, by_id, .. } = error else {
        return Fault::unexpected(&error.to_string());
    };
    coded(
        (StatusCode::BAD_REQUEST, 19, "referenced by others"),
        &format!("ca certificate {id} is still referenced by {by} (id = {by_id})"),
        None,
    )
}

fn unresolved(all: &[Unresolved]) -> Fault {
    let mut fields = Map::new();
    let mut texts = Vec::new();
    for one in all {
        let text = format!(
            "the foreign key cannot be resolved with '{}' for an existing '{}' entity",
            table_text(&json!({ one.key: one.name })),
            one.kind
        );
        texts.push(format!("{}.{}: {text}", one.field, one.key));
        fields.insert(one.field.to_owned(), json!({ one.key: text }));
    }
    texts.sort();
    let message = match texts.as_slice() {
        [one] => format!("foreign key unresolved ({one})"),
        _ => format!(
            "{} foreign keys unresolved ({})",
            texts.len(),
            texts.join("; ")
        ),
    };
    coded(
        (StatusCode::BAD_REQUEST, 13, "foreign keys unresolved"),
        &message,
        Some(("fields", Value::Object(fields))),
    )
}

/// Compat: code 12.
fn no_database(deed: Deed<'_>) -> Fault {
    let Deed { kind, verb, by } = deed;
    let by = by.map(|by| format!(" by '{by}'")).unwrap_or_default();
    coded(
        (StatusCode::METHOD_NOT_ALLOWED, 12, "operation unsupported"),
        &format!("cannot {verb} '{kind}' entities{by} when not using a database"),
        None,
    )
}

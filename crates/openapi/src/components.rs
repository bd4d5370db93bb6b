//! Named schemas: entities by their descriptions, and the forms of errors.

use entities::EntityKind;
use serde_json::{Value, json};

use super::operation::ErrorForm;

/// The schema of a kind of entity, as it is sent and answered.
#[must_use]
pub fn component(kind: &EntityKind) -> Value {
    let mut schema = kind.json_schema();
    if let Value::Object(members) = &mut schema {
        // The document says once which dialect of schemas it uses.
        members.remove("$schema");
    }
    if kind.has_ttl && schema["properties"]["ttl"].is_null() {
        // No member of the description, because what it means depends on where it is sent.
        schema["properties"]["ttl"] = json!({
            "type": ["integer", "null"],
            "minimum": 0,
            "maximum": 100_000_000,
            "description": "Seconds until it is removed",
        });
    }
    schema
}

/// A reference to a named schema.
#[must_use]
pub fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// A page of a list of configuration: `data`, and `offset` and `next` when there is more.
#[must_use]
pub fn page(of: &Value) -> Value {
    json!({
        "type": "object",
        "required": ["data", "next"],
        "properties": {
            "data": {"type": "array", "items": of},
            "offset": {"type": "string"},
            "next": {"type": ["string", "null"]},
        },
    })
}

/// The schema of a form of errors.
pub(super) fn error(form: ErrorForm) -> Value {
    match form {
        ErrorForm::Problem => problem(),
        ErrorForm::Configuration => configuration(),
        ErrorForm::Gateway => json!({
            "type": "object",
            "required": ["message"],
            "properties": {
                "message": {"type": "string"},
                "name": {"type": "string"},
                "code": {"type": "integer"},
                "fields": {"type": ["object", "array"]},
            },
        }),
    }
}

fn problem() -> Value {
    json!({
        "type": "object",
        "required": ["status", "title", "instance", "detail"],
        "properties": {
            "status": {"type": "integer"},
            "title": {"type": "string"},
            "type": {"type": "string"},
            "instance": {"type": "string", "pattern": "^konnect:trace:[0-9]+$"},
            "detail": {"type": "string"},
            "invalid_parameters": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["field", "reason"],
                    "properties": {
                        "field": {"type": "string"},
                        "rule": {"type": "string"},
                        "reason": {"type": "string"},
                        "source": {"enum": ["body", "query", "path", "header"]},
                        "minimum": {"type": "integer"},
                        "maximum": {"type": "integer"},
                        "choices": {"type": "array"},
                        "dependents": {"type": "array"},
                    },
                },
            },
        },
    })
}

fn configuration() -> Value {
    json!({
        "type": "object",
        "required": ["message"],
        "properties": {
            "message": {"type": "string"},
            "status": {"type": "integer"},
            "code": {"type": "integer"},
            "details": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["type", "messages"],
                    "properties": {
                        "type": {
                            "enum": [
                                "ERROR_TYPE_FIELD",
                                "ERROR_TYPE_ENTITY",
                                "ERROR_TYPE_REFERENCE",
                            ],
                        },
                        "field": {"type": "string"},
                        "messages": {"type": "array", "items": {"type": "string"}},
                    },
                },
            },
        },
    })
}

//! Places where secrets are kept that entities refer to.

use schema::{Field, Map, Pattern, Schema, Violations};
use serde_json::Value;

use crate::kind::EntityKind;

/// The one kind of vault that is built in.
const ENVIRONMENT: &str = "env";

/// What a vault is.
pub(crate) fn kind() -> EntityKind {
    let mut kind = EntityKind::new("vaults", "vault", "vaults", describe());
    kind.endpoint_key = Some("prefix");
    kind.cache_key = &["prefix"];
    kind
}

fn describe() -> Schema {
    Schema::new("vaults")
        .field(Field::id())
        .field(
            Field::string("prefix")
                .required()
                .unique_across_workspaces()
                .not_one_of([ENVIRONMENT])
                .matches(Pattern::new(
                    "^[a-z][a-z%d-]-[a-z%d]+$",
                    "^[a-z][a-z0-9-]*?[a-z0-9]+$",
                )),
        )
        .field(Field::string("name").required())
        .field(Field::string("description"))
        .field(config())
        .field(Field::created_at())
        .field(Field::updated_at())
        .field(Field::tags())
}

/// Which members the configuration has depends on the kind of vault, so none are published.
fn config() -> Field {
    let name = Pattern::new("^[%a_-][%a%d_-]*$", "^[A-Za-z_-][A-Za-z0-9_-]*$");
    let environment = Schema::record([Field::string("prefix").matches(name)]);
    Field::record("config", environment)
        .required()
        .published_abstract()
}

/// The kind of vault decides about everything else, so an unknown one is all that is said.
pub(crate) fn check_installed(body: &Map, is_new: bool) -> Result<(), Violations> {
    match body.get("name") {
        Some(Value::String(name)) if name != ENVIRONMENT => Err(Violations::of(
            "name",
            format!("vault '{name}' is not installed"),
        )),
        None | Some(Value::Null) if is_new => Err(Violations::of("name", "required field missing")),
        _ => Ok(()),
    }
}

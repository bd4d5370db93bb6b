//! Places where secrets are kept that entities refer to.

use schema::{Field, Map, Pattern, Schema, Violations};
use serde_json::Value;

use crate::kind::EntityKind;

/// Variables of the process.
const ENVIRONMENT: &str = "env";

/// Config stores of the control plane.
const CONFIG_STORE: &str = "konnect";

/// All kinds of vaults.
pub(crate) const TYPES: [&str; 2] = [ENVIRONMENT, CONFIG_STORE];

/// What a vault is.
pub(crate) fn kind() -> EntityKind {
    let mut kind = EntityKind::new("vaults", "vault", "vaults", describe());
    kind.endpoint_key = Some("prefix");
    kind.cache_key = &["prefix"];
    kind
}

/// What the members mean.
const MEANINGS: [(&str, &str); 3] = [
    (
        "prefix",
        "What references call the vault: `{vault://PREFIX/…}`.",
    ),
    ("name", "Where the secrets are kept."),
    ("description", "For people."),
];

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
        .describe(&MEANINGS)
}

/// Which members the configuration has depends on the kind of vault, so none are published.
fn config() -> Field {
    Field::record("config", config_of(ENVIRONMENT))
        .required()
        .published_abstract()
        .describe("How the secrets are reached; which members there are depends on `name`.")
}

/// The description of the configuration of a vault of that name.
pub(crate) fn config_of(name: &str) -> Schema {
    if name == CONFIG_STORE {
        return Schema::record([Field::string("config_store_id")
            .uuid()
            .required()
            .describe("Id of the config store that holds the secrets.")]);
    }
    let prefix = Pattern::new("^[%a_-][%a%d_-]*$", "^[A-Za-z_-][A-Za-z0-9_-]*$");
    Schema::record([Field::string("prefix")
        .matches(prefix)
        .describe("What names of variables begin with.")])
}

/// The description of a vault of that name.
pub(crate) fn schema_of(name: &str) -> Schema {
    let mut schema = describe();
    for field in &mut schema.fields {
        if field.name == "config" {
            *field = Field::record("config", config_of(name))
                .required()
                .published_abstract();
        }
    }
    schema
}

/// The schema document of a vault as the reference publishes it.
pub(crate) fn form(name: &str) -> Option<Value> {
    TYPES.contains(&name).then(|| {
        let config = Field::record("config", config_of(name)).required();
        Schema::new("").field(config).admin_form()
    })
}

/// The kind of vault decides about everything else, so an unknown one is all that is said.
pub(crate) fn check_installed(body: &Map, is_new: bool) -> Result<(), Violations> {
    match body.get("name") {
        Some(Value::String(name)) if !TYPES.contains(&name.as_str()) => Err(Violations::of(
            "name",
            format!("vault '{name}' is not installed"),
        )),
        None | Some(Value::Null) if is_new => Err(Violations::of("name", "required field missing")),
        _ => Ok(()),
    }
}

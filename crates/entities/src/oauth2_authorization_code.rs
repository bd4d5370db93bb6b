//! Codes that an application exchanges for a token.

use schema::{Field, Schema};
use serde_json::Value;

use crate::kind::EntityKind;

/// What a code is.
pub(crate) fn kind() -> EntityKind {
    let mut kind = EntityKind::new(
        "oauth2_authorization_codes",
        "oauth2_authorization_code",
        "oauth2_authorization_codes",
        describe(),
    )
    .internal();
    kind.has_ttl = true;
    kind
}

fn describe() -> Schema {
    let optional = |name, entity| {
        Field::foreign(name, entity)
            .default(Value::Null)
            .on_delete("cascade")
    };
    Schema::new("oauth2_authorization_codes")
        .field(Field::id())
        .field(Field::created_at())
        .field(optional("service", "services").describe("The service it is limited to."))
        .field(
            Field::foreign("credential", "oauth2_credentials")
                .required()
                .on_delete("cascade")
                .describe("The application it was given to."),
        )
        .field(
            Field::string("code")
                .optional()
                .unique()
                .auto()
                .sealed()
                .describe("The code; made up when it is left out."),
        )
        .field(
            Field::string("authenticated_userid")
                .optional()
                .describe("Who agreed."),
        )
        .field(Field::string("scope").describe("What was agreed to."))
        .field(
            Field::string("challenge")
                .optional()
                .describe("What the exchange must prove to know."),
        )
        .field(
            Field::string("challenge_method")
                .optional()
                .one_of(["S256"])
                .describe("How the proof is made."),
        )
        .field(optional("plugin", "plugins").describe("The plugin that gave it."))
}

//! Tokens that applications were given.

use schema::{Field, Schema};
use serde_json::Value;

use crate::kind::EntityKind;

/// What a token is.
pub(crate) fn kind() -> EntityKind {
    let mut kind = EntityKind::new("oauth2_tokens", "oauth2_token", "oauth2_tokens", describe());
    kind.endpoint_key = Some("access_token");
    kind.cache_key = &["access_token"];
    kind.nested = Some(("oauth2_credentials", "oauth2_tokens"));
    kind.has_ttl = true;
    kind
}

/// What the members mean.
const MEANINGS: [(&str, &str); 8] = [
    ("service", "The service it is limited to."),
    ("credential", "The application it was given to."),
    ("token_type", "What sort of token it is."),
    ("expires_in", "Seconds after which the access token ends."),
    (
        "access_token",
        "What requests show; made up when it is left out.",
    ),
    ("refresh_token", "What the next token is asked for with."),
    ("authenticated_userid", "Who agreed."),
    ("scope", "What was agreed to."),
];

fn describe() -> Schema {
    Schema::new("oauth2_tokens")
        .field(Field::id())
        .field(Field::created_at())
        .field(
            Field::foreign("service", "services")
                .default(Value::Null)
                .on_delete("cascade"),
        )
        .field(
            Field::foreign("credential", "oauth2_credentials")
                .required()
                .on_delete("cascade"),
        )
        .field(
            Field::string("token_type")
                .required()
                .default("bearer")
                .one_of(["bearer"]),
        )
        .field(Field::integer("expires_in").required())
        .field(
            Field::string("access_token")
                .auto()
                .unique()
                .optional()
                .sealed(),
        )
        .field(Field::string("refresh_token").optional().unique().sealed())
        .field(Field::string("authenticated_userid").optional())
        .field(Field::string("scope"))
        .describe(&MEANINGS)
}

//! Names in client certificates by which consumers are known.
//!
//! Kept and given back for tools that manage them; no plugin of this program reads them.

use schema::{Field, Schema};

use crate::kind::EntityKind;

/// What such a name is.
pub(crate) fn kind() -> EntityKind {
    let mut kind = EntityKind::new(
        "mtls_auth_credentials",
        "mtls_auth_credential",
        "mtls-auths",
        describe(),
    );
    kind.cache_key = &["subject_name", "ca_certificate"];
    kind.nulls_collide = true;
    kind.nested = Some(("consumers", "mtls-auth"));
    kind.delivered = false;
    kind.extension = true;
    kind
}

fn describe() -> Schema {
    Schema::new("mtls_auth_credentials")
        .field(Field::id())
        .field(Field::created_at())
        .field(
            Field::foreign("consumer", "consumers")
                .required()
                .on_delete("cascade")
                .describe("Whose name it is."),
        )
        .field(
            Field::string("subject_name")
                .required()
                .describe("Common name or alternative name in the certificate."),
        )
        .field(
            Field::foreign("ca_certificate", "ca_certificates")
                .on_delete("cascade")
                .describe("The authority that must have issued it; none accepts any."),
        )
        .field(Field::tags())
}

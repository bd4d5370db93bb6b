//! Nodes as the control plane of a cluster sees them.
//!
//! A description only: who keeps nodes keeps them with what it knows of their connections.

use schema::{Field, Pattern, Schema, validators};

use crate::kind::EntityKind;

/// What is known about a node.
pub(crate) fn kind() -> EntityKind {
    let mut kind = EntityKind::new(
        "clustering_data_planes",
        "clustering_data_plane",
        "clustering/data-planes",
        describe(),
    )
    .described_only();
    kind.has_ttl = true;
    kind
}

fn describe() -> Schema {
    let expiry = Field::number("expiry_timestamp")
        .timestamp()
        .optional()
        .describe("Second since 1970 at which the certificate ends.");
    Schema::new("clustering_data_planes")
        .field(Field::id().required())
        .field(
            Field::integer("last_seen")
                .timestamp()
                .auto()
                .describe("Second since 1970 of the last sign of life."),
        )
        .field(Field::updated_at())
        .field(
            Field::string("ip")
                .required()
                .custom("ip", validators::ip)
                .describe("Address it connects from."),
        )
        .field(
            Field::string("config_hash")
                .len_eq(32)
                .describe("Hash of the configuration it runs."),
        )
        .field(
            Field::host("hostname")
                .required()
                .describe("Name of its machine."),
        )
        .field(version())
        .field(
            Field::string("sync_status")
                .required()
                .default("unknown")
                .one_of([
                    "unknown",
                    "normal",
                    "kong_version_incompatible",
                    "plugin_set_incompatible",
                    "plugin_version_incompatible",
                    "filter_set_incompatible",
                ])
                .describe("Whether it can take the configuration."),
        )
        .field(
            Field::map("labels", Field::string(""), Field::string(""))
                .describe("What its operator says about it."),
        )
        .field(
            Field::record("cert_details", Schema::record([expiry]))
                .required()
                .describe("The certificate it shows."),
        )
        .field(
            Field::set("rpc_capabilities", Field::string("")).describe("The calls it understands."),
        )
}

fn version() -> Field {
    Field::string("version")
        .match_none([(
            Pattern::new("%.%.", r"\.\."),
            "must not have empty version segments",
        )])
        .match_any(
            [
                Pattern::new("^%d+[%.%d]*$", r"^\d+[\.\d]*$"),
                Pattern::new("^%d+[%.%d]*%-?.*$", r"^\d+[\.\d]*-?.*$"),
            ],
            "invalid version number: must be in format of X.Y.Z",
        )
        .describe("Version of its program.")
}

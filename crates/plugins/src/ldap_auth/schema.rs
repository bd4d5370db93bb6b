//! Configuration of `ldap-auth`.

use schema::{Check, Condition, Field, Schema};

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    Schema::new("ldap-auth")
        .fields(server())
        .fields(callers())
        .check(
            Check::conditional(
                "ldaps",
                Condition::eq(true),
                "start_tls",
                Condition::eq(false),
            )
            .with_err("'ldaps' and 'start_tls' cannot be enabled simultaneously"),
        )
}

fn server() -> [Field; 7] {
    [
        Field::host("ldap_host")
            .required()
            .describe("Name or address of the server."),
        Field::port("ldap_port")
            .required()
            .default(389)
            .describe("Port of the server."),
        Field::boolean("ldaps")
            .required()
            .default(false)
            .describe("Whether TLS is used from the start."),
        Field::boolean("start_tls")
            .required()
            .default(false)
            .describe("Whether the connection is raised to TLS."),
        Field::boolean("verify_ldap_host")
            .required()
            .default(false)
            .describe("Whether the server's certificate is verified."),
        Field::string("base_dn")
            .required()
            .describe("Where users stand in the directory."),
        Field::string("attribute")
            .required()
            .describe("Attribute that holds the user name."),
    ]
}

fn callers() -> [Field; 7] {
    [
        Field::number("cache_ttl")
            .required()
            .default(60)
            .describe("Seconds a verdict is remembered."),
        Field::boolean("hide_credentials")
            .required()
            .default(false)
            .describe(
                "Whether the credential is taken out of the request before it goes to the service.",
            ),
        Field::number("timeout")
            .default(10_000)
            .describe("Milliseconds to wait for the server."),
        Field::number("keepalive")
            .default(60_000)
            .describe("Milliseconds an idle connection is kept."),
        Field::string("anonymous")
            .describe("Consumer (id or user name) that stands in for a caller who proves nothing."),
        Field::string("header_type")
            .default("ldap")
            .describe("Scheme in front of the credentials in the header."),
        Field::string("realm")
            .optional()
            .describe("Realm named in the WWW-Authenticate header of a refusal."),
    ]
}

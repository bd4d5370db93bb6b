//! Configuration of `azure-functions`.

use schema::{Field, Schema};

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    Schema::new("azure-functions").fields([
        Field::number("timeout")
            .default(600_000)
            .describe("Milliseconds to wait for the function."),
        Field::number("keepalive")
            .default(60_000)
            .describe("Milliseconds an idle connection is kept."),
        Field::boolean("https")
            .default(true)
            .describe("Whether TLS is used."),
        Field::boolean("https_verify")
            .default(false)
            .describe("Whether the certificate of the other side is verified."),
        Field::string("apikey")
            .encrypted()
            .referenceable()
            .describe("Key shown to the function."),
        Field::string("clientid")
            .encrypted()
            .referenceable()
            .describe("Client id shown with the key."),
        Field::string("appname")
            .required()
            .describe("Name of the application."),
        Field::string("hostdomain")
            .required()
            .default("azurewebsites.net")
            .describe("Domain of the application."),
        Field::string("routeprefix")
            .default("api")
            .describe("Path in front of the function's name."),
        Field::string("functionname")
            .required()
            .describe("Name of the function."),
    ])
}

//! Configuration of `acme`.

use schema::{Check, Condition, Field, Pattern, Schema, Shorthand};

use super::rules;
use crate::records::redis::redis;

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    Schema::new("acme")
        .fields(account())
        .fields(orders())
        .outer_check(
            Check::conditional(
                "config.api_uri",
                Condition::one_of([
                    "https://acme-v02.api.letsencrypt.org",
                    "https://acme-staging-v02.api.letsencrypt.org",
                ]),
                "config.tos_accepted",
                Condition::eq(true),
            )
            .with_err("terms of service must be accepted, see https://letsencrypt.org/repository/"),
        )
        .outer_check(needed_by_redis("config.storage_config.redis.host"))
        .outer_check(needed_by_redis("config.storage_config.redis.port"))
        .outer_check(rules::storage_fits_deployment())
}

fn needed_by_redis(field: &'static str) -> Check {
    let is_redis = Condition::eq("redis");
    Check::conditional("config.storage", is_redis, field, Condition::required())
}

fn account() -> [Field; 6] {
    [
        Field::string("account_email")
            .required()
            .matches(Pattern::new(
                "%w*%p*@+%w*%.?%w*",
                r"[[:alnum:]]*[[:punct:]]*@+[[:alnum:]]*\.?[[:alnum:]]*",
            ))
            .encrypted()
            .referenceable()
            .describe("Mail address that names the account at the authority."),
        Field::record("account_key", account_key())
            .optional()
            .describe("Key of the account, if it is not made up."),
        Field::url("api_uri")
            .default("https://acme-v02.api.letsencrypt.org/directory")
            .describe("Directory of the authority."),
        Field::boolean("tos_accepted")
            .default(false)
            .describe("Whether the authority's terms of service are accepted."),
        Field::string("eab_kid")
            .encrypted()
            .referenceable()
            .describe("Key id that ties the account to one that exists outside ACME."),
        Field::string("eab_hmac_key")
            .encrypted()
            .referenceable()
            .describe("Secret for that key id, in URL-safe base64."),
    ]
}

fn orders() -> [Field; 10] {
    [
        Field::string("cert_type")
            .one_of(["rsa", "ecc"])
            .default("rsa")
            .describe("Kind of key in the certificates."),
        Field::number("rsa_key_size")
            .one_of([2048, 3072, 4096])
            .default(4096)
            .describe("Bits of RSA keys."),
        Field::number("renew_threshold_days")
            .default(14)
            .describe("Days before the end of a certificate from which on it is renewed."),
        Field::array("domains", Field::string("").one_wildcard())
            .describe("Names to obtain certificates for; may start or end with `*`."),
        Field::boolean("allow_any_domain")
            .default(false)
            .describe("Whether every name that clients ask for is obtained."),
        Field::number("fail_backoff_minutes")
            .default(5)
            .describe("Minutes to leave a name alone after a failure."),
        Field::string("storage")
            .one_of(["kong", "shm", "redis", "consul", "vault"])
            .default("shm")
            .describe("Where keys and certificates are kept."),
        Field::record("storage_config", storage_config())
            .required()
            .describe("Settings of each kind of storage."),
        Field::string("preferred_chain")
            .describe("Common name of the issuer whose chain is chosen among several."),
        Field::boolean("enable_ipv4_common_name")
            .default(true)
            .describe("Whether IPv4 addresses may be the common name of a certificate."),
    ]
}

fn account_key() -> Schema {
    Schema::record([
        Field::string("key_id")
            .required()
            .describe("Id (`kid`) of the key."),
        Field::string("key_set").describe("Name of the key set the key belongs to."),
    ])
}

fn storage_config() -> Schema {
    Schema::record([
        Field::record("shm", shm())
            .required()
            .describe("Memory of the node."),
        Field::record("kong", Schema::record([]))
            .required()
            .describe("Database of the gateway."),
        Field::record("redis", storage_redis())
            .required()
            .describe("Redis."),
        Field::record("consul", key_value_server())
            .required()
            .describe("Consul."),
        Field::record("vault", vault())
            .required()
            .describe("HashiCorp Vault."),
    ])
}

fn shm() -> Schema {
    Schema::record([Field::string("shm_name")
        .custom("existing_shared_dict", rules::shared_memory)
        .default("kong")
        .describe("Name of the shared memory.")])
}

fn storage_redis() -> Schema {
    redis()
        .field(
            Field::record("extra_options", extra_options())
                .required()
                .describe("What only this plugin wants of Redis."),
        )
        .shorthand(Shorthand::replaced(
            Field::string("auth").len_min(0),
            "password",
        ))
        .shorthand(Shorthand::replaced(
            Field::string("ssl_server_name"),
            "server_name",
        ))
        .shorthand(Shorthand::replaced(
            Field::string("namespace").len_min(0),
            "extra_options.namespace",
        ))
        .shorthand(Shorthand::replaced(
            Field::integer("scan_count"),
            "extra_options.scan_count",
        ))
}

fn extra_options() -> Schema {
    Schema::record([
        Field::string("namespace")
            .required()
            .len_min(0)
            .custom("acme_namespace_not_reserved_prefix", rules::free_namespace)
            .default("")
            .describe("Text in front of every key."),
        Field::number("scan_count")
            .optional()
            .default(10)
            .describe("Keys asked for at a time when listing."),
    ])
}

/// A server that keeps values by key.
fn key_value_server() -> Schema {
    Schema::record([
        Field::boolean("https")
            .default(false)
            .describe("Whether TLS is used."),
        Field::host("host").describe("Name or address of the server."),
        Field::port("port").describe("Port of the server."),
        Field::string("kv_path").describe("Path of the key-value store."),
        Field::number("timeout").describe("Milliseconds to wait for the server."),
        Field::string("token")
            .referenceable()
            .describe("Token shown to the server."),
    ])
}

fn vault() -> Schema {
    key_value_server().fields([
        Field::boolean("tls_verify")
            .default(true)
            .describe("Whether the server's certificate is verified."),
        Field::string("tls_server_name").describe("Server name for TLS; the host unless set."),
        Field::string("auth_method")
            .one_of(["token", "kubernetes"])
            .default("token")
            .describe("How the node proves itself."),
        Field::string("auth_path").describe("Path of the authentication method."),
        Field::string("auth_role").describe("Role to ask for."),
        Field::string("jwt_path").describe("File with the service account's token."),
    ])
}

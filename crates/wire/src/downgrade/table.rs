//! Plugin fields that appeared in a minor version: what a node older than that must not see.
//!
//! Compat: fields of Kong Gateway up to 3.10, checked against recorded payloads for nodes of
//! 3.0 to 3.9. Paths are dotted, inside `config`.

/// Fields of a plugin (all plugins of a row share them) that nodes before 3.`minor` reject.
pub(super) struct Removed {
    /// Minor version that introduced the fields.
    pub(super) minor: u16,
    /// Names of plugins.
    pub(super) plugins: &'static [&'static str],
    /// Dotted paths.
    pub(super) fields: &'static [&'static str],
}

const fn row(
    minor: u16,
    plugins: &'static [&'static str],
    fields: &'static [&'static str],
) -> Removed {
    Removed {
        minor,
        plugins,
        fields,
    }
}

/// Plugins whose queue settings came with 3.3 and gained a limit with 3.8.
const QUEUED: &[&str] = &["http-log", "statsd", "datadog", "zipkin", "opentelemetry"];

/// Request and response transformers made of a language model.
pub(super) const AI_TRANSFORMERS: &[&str] = &["ai-request-transformer", "ai-response-transformer"];

/// All of them, newest first.
pub(super) static REMOVED: &[Removed] = &[
    row(10, &["cors"], &["allow_origin_absent"]),
    row(10, &["session"], &["hash_subject", "store_metadata"]),
    row(10, &["prometheus"], &["wasm_metrics"]),
    row(
        10,
        &["ai-proxy", "ai-prompt-guard", "ai-prompt-decorator"],
        &["llm_format"],
    ),
    row(8, &["response-transformer"], &["rename.json"]),
    row(8, &["aws-lambda"], &["empty_arrays_mode"]),
    row(8, &["ldap-auth", "hmac-auth", "jwt", "oauth2"], &["realm"]),
    row(8, &["opentelemetry"], &["traces_endpoint", "logs_endpoint"]),
    row(8, QUEUED, &["queue.concurrency_limit"]),
    row(
        8,
        &["ai-proxy"],
        &[
            "max_request_body_size",
            "model.options.gemini",
            "model.options.bedrock",
            "auth.gcp_use_service_account",
            "auth.gcp_service_account_json",
            "auth.aws_access_key_id",
            "auth.aws_secret_access_key",
            "auth.allow_override",
            "model_name_header",
        ],
    ),
    row(
        8,
        &["ai-prompt-decorator", "ai-prompt-template"],
        &["max_request_body_size"],
    ),
    row(
        8,
        &["ai-prompt-guard"],
        &["match_all_roles", "max_request_body_size"],
    ),
    row(
        8,
        AI_TRANSFORMERS,
        &[
            "max_request_body_size",
            "llm.model.options.gemini",
            "llm.model.options.bedrock",
            "llm.auth.gcp_use_service_account",
            "llm.auth.gcp_service_account_json",
            "llm.auth.aws_access_key_id",
            "llm.auth.aws_secret_access_key",
            "llm.auth.allow_override",
        ],
    ),
    row(8, &["prometheus"], &["ai_metrics"]),
    row(8, &["acl"], &["always_use_authenticated_groups"]),
    row(7, &["opentelemetry", "zipkin"], &["propagation"]),
    row(
        7,
        &["ai-proxy"],
        &["response_streaming", "model.options.upstream_path"],
    ),
    row(7, AI_TRANSFORMERS, &["llm.model.options.upstream_path"]),
    row(7, &["key-auth"], &["realm"]),
    row(6, &["opentelemetry"], &["sampling_rate"]),
    row(6, &["basic-auth"], &["realm"]),
    row(5, &["acme"], &["storage_config.redis.scan_count"]),
    row(5, &["cors"], &["private_network"]),
    row(5, &["session"], &["read_body_for_logout"]),
    row(4, &["rate-limiting"], &["sync_rate"]),
    row(4, &["proxy-cache"], &["response_headers"]),
    row(
        3,
        &["acme"],
        &["account_key", "storage_config.redis.namespace"],
    ),
    row(3, &["aws-lambda"], &["disable_https"]),
    row(3, &["proxy-cache"], &["ignore_uri_case"]),
    row(
        3,
        &["opentelemetry"],
        &["http_response_header_for_traceid", "header_type"],
    ),
    row(3, QUEUED, &["queue"]),
    row(2, &["statsd"], &["tag_style"]),
    row(
        2,
        &["session"],
        &[
            "audience",
            "absolute_timeout",
            "remember_cookie_name",
            "remember_rolling_timeout",
            "remember_absolute_timeout",
            "response_headers",
            "request_headers",
        ],
    ),
    row(2, &["aws-lambda"], &["aws_imds_protocol_version"]),
    row(2, &["zipkin"], &["phase_duration_flavor"]),
    row(
        1,
        &["acme"],
        &[
            "enable_ipv4_common_name",
            "storage_config.redis.ssl",
            "storage_config.redis.ssl_verify",
            "storage_config.redis.ssl_server_name",
        ],
    ),
    row(1, &["rate-limiting"], &["error_code", "error_message"]),
    row(
        1,
        &["response-ratelimiting"],
        &["redis_ssl", "redis_ssl_verify", "redis_server_name"],
    ),
    row(
        1,
        &["datadog", "statsd"],
        &["retry_count", "queue_size", "flush_timeout"],
    ),
    row(1, &["session"], &["cookie_persistent"]),
    row(1, &["zipkin"], &["http_response_header_for_traceid"]),
];

/// Fields under another name before 3.`minor`: plugin, new name, old name.
pub(super) static RENAMED: &[(u16, &str, &str, &str)] = &[
    (8, "opentelemetry", "traces_endpoint", "endpoint"),
    (2, "session", "idling_timeout", "cookie_idletime"),
    (2, "session", "rolling_timeout", "cookie_lifetime"),
    (2, "session", "stale_ttl", "cookie_discard"),
    (2, "session", "cookie_same_site", "cookie_samesite"),
    (2, "session", "cookie_http_only", "cookie_httponly"),
    (2, "session", "remember", "cookie_persistent"),
];

/// Fields of entities (not plugins' settings) that nodes before 3.`minor` reject: table, field.
pub(super) static ENTITY_FIELDS: &[(u16, &str, &str)] = &[
    (3, "ca_certificates", "updated_at"),
    (3, "certificates", "updated_at"),
    (3, "consumers", "updated_at"),
    (3, "targets", "updated_at"),
    (3, "upstreams", "updated_at"),
    (3, "plugins", "updated_at"),
    (3, "workspaces", "updated_at"),
    (3, "snis", "updated_at"),
    (2, "plugins", "instance_name"),
    (1, "upstreams", "use_srv_name"),
];

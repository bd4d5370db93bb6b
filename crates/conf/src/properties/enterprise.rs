//! Additions of the reference's commercial edition that copied configurations contain.

use super::{Property, array, boolean, choice, number, string};

const PLATFORM: &str = "users, permissions and audit belong to the platform";

pub(super) const PROPERTIES: &[Property] = &[
    boolean(
        "cluster_fallback_config_import",
        "off",
        "Load a configuration from a storage when the control plane is away.",
    ),
    boolean(
        "cluster_fallback_config_export",
        "off",
        "Write each configuration to a storage.",
    ),
    string(
        "cluster_fallback_config_storage",
        "",
        "That storage, such as `s3://bucket/path`.",
    ),
    number(
        "cluster_fallback_config_export_delay",
        "60",
        "Seconds between two writes.",
    ),
    string(
        "cluster_fallback_export_s3_config",
        "",
        "Options of an S3 storage.",
    )
    .secret(),
    array("debug_listen", "off", "Listeners of the debug API."),
    boolean(
        "debug_listen_local",
        "on",
        "A local socket for the debug API.",
    ),
    string("debug_access_log", "off", "Its access log."),
    string("debug_error_log", "logs/debug_error.log", "Its error log."),
    boolean(
        "tls_certificate_verify",
        "off",
        "Verify services' certificates unless a service says otherwise.",
    )
    .acted(),
    number("lru_cache_size", "500000", "Entities cached per worker.")
        .never("a configuration is held once, compiled, without a cache"),
    string(
        "consumers_mem_cache_size",
        "128m",
        "Size of the cache of consumers.",
    )
    .never("a configuration is held once, compiled, without a cache"),
    boolean(
        "via_header_comply_rfc",
        "off",
        "Write `Via` as RFC 9110 wants.",
    ),
    boolean(
        "pdk_response_exit_header_filter_early_exit",
        "off",
        "Skip header filters after an early answer.",
    ),
    choice(
        "route_match_calculation",
        &["original", "strict"],
        "original",
        "How equal routes are ordered.",
    ),
    string("lua_gc_tuning", "off", "Garbage collection of Lua.").never("Gatehouse runs no Lua"),
    boolean(
        "vaults_lazy_load_secrets",
        "off",
        "Resolve references when they are needed.",
    ),
    boolean(
        "custom_plugin_streaming_enabled",
        "off",
        "Receive plugins from the control plane.",
    ),
    choice(
        "schema_alias_conflict_mode",
        &["error", "warn", "ignore"],
        "error",
        "What happens when a field and its old name differ.",
    ),
    string("enforce_rbac", "off", "Check permissions on the Admin API.").never(PLATFORM),
    string(
        "rbac_auth_header",
        "Kong-Admin-Token",
        "Header of the Admin API's token.",
    )
    .never(PLATFORM),
    string(
        "admin_gui_auth",
        "",
        "How people sign in to the user interface.",
    )
    .never(PLATFORM),
    string("admin_gui_auth_conf", "", "Options of that.")
        .never(PLATFORM)
        .secret(),
    string("admin_gui_session_conf", "", "Options of its sessions.")
        .never(PLATFORM)
        .secret(),
    boolean("audit_log", "off", "Record what the Admin API did.").never(PLATFORM),
    boolean("event_hooks_enabled", "on", "Send events to other systems.").never(PLATFORM),
    boolean("fips", "off", "Only cryptography that FIPS 140 allows."),
    choice(
        "route_validation_strategy",
        &["smart", "path", "static", "off"],
        "smart",
        "When a new route collides with another.",
    ),
    string(
        "enforce_route_path_pattern",
        "",
        "Pattern that paths of routes must follow.",
    ),
    boolean(
        "ai_mcp_listener_enabled",
        "off",
        "Listener for the model context protocol.",
    ),
    boolean("keyring_enabled", "off", "Encrypt secrets in the database.")
        .never("the platform seals secrets always"),
    boolean("portal", "off", "Developer portal.").never("it belongs to the platform"),
    string("license_path", "", "File of a licence.").never("Gatehouse needs no licence"),
    string("license_data", "", "A licence.")
        .never("Gatehouse needs no licence")
        .secret(),
];

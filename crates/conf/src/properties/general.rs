//! Prefix, logs, plugins, errors.

use super::{Property, array, boolean, choice, number, string};

const LEVELS: &[&str] = &[
    "debug", "info", "notice", "warn", "error", "crit", "alert", "emerg",
];

pub(super) const PROPERTIES: &[Property] = &[
    string(
        "prefix",
        "/usr/local/kong/",
        "Folder of everything that the node writes.",
    )
    .acted(),
    choice("log_level", LEVELS, "notice", "How verbose the log is.").acted(),
    string(
        "proxy_access_log",
        "logs/access.log",
        "Access log of the proxy: a path, `off`, or a path and a format.",
    )
    .acted(),
    string(
        "proxy_error_log",
        "logs/error.log",
        "Error log of the proxy.",
    )
    .never("Gatehouse writes one log, to standard error"),
    string(
        "proxy_stream_access_log",
        "logs/access.log basic",
        "Access log of layer 4: a path, `off`, or a path and the format `basic`.",
    )
    .acted(),
    string(
        "proxy_stream_error_log",
        "logs/error.log",
        "Error log of layer 4.",
    )
    .never("Gatehouse writes one log, to standard error"),
    string(
        "admin_access_log",
        "logs/admin_access.log",
        "Access log of the Admin API.",
    ),
    string(
        "admin_error_log",
        "logs/error.log",
        "Error log of the Admin API.",
    )
    .never("Gatehouse writes one log, to standard error"),
    string("status_access_log", "off", "Access log of the status API."),
    string(
        "status_error_log",
        "logs/status_error.log",
        "Error log of the status API.",
    )
    .never("Gatehouse writes one log, to standard error"),
    array(
        "vaults",
        "bundled",
        "Vaults that references may use: `bundled`, names, or `off`.",
    )
    .acted(),
    array(
        "opentelemetry_tracing",
        "off",
        "Old name of `tracing_instrumentations`.",
    )
    .acted(),
    array(
        "tracing_instrumentations",
        "off",
        "What is traced: off, all, request, db_query, dns_query, router, http_client, balancer, plugin_rewrite, plugin_access, plugin_header_filter.",
    )
    .acted(),
    number(
        "opentelemetry_tracing_sampling_rate",
        "",
        "Old name of `tracing_sampling_rate`.",
    )
    .acted(),
    number(
        "tracing_sampling_rate",
        "0.01",
        "Share of requests that are traced, 0 to 1.",
    )
    .acted(),
    array(
        "plugins",
        "bundled",
        "Plugins that may be configured: `bundled`, names, or `off`.",
    )
    .acted(),
    boolean(
        "dedicated_config_processing",
        "on",
        "Process configurations beside the traffic.",
    )
    .never("Gatehouse always compiles configurations beside the traffic"),
    array("pluginserver_names", "", "External plugin servers."),
    array(
        "port_maps",
        "",
        "Port that clients see for a port that is listened on: `external:internal`.",
    )
    .acted(),
    boolean(
        "anonymous_reports",
        "on",
        "Reports to the maker of the reference.",
    )
    .never("Gatehouse sends no reports"),
    string(
        "proxy_server",
        "",
        "Forward proxy towards the control plane: `http[s]://[user:password@]host[:port]`.",
    )
    .acted()
    .secret(),
    boolean(
        "proxy_server_ssl_verify",
        "on",
        "Verify the certificate of an `https` forward proxy.",
    )
    .acted(),
    string(
        "error_template_html",
        "",
        "File that replaces the HTML body of errors; `%s` stands for message and request id.",
    )
    .acted(),
    string("error_template_json", "", "The same for JSON.").acted(),
    string("error_template_xml", "", "The same for XML.").acted(),
    string("error_template_plain", "", "The same for plain text.").acted(),
];

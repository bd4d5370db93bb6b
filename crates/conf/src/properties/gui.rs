//! The reference's own user interface, WebAssembly, debugging.

use super::{Property, array, boolean, string};

const CONSOLE: &str = "a node has no user interface; the platform serves one";

pub(super) const PROPERTIES: &[Property] = &[
    array(
        "admin_gui_listen",
        "0.0.0.0:8002, 0.0.0.0:8445 ssl",
        "Listeners of the user interface.",
    )
    .never(CONSOLE),
    array(
        "admin_gui_url",
        "",
        "Addresses of pages whose scripts may call the Admin API; unset, those of every page.",
    )
    .acted(),
    string("admin_gui_path", "/", "Path of the user interface.").never(CONSOLE),
    string("admin_gui_api_url", "", "Address of the Admin API for it.").never(CONSOLE),
    boolean(
        "admin_gui_csp_header",
        "off",
        "Send a Content-Security-Policy.",
    )
    .never(CONSOLE),
    array("admin_gui_ssl_cert", "", "Its certificates.").never(CONSOLE),
    array("admin_gui_ssl_cert_key", "", "Their keys.")
        .never(CONSOLE)
        .secret(),
    string(
        "admin_gui_access_log",
        "logs/admin_gui_access.log",
        "Its access log.",
    )
    .never(CONSOLE),
    string(
        "admin_gui_error_log",
        "logs/admin_gui_error.log",
        "Its error log.",
    )
    .never(CONSOLE),
    boolean("wasm", "off", "Run WebAssembly filters."),
    string("wasm_filters_path", "", "Folder of the filters."),
    array(
        "wasm_filters",
        "bundled,user",
        "Filters that may be configured.",
    ),
    boolean(
        "wasm_dynamic_module",
        "",
        "Load the WebAssembly module of nginx.",
    )
    .never("there is no nginx"),
    boolean(
        "request_debug",
        "on",
        "Answer `X-Kong-Request-Debug` with timings.",
    ),
    string(
        "request_debug_token",
        "",
        "Token for that from other machines.",
    )
    .secret(),
];

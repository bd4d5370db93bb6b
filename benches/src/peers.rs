//! The configurations of the subjects for a case: the same routes, prefix stripped, forwarding
//! headers added, connections to the backend kept.

use std::path::Path;

use serde_json::{Value, json};

use crate::case::Case;

/// Where a subject listens, and what it finds there.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// Folder of certificate, key and maps.
    pub folder: &'a Path,
    /// Port of the backend.
    pub origin: u16,
    /// Port for HTTP.
    pub port: u16,
    /// Port for TLS.
    pub tls_port: u16,
}

/// The declarative file of our node for a case.
#[must_use]
pub fn declarative(case: Case, origin: u16) -> String {
    let mut text = format!(
        "_format_version: \"3.0\"\nservices:\n- name: origin\n  \
         url: http://127.0.0.1:{origin}\n  routes:\n"
    );
    for number in 0..case.routes() {
        text.push_str(&format!(
            "  - {{name: route{number}, paths: [/route{number}/]}}\n"
        ));
    }
    text.push_str(case.plugins());
    text
}

/// The configuration of nginx.
#[must_use]
pub fn nginx(case: Case, place: &Place<'_>) -> String {
    let here = place.folder.display();
    let (port, tls_port) = (place.port, place.tls_port);
    let mut locations = String::new();
    for number in 0..case.routes() {
        locations.push_str(&format!(
            "    location /route{number}/ {{ proxy_pass http://origin/; }}\n"
        ));
    }
    format!(
        "daemon off;\nworker_processes 1;\nworker_rlimit_nofile 20000;\npid {here}/nginx.pid;\n\
         error_log stderr error;\nevents {{ worker_connections 16384; }}\n\
         http {{\n  access_log off;\n  \
         client_body_temp_path {here}/body;\n  proxy_temp_path {here}/proxy;\n  \
         fastcgi_temp_path {here}/f;\n  uwsgi_temp_path {here}/u;\n  scgi_temp_path {here}/s;\n  \
         keepalive_requests 1000000000;\n  \
         upstream origin {{ server 127.0.0.1:{}; keepalive 8192; keepalive_requests 1000000000; }}\n  \
         server {{\n    listen 127.0.0.1:{port};\n    listen 127.0.0.1:{tls_port} ssl http2;\n    \
         ssl_certificate {here}/server.crt;\n    ssl_certificate_key {here}/server.key;\n    \
         ssl_protocols TLSv1.2 TLSv1.3;\n    ssl_session_tickets off;\n    ssl_session_cache off;\n    \
         proxy_http_version 1.1;\n    proxy_set_header Connection \"\";\n    \
         proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;\n    \
         proxy_set_header X-Real-IP $remote_addr;\n    proxy_set_header Via \"1.1 nginx\";\n    \
         proxy_request_buffering off;\n{locations}  }}\n}}\n",
        place.origin
    )
}

/// The configuration of HAProxy; its routes are in `routes.map`.
#[must_use]
pub fn haproxy(place: &Place<'_>) -> String {
    let here = place.folder.display();
    let (port, tls_port) = (place.port, place.tls_port);
    format!(
        "global\n  nbthread 1\n  maxconn 9000\n  tune.ssl.cachesize 0\n  \
         ssl-default-bind-options ssl-min-ver TLSv1.2 no-tls-tickets\n\
         defaults\n  mode http\n  timeout connect 5s\n  timeout client 60s\n  timeout server 60s\n  \
         http-reuse always\n  option forwardfor\n\
         frontend in\n  bind 127.0.0.1:{port}\n  \
         bind 127.0.0.1:{tls_port} ssl crt {here}/server.pem alpn h2,http/1.1\n  \
         http-request set-header X-Real-IP %[src]\n  http-request set-header Via \"1.1 haproxy\"\n  \
         use_backend %[path,map_beg({here}/routes.map)]\n\
         backend origin\n  http-request replace-path /[^/]+/(.*) /\\1\n  \
         server origin 127.0.0.1:{} pool-max-conn 8192\n",
        place.origin
    )
}

/// The configuration of Envoy.
#[must_use]
pub fn envoy(case: Case, place: &Place<'_>) -> Value {
    let routes: Vec<Value> = (0..case.routes())
        .map(|number| {
            json!({
                "match": {"prefix": format!("/route{number}/")},
                "route": {"cluster": "origin", "prefix_rewrite": "/"},
            })
        })
        .collect();
    let listener = |name: &str, port: u16, filter_chain: Value| {
        json!({
            "name": name,
            "address": address(port),
            "filter_chains": [filter_chain],
        })
    };
    let mut encrypted = json!({"filters": [envoy_filter(&routes)]});
    encrypted["transport_socket"] = json!({
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": "type.googleapis.com/\
                      envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
            "disable_stateless_session_resumption": true,
            "common_tls_context": {
                "alpn_protocols": ["h2", "http/1.1"],
                "tls_certificates": [{
                    "certificate_chain": {"filename": place.folder.join("server.crt")},
                    "private_key": {"filename": place.folder.join("server.key")},
                }],
            },
        },
    });
    let plain = json!({"filters": [envoy_filter(&routes)]});
    let limits =
        json!([{"max_connections": 16384, "max_pending_requests": 16384, "max_requests": 16384}]);
    json!({"static_resources": {
        "listeners": [
            listener("plain", place.port, plain),
            listener("encrypted", place.tls_port, encrypted),
        ],
        "clusters": [{
            "name": "origin",
            "type": "STATIC",
            "connect_timeout": "5s",
            "circuit_breakers": {"thresholds": limits},
            "load_assignment": {
                "cluster_name": "origin",
                "endpoints": [{"lb_endpoints": [
                    {"endpoint": {"address": address(place.origin)}},
                ]}],
            },
        }],
    }})
}

fn address(port: u16) -> Value {
    json!({"socket_address": {"address": "127.0.0.1", "port_value": port}})
}

fn envoy_filter(routes: &[Value]) -> Value {
    json!({
        "name": "envoy.filters.network.http_connection_manager",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.network.\
                      http_connection_manager.v3.HttpConnectionManager",
            "stat_prefix": "in",
            "use_remote_address": true,
            "via": "1.1 envoy",
            "route_config": {"virtual_hosts": [
                {"name": "all", "domains": ["*"], "routes": routes},
            ]},
            "http_filters": [{
                "name": "envoy.filters.http.router",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router",
                },
            }],
        },
    })
}

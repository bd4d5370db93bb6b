//! The page for people, until a console exists: it names the hosts of this installation and links
//! the descriptions of their APIs.

use axum::Router;
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use http::{HeaderName, HeaderValue, StatusCode, header};

use control_plane::api::Problem;

use crate::hosts::Hosts;

const STYLE: &str = include_str!("page.css");
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";

/// The service of `cloud.D`.
pub(crate) fn router(hosts: &Hosts, port: u16) -> Router {
    Router::new()
        .merge(page(hosts, port))
        .fallback(|| async { Problem::new(StatusCode::NOT_FOUND, "There is no such page") })
}

/// The page alone, at `/`.
pub(crate) fn page(hosts: &Hosts, port: u16) -> Router {
    let html = render(hosts, port);
    let headers: [(HeaderName, HeaderValue); 3] = [
        (
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static(POLICY),
        ),
        (
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ),
        (
            header::REFERRER_POLICY,
            HeaderValue::from_static("no-referrer"),
        ),
    ];
    Router::new().route(
        "/",
        get(move || async move { (headers, Html(html)).into_response() }),
    )
}

/// Base domain and geos were checked to be host names, so nothing here needs escaping.
fn render(hosts: &Hosts, port: u16) -> String {
    let base = hosts.base();
    let port = if port == 443 {
        String::new()
    } else {
        format!(":{port}")
    };
    let row = |host: &str, what: &str, has_api: bool| {
        let url = format!("https://{host}{port}");
        let api = if has_api {
            format!("<a href=\"{url}/openapi.json\">API description</a>")
        } else {
            String::new()
        };
        format!("<tr><td><code>{host}{port}</code></td><td>{what}</td><td>{api}</td></tr>\n")
    };
    let mut rows = row(&format!("cloud.{base}"), "This page", false);
    rows += &row(
        &format!("global.api.{base}"),
        "Organisation and users",
        true,
    );
    for geo in hosts.geos() {
        let what = format!("Control planes of the geo <code>{geo}</code>: entities, nodes");
        rows += &row(&format!("{geo}.api.{base}"), &what, true);
        let what = "Ingress controllers (client certificate)";
        rows += &row(&format!("{geo}.kic.api.{base}"), what, true);
        let what = "Configuration of nodes (client certificate)";
        rows += &row(&format!("&lt;prefix&gt;.{geo}.cp0.{base}"), what, false);
        let what = "Telemetry of nodes (client certificate)";
        rows += &row(&format!("&lt;prefix&gt;.{geo}.tp0.{base}"), what, false);
    }
    let first = hosts.geos().first().map_or("us", String::as_str);
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Gatehouse</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <h1>Gatehouse</h1>\n\
         <p>This installation serves the names below, all on one TLS port.</p>\n\
         <table>\n<thead><tr><th>Host</th><th>What it serves</th><th></th></tr></thead>\n\
         <tbody>\n{rows}</tbody>\n</table>\n\
         <h2>First steps</h2>\n\
         <p>Callers of the APIs send <code>Authorization: Bearer &lt;token&gt;</code>; the first \
         token was shown when the installation was made.</p>\n\
         <pre>curl --cacert ca.crt -H \"Authorization: Bearer $TOKEN\" \
         https://{first}.api.{base}{port}/v2/control-planes</pre>\n\
         </main>\n</body>\n</html>\n"
    )
}

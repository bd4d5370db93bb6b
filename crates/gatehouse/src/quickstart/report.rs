//! What a person is told.

use super::facts::Facts;
use super::layout::Layout;
use super::sample::Sample;
use crate::output;

/// Whether secrets are shown: only by the start that made them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Secrets {
    Hidden,
    Shown,
}

/// Tells of a step that takes a moment.
pub(super) fn step(text: &str) {
    output::tell(&format!("  {text} …"));
}

/// Tells where everything is, and how to try it.
pub(super) fn ready(facts: &Facts, layout: &Layout, secrets: Secrets, sample: Sample) {
    let text = |fact: &Option<String>| fact.clone().unwrap_or_default();
    let mut lines = vec![
        String::new(),
        "Gatehouse is running.".to_owned(),
        String::new(),
        format!("  Console         {}", text(&facts.console_url)),
        format!("  API             {}", text(&facts.geo_api_url)),
        format!("  Global API      {}", text(&facts.global_api_url)),
        format!("  Proxy           {}", text(&facts.proxy_http_url)),
        format!("                  {}", text(&facts.proxy_https_url)),
        format!(
            "  Control plane   {} ({})",
            super::prepare::CONTROL_PLANE,
            text(&facts.control_plane_id)
        ),
        format!("  Authority       {}", text(&facts.ca_cert_path)),
        format!("  Node's log      {}", layout.node_log().display()),
        format!("  All of this     {}", layout.facts().display()),
    ];
    if secrets == Secrets::Shown {
        lines.extend([
            String::new(),
            "Shown once; they are kept in the file above, which only you can read:".to_owned(),
            String::new(),
        ]);
        let secrets = [
            ("Administrator", &facts.admin_email),
            ("Password", &facts.admin_password),
            ("Access token", &facts.token),
        ];
        for (name, secret) in secrets {
            lines.extend(secret.iter().map(|secret| format!("  {name:<15} {secret}")));
        }
    }
    let proxy = text(&facts.proxy_http_url);
    let path = if sample != Sample::Absent {
        "/echo/hello"
    } else {
        "/"
    };
    let api = text(&facts.geo_api_url);
    let (ca_cert, host) = (
        text(&facts.ca_cert_path),
        api.trim_start_matches("https://"),
    );
    let (host, port) = host.split_once(':').unwrap_or((host, "443"));
    lines.extend([
        String::new(),
        "Try it:".to_owned(),
        String::new(),
        format!("  curl {proxy}{path}"),
        format!(
            "  TOKEN=$(sed -n 's/.*\"token\": *\"\\([^\"]*\\)\".*/\\1/p' '{}')",
            layout.facts().display()
        ),
        format!(
            "  curl --cacert {ca_cert} --resolve {host}:{port}:127.0.0.1 \\\n    -H \"Authorization: \
             Bearer $TOKEN\" {api}/v2/control-planes"
        ),
        String::new(),
        "Ctrl-C ends platform and node.".to_owned(),
    ]);
    output::print(&lines.join("\n"));
}

//! The node's kong.conf.

use super::facts::Facts;
use super::layout::Layout;
use crate::cli::Quickstart;
use crate::failure::Failure;
use crate::files;

/// The text of the file. It changes only when something changes for the node.
pub(super) fn render(
    arguments: &Quickstart,
    layout: &Layout,
    facts: &Facts,
) -> Result<String, Failure> {
    let mut text = String::from(
        "# Made by gatehouse quickstart at every start; edits are lost. Settings can be added\n\
         # with KONG_* variables.\n",
    );
    // A node that runs with another certificate is replaced, because its file differs.
    let pem = files::read_bytes(&layout.node_cert())?;
    let pin = pki::PeerCertificate::from_pem(&pem)?.sha256_hex();
    text.push_str(&format!("# certificate {pin}\n"));
    for (name, value) in settings(arguments, layout, facts)? {
        text.push_str(&format!("{name} = {}\n", value.replace('#', "\\#")));
    }
    Ok(text)
}

fn settings(
    arguments: &Quickstart,
    layout: &Layout,
    facts: &Facts,
) -> Result<Vec<(&'static str, String)>, Failure> {
    let (control_plane, control_name) = endpoint(facts.control_plane_endpoint.as_deref())?;
    let (telemetry, telemetry_name) = endpoint(facts.telemetry_endpoint.as_deref())?;
    let (plain, tls) = (arguments.proxy_port, arguments.proxy_tls_port);
    let path = |path: std::path::PathBuf| path.display().to_string();
    let level = arguments.log_level.0.as_str().to_owned();
    Ok(vec![
        ("role", "data_plane".to_owned()),
        ("database", "off".to_owned()),
        ("konnect_mode", "on".to_owned()),
        ("prefix", path(layout.node_prefix())),
        ("log_level", level),
        (
            "proxy_listen",
            format!(
                "0.0.0.0:{plain} reuseport backlog=16384, \
                 0.0.0.0:{tls} http2 ssl reuseport backlog=16384"
            ),
        ),
        ("admin_listen", "off".to_owned()),
        (
            "status_listen",
            format!("127.0.0.1:{}", arguments.status_port),
        ),
        ("proxy_access_log", "off".to_owned()),
        ("cluster_mtls", "pki".to_owned()),
        ("cluster_control_plane", control_plane),
        ("cluster_server_name", control_name),
        ("cluster_telemetry_endpoint", telemetry),
        ("cluster_telemetry_server_name", telemetry_name),
        ("cluster_cert", path(layout.node_cert())),
        ("cluster_cert_key", path(layout.node_key())),
        ("cluster_dp_labels", "created-by:quickstart".to_owned()),
        (
            "lua_ssl_trusted_certificate",
            format!("system, {}", path(layout.ca_cert())),
        ),
    ])
}

/// `host:port` and `host` of an endpoint's URL.
fn endpoint(url: Option<&str>) -> Result<(String, String), Failure> {
    let parsed = conf::Endpoint::parse(url.unwrap_or_default(), 443);
    let parsed =
        parsed.map_err(|error| Failure::new(format!("an endpoint is damaged: {error}")))?;
    Ok((parsed.authority(), parsed.host))
}

/// The variables that the file decides, which the node must not take from the environment.
pub(super) fn variables(text: &str) -> impl Iterator<Item = String> + '_ {
    let names = text.lines().filter(|line| !line.starts_with('#'));
    names
        .filter_map(|line| line.split_once(" = "))
        .map(|(name, _)| format!("KONG_{}", name.to_uppercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_of_all_settings_are_kept_from_the_node() {
        let text = "# a comment = with sign\nrole = data_plane\nproxy_listen = a = b\n";
        let names: Vec<String> = variables(text).collect();
        assert_eq!(names, ["KONG_ROLE", "KONG_PROXY_LISTEN"]);
    }

    #[test]
    fn endpoints_are_split_into_address_and_name() {
        let url = Some("https://ab.us.cp0.konghq.localhost:9443");
        let (authority, name) = endpoint(url).unwrap();
        assert_eq!(authority, "ab.us.cp0.konghq.localhost:9443");
        assert_eq!(name, "ab.us.cp0.konghq.localhost");
        assert!(endpoint(None).is_err());
    }
}

//! What a node says about itself in its first frame.

use conf::Settings;
use serde_json::{Map, Value};
use wire::v1::{BasicInfo, PluginVersion};

/// Properties whose value never leaves the node.
///
/// Compat: the reference's list; `Settings::shown` hides secrets already.
const SENSITIVE: &[&str] = &[
    "admin_gui_ssl_cert_key",
    "admin_ssl_cert_key",
    "client_ssl_cert_key",
    "cluster_cert_key",
    "declarative_config_string",
    "pg_password",
    "pg_ro_password",
    "proxy_server",
    "ssl_cert_key",
    "status_ssl_cert_key",
];

const HIDDEN: &str = "******";

/// Makes the first frame of a node with these settings and plugins (name and version).
#[must_use]
pub fn basic_info(settings: &Settings, plugins: &[(String, Option<String>)]) -> BasicInfo {
    let mut plugins: Vec<PluginVersion> = plugins
        .iter()
        .map(|(name, version)| PluginVersion {
            name: name.clone(),
            version: version.clone(),
        })
        .collect();
    plugins.sort_by_key(|plugin| plugin.name.to_lowercase());
    let process_conf: Map<String, Value> = settings
        .shown()
        .iter()
        .map(|(name, value)| {
            let is_secret = SENSITIVE.contains(&name.as_str()) && !value.is_empty();
            let value = if is_secret { HIDDEN } else { value };
            (name.clone(), Value::from(value))
        })
        .collect();
    let mut process_conf = process_conf;
    let version = Value::from(env!("CARGO_PKG_VERSION"));
    process_conf.insert(wire::v1::PRODUCT.to_owned(), version);
    BasicInfo {
        plugins,
        process_conf,
        labels: settings.cluster_dp_labels.iter().cloned().collect(),
        filters: Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plugins_are_sorted_without_regard_to_case() {
        let plugins = ["b", "C", "a"].map(|name| (name.to_owned(), None));
        let info = basic_info(&Settings::builtin(), &plugins);
        let names: Vec<_> = info.plugins.iter().map(|p| p.name.as_str()).collect();
        assert_eq!(names, ["a", "b", "C"]);
    }

    #[test]
    fn secrets_do_not_leave_the_node() {
        let issued = pki::gen_cluster_certificate(1, pki::CertificateVersion::V1).unwrap();
        let environment = [
            ("KONG_ROLE", "data_plane"),
            ("KONG_DATABASE", "off"),
            ("KONG_PROXY_SERVER", "http://user:geheim@proxy.test:3128"),
            ("KONG_CLUSTER_CERT_KEY", issued.key_pem.as_str()),
            ("KONG_CLUSTER_CERT", issued.cert_pem.as_str()),
        ];
        let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let options = conf::LoadOptions {
            environment: environment.to_vec(),
            ..conf::LoadOptions::default()
        };
        let settings = match Settings::load(&options) {
            Ok((settings, _)) => settings,
            Err(errors) => panic!("{errors:?}"),
        };
        let info = basic_info(&settings, &[]);
        let text = serde_json::to_string(&info).unwrap();
        assert!(
            !text.contains("geheim") && !text.contains("PRIVATE KEY"),
            "{text}"
        );
        assert_eq!(info.process_conf["proxy_server"], HIDDEN);
        assert_eq!(info.process_conf["role"], "data_plane");
    }
}

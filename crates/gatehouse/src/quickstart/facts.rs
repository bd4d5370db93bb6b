//! `quickstart.json`: everything that a program needs to use the installation.

use serde::{Deserialize, Serialize};

use super::layout::Layout;
use crate::failure::Failure;
use crate::files;

/// The facts. A member is null until the first start got that far.
#[derive(Clone, Default, Deserialize, PartialEq, Serialize)]
#[serde(default)]
pub(super) struct Facts {
    pub(super) base_domain: Option<String>,
    pub(super) ca_cert_path: Option<String>,
    pub(super) console_url: Option<String>,
    pub(super) global_api_url: Option<String>,
    pub(super) geo_api_url: Option<String>,
    pub(super) control_plane_id: Option<String>,
    pub(super) control_plane_endpoint: Option<String>,
    pub(super) telemetry_endpoint: Option<String>,
    pub(super) node_cert_path: Option<String>,
    pub(super) node_key_path: Option<String>,
    pub(super) token: Option<String>,
    pub(super) admin_email: Option<String>,
    pub(super) admin_password: Option<String>,
    pub(super) proxy_http_url: Option<String>,
    pub(super) proxy_https_url: Option<String>,
    /// Null until something listens there.
    pub(super) audit_port: Option<u16>,
}

impl Facts {
    /// What an earlier start wrote, or nothing.
    pub(super) fn load(layout: &Layout) -> Result<Self, Failure> {
        let value = crate::client::facts(layout.root())?;
        if value.is_null() {
            return Ok(Self::default());
        }
        serde_json::from_value(value).map_err(|error| {
            let path = layout.facts();
            Failure::new(format!("`{}` is damaged: {error}", path.display()))
        })
    }

    /// Writes them, for the owner only, in one step.
    pub(super) fn save(&self, layout: &Layout) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(self)?;
        files::replace(&layout.facts(), files::PRIVATE, &format!("{text}\n"))
    }

    /// The port in the console's URL.
    pub(super) fn platform_port(&self) -> Option<u16> {
        let rest = self.console_url.as_deref()?.strip_prefix("https://")?;
        rest.split_once(':')
            .map_or(Some(443), |(_, port)| port.parse().ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(url: &str) -> Option<u16> {
        let console_url = Some(url.to_owned());
        let facts = Facts {
            console_url,
            ..Facts::default()
        };
        facts.platform_port()
    }

    #[test]
    fn the_port_of_an_earlier_start_is_read_from_its_url() {
        assert_eq!(port("https://cloud.konghq.localhost:9443"), Some(9443));
        assert_eq!(port("https://cloud.konghq.localhost"), Some(443));
        assert_eq!(port("nonsense"), None);
        assert_eq!(Facts::default().platform_port(), None);
    }

    #[test]
    fn the_file_holds_exactly_the_promised_keys() {
        let value = serde_json::to_value(Facts::default()).unwrap();
        let keys: Vec<&String> = value.as_object().unwrap().keys().collect();
        assert_eq!(keys.len(), 16);
        assert!(value["audit_port"].is_null());
    }
}

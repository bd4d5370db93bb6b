//! The names under which the control planes of one geo are reached.

/// One geo: a region with its own data, and where its hosts live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Geo {
    /// The geo's label, such as `us`.
    pub name: String,
    /// The installation's base domain, such as `konghq.localhost`.
    pub base_domain: String,
    /// The port of the one TLS port as clients see it; it is part of a URL unless it is 443.
    pub port: u16,
}

impl Geo {
    /// The URL at which nodes of the control plane with this prefix fetch configuration.
    #[must_use]
    pub fn control_plane_endpoint(&self, prefix: &str) -> String {
        self.url(prefix, "cp0")
    }

    /// The URL to which nodes of the control plane with this prefix report.
    #[must_use]
    pub fn telemetry_endpoint(&self, prefix: &str) -> String {
        self.url(prefix, "tp0")
    }

    fn url(&self, prefix: &str, channel: &str) -> String {
        let Self {
            name,
            base_domain,
            port,
        } = self;
        let port = match port {
            443 => String::new(),
            other => format!(":{other}"),
        };
        format!("https://{prefix}.{name}.{channel}.{base_domain}{port}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_carry_the_port_only_where_it_is_not_443() {
        let mut geo = Geo {
            name: "us".to_owned(),
            base_domain: "konghq.localhost".to_owned(),
            port: 443,
        };
        assert_eq!(
            geo.control_plane_endpoint("0c9f4e21aa"),
            "https://0c9f4e21aa.us.cp0.konghq.localhost"
        );
        geo.port = 8443;
        assert_eq!(
            geo.telemetry_endpoint("0c9f4e21aa"),
            "https://0c9f4e21aa.us.tp0.konghq.localhost:8443"
        );
    }
}

//! Which service a host name belongs to. Pure: names in, classes out.
//!
//! Nothing here knows which prefixes or portals exist, so no answer built on it can tell.

mod name;

pub use name::host_of;

use std::net::IpAddr;

/// What a host name stands for. A prefix or portal id is only read here, never looked up.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// `cloud.D`: people.
    Cloud,
    /// `global.api.D`: what all geos share.
    GlobalApi,
    /// `GEO.api.D`: what belongs to one geo.
    GeoApi {
        /// The geo.
        geo: String,
    },
    /// `PREFIX.GEO.cp0.D`, `PREFIX.GEO.cp.D`: configuration of nodes.
    Configuration {
        /// The control plane's prefix.
        prefix: String,
        /// The geo.
        geo: String,
    },
    /// `PREFIX.GEO.tp0.D`, `PREFIX.GEO.tp.D`: telemetry of nodes.
    Telemetry {
        /// The control plane's prefix.
        prefix: String,
        /// The geo.
        geo: String,
    },
    /// `GEO.svc.D`: the node's hosts in their private-link form, the prefix in the path.
    PrivateLink {
        /// The geo.
        geo: String,
    },
    /// `GEO.kic.api.D`: ingress controllers.
    IngressController {
        /// The geo.
        geo: String,
    },
    /// `PORTAL.GEO.portal.D` and the newer generation's domain: developer portals.
    Portal {
        /// The geo.
        geo: String,
    },
    /// `GEO.mesh.sync.D`: mesh zones; the geo may be `global`.
    MeshSync {
        /// The geo, or `global`.
        geo: String,
    },
    /// `ip-addresses.origin.D`: the allow-list feed.
    IpAddresses,
    /// An IP address or `localhost`: the default geo's API, the global one, and the page for people.
    Local,
}

impl Class {
    /// Whether callers prove themselves by certificate under this name, so that the handshake
    /// must ask for one. Local names are among them because private-link paths work there.
    #[must_use]
    pub const fn wants_client_certificate(&self) -> bool {
        self.is_for_nodes() || matches!(self, Self::IngressController { .. } | Self::Local)
    }

    /// Whether only WebSockets of nodes are served, so that HTTP/2 must not be agreed on.
    #[must_use]
    pub const fn is_for_nodes(&self) -> bool {
        matches!(
            self,
            Self::Configuration { .. } | Self::Telemetry { .. } | Self::PrivateLink { .. }
        )
    }
}

/// The names of one installation.
#[derive(Clone, Debug)]
pub struct Hosts {
    base: String,
    portal_base: String,
    geos: Vec<String>,
}

impl Hosts {
    /// The names below `base_domain` for these geos, the default one first.
    #[must_use]
    pub fn new(base_domain: &str, geos: &[String]) -> Self {
        let base = base_domain.to_ascii_lowercase();
        // The newer portals live beside the base domain: `kongportals.com` beside `konghq.com`.
        let portal_base = match base.split_once('.') {
            Some((_, rest)) => format!("kongportals.{rest}"),
            None => "kongportals".to_owned(),
        };
        Self {
            base,
            portal_base,
            geos: geos.to_vec(),
        }
    }

    /// The base domain.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The geos, the default one first.
    #[must_use]
    pub fn geos(&self) -> &[String] {
        &self.geos
    }

    /// What a host name without a port stands for; `None` for a name of no class, a geo that is
    /// not served included.
    #[must_use]
    pub fn classify(&self, host: &str) -> Option<Class> {
        let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        if host == "localhost" || host.parse::<IpAddr>().is_ok() {
            return Some(Class::Local);
        }
        if let Some(rest) = below(&host, &self.portal_base) {
            return self.portal(&rest);
        }
        let labels: Vec<&str> = below(&host, &self.base)?;
        match labels.as_slice() {
            ["cloud"] => Some(Class::Cloud),
            ["ip-addresses", "origin"] => Some(Class::IpAddresses),
            ["global", "api"] => Some(Class::GlobalApi),
            [geo, "api"] => Some(Class::GeoApi {
                geo: self.geo(geo)?,
            }),
            [geo, "kic", "api"] => Some(Class::IngressController {
                geo: self.geo(geo)?,
            }),
            [geo, "svc"] => Some(Class::PrivateLink {
                geo: self.geo(geo)?,
            }),
            ["global", "mesh", "sync"] => Some(Class::MeshSync {
                geo: "global".to_owned(),
            }),
            [geo, "mesh", "sync"] => Some(Class::MeshSync {
                geo: self.geo(geo)?,
            }),
            [prefix, geo, "cp0" | "cp"] => Some(Class::Configuration {
                geo: self.geo(geo)?,
                prefix: (*prefix).to_owned(),
            }),
            [prefix, geo, "tp0" | "tp"] => Some(Class::Telemetry {
                geo: self.geo(geo)?,
                prefix: (*prefix).to_owned(),
            }),
            [portal, geo, "portal"] => self.portal(&[portal, geo]),
            _ => None,
        }
    }

    /// The names that the certificate for `host` carries: the name itself, or the wildcard over
    /// prefixes and portals, so that a certificate says nothing about which of them exist and
    /// their number is bounded. `None` for a name of no class; empty for a local name, whose
    /// certificate depends on the address connected to.
    #[must_use]
    pub fn certificate_names(&self, host: &str) -> Option<Vec<String>> {
        let class = self.classify(host)?;
        let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        match class {
            Class::Local => Some(Vec::new()),
            Class::Configuration { .. } | Class::Telemetry { .. } | Class::Portal { .. } => {
                let (_, parent) = host.split_once('.')?;
                Some(vec![format!("*.{parent}")])
            }
            _ => Some(vec![host]),
        }
    }

    /// The patterns of all names that mean something here, for people. Never a prefix or portal.
    #[must_use]
    pub fn patterns(&self) -> Vec<String> {
        let (base, portals) = (&self.base, &self.portal_base);
        let geos = self.geos.join("|");
        let geo = if self.geos.len() == 1 {
            geos
        } else {
            format!("{{{geos}}}")
        };
        [
            format!("cloud.{base}"),
            format!("global.api.{base}"),
            format!("{geo}.api.{base}"),
            format!("{geo}.kic.api.{base}"),
            format!("{{prefix}}.{geo}.cp0.{base}"),
            format!("{{prefix}}.{geo}.cp.{base}"),
            format!("{{prefix}}.{geo}.tp0.{base}"),
            format!("{{prefix}}.{geo}.tp.{base}"),
            format!("{geo}.svc.{base}/cp/{{prefix}}"),
            format!("{geo}.svc.{base}/tp/{{prefix}}"),
            format!("{{portal}}.{geo}.portal.{base}"),
            format!("{{portal}}.{geo}.{portals}"),
            format!("{{global or geo}}.mesh.sync.{base}"),
            format!("ip-addresses.origin.{base}"),
            "localhost, or an IP address".to_owned(),
        ]
        .into()
    }

    fn geo(&self, label: &str) -> Option<String> {
        self.geos.iter().find(|geo| *geo == label).cloned()
    }

    fn portal(&self, labels: &[&str]) -> Option<Class> {
        match labels {
            [portal, geo] if !portal.is_empty() => Some(Class::Portal {
                geo: self.geo(geo)?,
            }),
            _ => None,
        }
    }
}

/// The labels of `host` in front of `base`; `None` when it does not lie below it.
fn below<'h>(host: &'h str, base: &str) -> Option<Vec<&'h str>> {
    let labels: Vec<_> = host
        .strip_suffix(base)?
        .strip_suffix('.')?
        .split('.')
        .collect();
    let is_name = labels.iter().all(|label| name::is_label(label));
    is_name.then_some(labels)
}

#[cfg(test)]
mod tests;

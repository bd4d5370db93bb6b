//! Values out of a fixed set.

/// A value out of a fixed set; the first name of a variant is how it is written.
pub(crate) trait Choice: Copy + Default + 'static {
    /// All spellings.
    const NAMES: &'static [(&'static str, Self)];

    fn parse(text: &str) -> Option<Self> {
        Self::NAMES
            .iter()
            .find(|(name, _)| *name == text)
            .map(|(_, value)| *value)
    }
}

macro_rules! choice {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub enum $name { $($(#[$variant_doc])* $variant,)+ }

        impl Choice for $name {
            const NAMES: &'static [(&'static str, Self)] = &[$(($text, Self::$variant),)+];
        }

        impl $name {
            /// How it is written in `kong.conf`.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }
    };
}

choice! {
    /// What a node is in a cluster.
    Role {
        /// On its own: configuration from a file or the Admin API.
        #[default]
        Traditional = "traditional",
        /// Owns the configuration and pushes it.
        ControlPlane = "control_plane",
        /// Carries traffic, configured by a control plane.
        DataPlane = "data_plane",
    }
}

choice! {
    /// Where a node keeps its entities.
    Database {
        /// In a file below `prefix`.
        #[default]
        Sqlite = "sqlite",
        /// In PostgreSQL, which several nodes may share.
        Postgres = "postgres",
        /// In memory, from a document or a control plane.
        Off = "off",
    }
}

choice! {
    /// How nodes and control planes prove themselves to each other.
    ClusterMtls {
        /// Both ends hold the same certificate.
        #[default]
        Shared = "shared",
        /// Certificates of an authority (also when the control plane pins them).
        Pki = "pki",
        /// Like `pki`, and the control plane compares common names.
        PkiCheckCn = "pki_check_cn",
    }
}

choice! {
    /// Whether a control plane asks if certificates were revoked.
    Ocsp {
        /// Never.
        #[default]
        Off = "off",
        /// Always; no answer refuses.
        On = "on",
        /// Always; no answer accepts.
        Optional = "optional",
    }
}

choice! {
    /// How verbose the log is.
    LogLevel {
        /// Everything.
        Debug = "debug",
        /// What happens.
        Info = "info",
        /// What is worth knowing.
        #[default]
        Notice = "notice",
        /// What may need attention.
        Warn = "warn",
        /// What failed.
        Error = "error",
        /// As `error`.
        Crit = "crit",
        /// As `error`.
        Alert = "alert",
        /// As `error`.
        Emerg = "emerg",
    }
}

choice! {
    /// How routes are matched.
    RouterFlavor {
        /// The rules of version 2.
        Traditional = "traditional",
        /// The rules of version 2, on the engine of version 3.
        #[default]
        TraditionalCompatible = "traditional_compatible",
        /// Routes may be expressions.
        Expressions = "expressions",
    }
}

choice! {
    /// The body type of errors when a client states no preference.
    ErrorType {
        /// `text/plain`.
        #[default]
        Plain = "text/plain",
        /// `text/html`.
        Html = "text/html",
        /// `application/json`.
        Json = "application/json",
        /// `application/xml`.
        Xml = "application/xml",
    }
}

choice! {
    /// A preset of TLS versions and cipher suites.
    CipherSuite {
        /// TLS 1.3 only.
        Modern = "modern",
        /// TLS 1.2 and 1.3.
        #[default]
        Intermediate = "intermediate",
        /// As `intermediate`: older versions are not offered.
        Old = "old",
        /// Suites that FIPS 140 allows.
        Fips = "fips",
        /// The list of `ssl_ciphers`.
        Custom = "custom",
    }
}

choice! {
    /// How a forward proxy is reached.
    ProxyScheme {
        /// Plain TCP.
        #[default]
        Http = "http",
        /// TLS.
        Https = "https",
    }
}

choice! {
    /// A kind of DNS record that is asked for.
    DnsFamily {
        /// IPv4 addresses.
        #[default]
        A = "A",
        /// IPv6 addresses.
        Aaaa = "AAAA",
        /// Services with ports and weights.
        Srv = "SRV",
        /// Aliases.
        Cname = "CNAME",
        /// The kind that answered last time.
        Last = "LAST",
    }
}

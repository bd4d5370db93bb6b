//! Small values that need no file of their own.

/// The source of a client's address behind trusted peers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RealIpHeader {
    /// A header, such as `X-Real-IP` or `X-Forwarded-For`.
    Header(String),
    /// The PROXY header of the connection.
    ProxyProtocol,
}

impl Default for RealIpHeader {
    fn default() -> Self {
        Self::Header("X-Real-IP".to_owned())
    }
}

impl RealIpHeader {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text == "proxy_protocol" {
            return Ok(Self::ProxyProtocol);
        }
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        if text.is_empty() || !text.bytes().all(is_token) {
            return Err(format!("`{text}` is not a header name or `proxy_protocol`"));
        }
        Ok(Self::Header(text.to_owned()))
    }
}

/// A choice of plugins or vaults by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// `bundled`: all that come with the product.
    pub is_bundled: bool,
    /// Names besides.
    pub names: Vec<String>,
}

impl Selection {
    pub(crate) fn parse(entries: &[String]) -> Self {
        if entries.iter().any(|entry| entry == "off") {
            return Self::default();
        }
        let names = entries
            .iter()
            .filter(|entry| *entry != "bundled")
            .cloned()
            .collect();
        Self {
            is_bundled: entries.iter().any(|entry| entry == "bundled"),
            names,
        }
    }

    /// Whether `name`, which comes with the product, is chosen.
    #[must_use]
    pub fn has_bundled(&self, name: &str) -> bool {
        self.is_bundled || self.names.iter().any(|chosen| chosen == name)
    }
}

/// TLS versions that may be used. Older ones than 1.2 are never offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TlsVersions {
    /// TLS 1.2.
    pub tls12: bool,
    /// TLS 1.3.
    pub tls13: bool,
}

impl Default for TlsVersions {
    fn default() -> Self {
        Self {
            tls12: true,
            tls13: true,
        }
    }
}

impl TlsVersions {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut versions = Self {
            tls12: false,
            tls13: false,
        };
        for word in text.split([' ', ',']).filter(|word| !word.is_empty()) {
            match word {
                "TLSv1.2" => versions.tls12 = true,
                "TLSv1.3" => versions.tls13 = true,
                "TLSv1" | "TLSv1.1" | "SSLv2" | "SSLv3" => {}
                _ => return Err(format!("`{word}` is not a TLS version")),
            }
        }
        if versions.tls12 || versions.tls13 {
            Ok(versions)
        } else {
            Err("it must hold TLSv1.2 or TLSv1.3; older versions are not offered".to_owned())
        }
    }
}

/// One source of trusted authorities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// `system`: the operating system's.
    System,
    /// A path, PEM text or base64 of PEM text.
    Bundle(String),
}

/// Most threads that can be asked for.
const WORKERS_MAX: usize = 1024;

/// Reads the number of data-path threads; `auto` means as many as this process may use
/// processors at once.
pub(crate) fn parse_workers(text: &str) -> Result<usize, String> {
    if text == "auto" {
        return Ok(std::thread::available_parallelism().map_or(1, std::num::NonZero::get));
    }
    match text.parse() {
        Ok(count) if (1..=WORKERS_MAX).contains(&count) => Ok(count),
        _ => Err(format!(
            "`{text}` is neither `auto` nor between 1 and {WORKERS_MAX}"
        )),
    }
}

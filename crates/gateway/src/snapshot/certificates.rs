//! Which certificate a TLS client is shown.
//!
//! Compat: exact name, then `*.parent`, then `name.*`, then the name `*`, then the node's own.
//! A wildcard stands for exactly one label.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use pki::CertifiedPair;
use rustls::SignatureScheme;
use rustls::sign::CertifiedKey;

/// Certificates by server name.
#[derive(Clone, Default)]
pub struct Certificates {
    exact: HashMap<String, Arc<CertifiedPair>>,
    /// `*.example.test` under `example.test`.
    below: HashMap<String, Arc<CertifiedPair>>,
    /// `example.*` under `example`.
    before: HashMap<String, Arc<CertifiedPair>>,
    any: Option<Arc<CertifiedPair>>,
    default: Option<Arc<CertifiedPair>>,
}

impl Certificates {
    /// Only the node's own certificate.
    #[must_use]
    pub fn new(default: Option<Arc<CertifiedPair>>) -> Self {
        Self {
            default,
            ..Self::default()
        }
    }

    /// Shows a certificate to clients that ask for this name, which may be a wildcard.
    pub fn insert(&mut self, name: &str, pair: Arc<CertifiedPair>) {
        let name = name.to_ascii_lowercase();
        if name == "*" {
            self.any = Some(pair);
        } else if let Some(parent) = name.strip_prefix("*.") {
            self.below.insert(parent.to_owned(), pair);
        } else if let Some(name) = name.strip_suffix(".*") {
            self.before.insert(name.to_owned(), pair);
        } else {
            self.exact.insert(name, pair);
        }
    }

    /// The certificate for a client that asks for `server_name` and can verify these signatures;
    /// `None` only if the node has none of its own.
    #[must_use]
    pub fn choose(
        &self,
        server_name: Option<&str>,
        offered: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        let pair = server_name
            .and_then(|name| self.named(name))
            .or(self.default.as_ref())?;
        Some(Arc::clone(pair.choose(offered)))
    }

    /// Whether there is a certificate for this name besides the node's own.
    #[must_use]
    pub fn knows(&self, server_name: Option<&str>) -> bool {
        server_name.is_some_and(|name| self.named(name).is_some())
    }

    fn named(&self, name: &str) -> Option<&Arc<CertifiedPair>> {
        let lower;
        let name = if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            lower = name.to_ascii_lowercase();
            &lower
        } else {
            name
        };
        let below = || self.below.get(name.split_once('.')?.1);
        let before = || self.before.get(name.rsplit_once('.')?.0);
        self.exact
            .get(name)
            .or_else(below)
            .or_else(before)
            .or(self.any.as_ref())
    }

    /// Number of names.
    #[must_use]
    pub fn len(&self) -> usize {
        let any = usize::from(self.any.is_some());
        self.exact.len() + self.below.len() + self.before.len() + any
    }

    /// Whether there is no name.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl fmt::Debug for Certificates {
    /// Prints the number of names only: certificates come with their keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificates")
            .field("names", &self.len())
            .finish_non_exhaustive()
    }
}

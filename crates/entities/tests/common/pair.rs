//! A pair of keys of the curve P-256, made for these tests.

/// The public key.
pub(crate) const PUBLIC_KEY: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAExH2F4F2CsXltZe5hZj2x4Qljoyzw
EZWWG/2ZIYk+kYXmVViqZCtcaWQeQO+WQtZRt+eDa7XB1FFDQ/TqxbLBtA==
-----END PUBLIC KEY-----
";

/// The private key.
pub(crate) const PRIVATE_KEY: &str = "-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg2UfFDmtrR+pnFk90
6XF0lrg0N1K1B6IFNgQt6kFwzOChRANCAATEfYXgXYKxeW1l7mFmPbHhCWOjLPAR
lZYb/ZkhiT6RheZVWKpkK1xpZB5A75ZC1lG354NrtcHUUUND9OrFssG0
-----END PRIVATE KEY-----
";

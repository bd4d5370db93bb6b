//! Calling the services of AWS: credentials and signatures.
//!
//! Credentials come from a configuration, from the metadata of the machine, or from a role that is
//! taken on with either. The environment is not read: `{vault://env/…}` in a configuration is.

mod credentials;
mod sign;
#[cfg(test)]
mod tests;

pub(crate) use credentials::{Credentials, Metadata, Provider, Role, Source};
pub(crate) use sign::{Signed, sign};

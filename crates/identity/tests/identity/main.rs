//! Identities on a real store.

#[cfg(test)]
mod common;
#[cfg(test)]
mod passwords;
#[cfg(test)]
mod people;
#[cfg(test)]
mod permissions;
#[cfg(test)]
mod tokens;

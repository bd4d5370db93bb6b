//! Names that live as long as the program, as descriptions hold them.
//!
//! Descriptions are made for constants of the program. Names out of a caller's text are kept once
//! each, up to a bound; the bound is far above what anybody describes, and reached only by somebody
//! who tries to.

use std::collections::HashSet;
use std::sync::LazyLock;

use parking_lot::Mutex;

use super::fault::SchemaFault;

/// Bytes of all names together.
const MAX_BYTES: usize = 8 << 20;

#[derive(Default)]
struct Kept {
    names: HashSet<&'static str>,
    bytes: usize,
}

static KEPT: LazyLock<Mutex<Kept>> = LazyLock::new(Mutex::default);

/// The same text, kept.
///
/// # Errors
///
/// When more was kept than anybody needs.
pub fn keep(text: &str) -> Result<&'static str, SchemaFault> {
    let mut kept = KEPT.lock();
    if let Some(known) = kept.names.get(text) {
        return Ok(known);
    }
    if kept.bytes + text.len() > MAX_BYTES {
        let reason = "too many different names were described on this server; restart it";
        return Err(SchemaFault::whole(reason));
    }
    kept.bytes += text.len();
    let name: &'static str = Box::leak(text.to_owned().into_boxed_str());
    kept.names.insert(name);
    Ok(name)
}

//! Plugins that callers brought along: their descriptions, read from Lua text.
//!
//! Nothing here runs Lua. A description is nearly always a constant table, so a reader for
//! constants is enough; what would need running (a description put together by code) is refused
//! with the line. Functions are passed over: what they check, the nodes that have the plugin's
//! code check.

mod beside;
mod describe;
mod fault;
mod lexer;
mod names;
mod parser;
mod pattern;
mod rules;
mod typedefs;
mod value;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use entities::{Catalogue, PluginCatalogue, Scope};
use schema::Schema;

pub(crate) use beside::{UPLOADED, beside, uploaded_fault};
pub use fault::SchemaFault;

/// Bytes of a description.
pub const MAX_TEXT: usize = 256 * 1024;

/// The description of a plugin that a caller brought along.
#[derive(Clone, Debug)]
pub struct CustomPlugin {
    name: &'static str,
    config: Schema,
    protocols: Option<Vec<&'static str>>,
    forbidden: Vec<Scope>,
    /// Plural name of the kind whose row holds the description; empty when no row does.
    origin: &'static str,
}

impl CustomPlugin {
    /// Reads a description.
    ///
    /// # Errors
    ///
    /// Where and why the text is not one, or is none that can be read without running it.
    pub fn read(text: &str) -> Result<Self, SchemaFault> {
        if text.len() > MAX_TEXT {
            let reason = format!("a description has at most {MAX_TEXT} bytes");
            return Err(SchemaFault::new(0, reason));
        }
        let value = parser::run(text)?;
        describe::plugin(&value)
    }

    /// The plugin's name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The same plugin, described by a row of this kind.
    pub(crate) const fn of(mut self, kind: &'static str) -> Self {
        self.origin = kind;
        self
    }

    /// Plural name of the kind whose row holds the description; empty when no row does.
    pub(crate) const fn origin(&self) -> &'static str {
        self.origin
    }

    /// A catalogue whose only plugin is this one.
    #[must_use]
    pub fn catalogue(self) -> Catalogue {
        Catalogue::new(Arc::new(self))
    }
}

impl PluginCatalogue for CustomPlugin {
    fn schema(&self, name: &str) -> Option<&Schema> {
        (name == self.name).then_some(&self.config)
    }

    fn names(&self) -> Vec<&str> {
        vec![self.name]
    }

    fn allows_scope(&self, _name: &str, scope: Scope) -> bool {
        !self.forbidden.contains(&scope)
    }

    fn protocols(&self, _name: &str) -> Option<&[&'static str]> {
        self.protocols.as_deref()
    }

    fn default_protocols(&self, _name: &str) -> &[&'static str] {
        self.protocols
            .as_deref()
            .unwrap_or(&["grpc", "grpcs", "http", "https"])
    }
}

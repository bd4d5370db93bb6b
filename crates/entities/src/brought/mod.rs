//! Plugins that were brought along: their descriptions, read from Lua text. A control plane reads
//! those that its callers give, a node those that lie in its folders.
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

use crate::{Catalogue, PluginCatalogue, Scope};
use schema::Schema;

pub use beside::{UPLOADED, beside, uploaded_fault};
pub use fault::SchemaFault;
pub use names::keep;
pub use value::{Lua, Table};

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
    version: Option<&'static str>,
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

    /// Takes a description that was run somewhere else.
    ///
    /// # Errors
    ///
    /// Why the value is no description.
    pub fn of_value(value: &Lua) -> Result<Self, SchemaFault> {
        describe::plugin(value)
    }

    /// The same plugin with the version that its code states.
    #[must_use]
    pub const fn with_version(mut self, version: &'static str) -> Self {
        self.version = Some(version);
        self
    }

    /// The description of its configuration.
    #[must_use]
    pub const fn config(&self) -> &Schema {
        &self.config
    }

    /// Scopes that it may not be configured in.
    #[must_use]
    pub fn forbidden(&self) -> &[Scope] {
        &self.forbidden
    }

    /// The same plugin, described by a row of this kind.
    #[must_use]
    pub const fn of(mut self, kind: &'static str) -> Self {
        self.origin = kind;
        self
    }

    /// Plural name of the kind whose row holds the description; empty when no row does.
    #[must_use]
    pub const fn origin(&self) -> &'static str {
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

    fn version(&self, _name: &str) -> Option<&str> {
        self.version
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

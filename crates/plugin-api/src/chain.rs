//! The plugins of one route and service, resolved when a configuration is compiled.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use uuid::Uuid;

use crate::definition::{Definition, Needs, Phases, Scopes};
use crate::handler::Handler;

/// A prepared instance.
#[derive(Clone)]
pub struct Bound {
    /// Id of the plugin entity.
    pub id: Uuid,
    /// What the entity is attached to; nothing for one of the whole node.
    pub scopes: Scopes,
    /// The prepared instance.
    pub handler: Arc<dyn Handler>,
}

impl fmt::Debug for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bound")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// Instances of one plugin that apply to single consumers. Shared by all chains whose scope
/// combination is the same, so ten thousand consumers cost one map, not one per route.
pub type ConsumerMap = HashMap<Uuid, Bound>;

/// One plugin of a chain: the instance for everybody and those for single consumers.
#[derive(Clone, Debug)]
pub struct Entry {
    definition: &'static Definition,
    /// Maps to search for the caller, most specific scope first.
    consumers: Vec<Arc<ConsumerMap>>,
    default: Option<Bound>,
    needs: Needs,
    phases: Phases,
}

impl Entry {
    /// Joins the instances of one plugin. `consumers` is searched in order; scopes that the
    /// default outranks must not be in it. Empty maps are left out.
    #[must_use]
    pub fn new(
        definition: &'static Definition,
        mut consumers: Vec<Arc<ConsumerMap>>,
        default: Option<Bound>,
    ) -> Self {
        consumers.retain(|map| !map.is_empty());
        let bounds = consumers
            .iter()
            .flat_map(|map| map.values())
            .chain(&default);
        let (needs, phases) = bounds.fold((Needs::NONE, Phases::NONE), |(needs, phases), bound| {
            let handler = &bound.handler;
            (needs | handler.needs(), phases | handler.phases())
        });
        Self {
            phases: definition.phases.common(phases),
            definition,
            consumers,
            default,
            needs,
        }
    }

    /// The plugin.
    #[must_use]
    pub const fn definition(&self) -> &'static Definition {
        self.definition
    }

    /// Phases in which an instance has something to do.
    #[must_use]
    pub const fn phases(&self) -> Phases {
        self.phases
    }

    /// Instances for single consumers, most specific scope first.
    #[must_use]
    pub fn consumers(&self) -> &[Arc<ConsumerMap>] {
        &self.consumers
    }

    /// The instance for everybody else.
    #[must_use]
    pub fn default_handler(&self) -> Option<&dyn Handler> {
        self.default.as_ref().map(|bound| bound.handler.as_ref())
    }

    /// The instance for everybody else, with its id.
    #[must_use]
    pub const fn default_bound(&self) -> Option<&Bound> {
        self.default.as_ref()
    }
}

/// All plugins of one (route, service), in execution order.
#[derive(Clone, Debug, Default)]
pub struct Chain {
    entries: Vec<Entry>,
    phases: Phases,
    needs: Needs,
}

impl Chain {
    /// Orders the entries: higher priority first, equal priorities in descending order of name.
    ///
    /// Compat: the order of the reference.
    #[must_use]
    pub fn new(mut entries: Vec<Entry>) -> Self {
        entries.retain(|entry| entry.default.is_some() || !entry.consumers.is_empty());
        entries.sort_by(|a, b| {
            let key = |entry: &Entry| (entry.definition.priority, entry.definition.name);
            key(b).cmp(&key(a))
        });
        let phases = entries
            .iter()
            .fold(Phases::NONE, |phases, entry| phases | entry.phases());
        let needs = entries
            .iter()
            .fold(Needs::NONE, |needs, entry| needs | entry.needs);
        Self {
            entries,
            phases,
            needs,
        }
    }

    /// Whether no plugin can apply: the engine then builds no exchange at all.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The plugins in execution order.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Phases in which any plugin takes part.
    #[must_use]
    pub const fn phases(&self) -> Phases {
        self.phases
    }

    /// What must be buffered for this chain.
    #[must_use]
    pub const fn needs(&self) -> Needs {
        self.needs
    }
}

//! The routes of a snapshot, and the router that finds them.
//!
//! A route keeps its number from one configuration to the next, so that a changed configuration costs the router
//! what changed. Numbers of routes that are no longer there stay empty until the router is compiled anew.

use std::collections::HashMap;
use std::ops::Index;
use std::sync::Arc;

use router::{CompileError, Flavor, RouteChange, RouteInput, Router};
use uuid::Uuid;

use super::types::RouteEntry;

/// Routes by the number that the router gives them.
#[derive(Debug, Clone, Default)]
pub struct Routes {
    entries: Vec<Option<Arc<RouteEntry>>>,
    count: usize,
}

impl Routes {
    /// The route of a number.
    #[must_use]
    pub fn get(&self, number: usize) -> Option<&RouteEntry> {
        self.entries.get(number)?.as_deref()
    }

    /// One route alone, under the number 0.
    pub(super) fn only(&self, number: usize) -> Self {
        let entry = self.entries.get(number).cloned().flatten();
        Self {
            count: usize::from(entry.is_some()),
            entries: vec![entry],
        }
    }

    /// How many routes there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// All routes.
    pub fn iter(&self) -> impl Iterator<Item = &RouteEntry> {
        self.entries.iter().filter_map(Option::as_deref)
    }
}

impl From<Vec<RouteEntry>> for Routes {
    fn from(entries: Vec<RouteEntry>) -> Self {
        Self {
            count: entries.len(),
            entries: entries.into_iter().map(Arc::new).map(Some).collect(),
        }
    }
}

impl Index<usize> for Routes {
    type Output = RouteEntry;

    /// # Panics
    ///
    /// When no route has the number.
    fn index(&self, number: usize) -> &RouteEntry {
        self.get(number).expect("a route of this number")
    }
}

/// What was compiled last.
#[derive(Debug)]
pub(super) struct Memory {
    router: Router,
    routes: Routes,
    numbers: HashMap<Uuid, usize>,
}

/// Finds a number for each route and brings the router up to date, or compiles it anew.
///
/// # Errors
///
/// All problems of all routes that were looked at; what was compiled last stays.
pub(super) fn compile(
    memory: &mut Option<Memory>,
    entries: Vec<RouteEntry>,
    flavor: Flavor,
) -> Result<(Router, Routes), Vec<CompileError>> {
    let entries: Vec<_> = entries.into_iter().map(Arc::new).collect();
    let updated = match memory {
        Some(memory) => memory.updated(&entries)?,
        None => None,
    };
    let next = match updated {
        Some(next) => next,
        None => Memory::anew(memory.as_ref(), entries, flavor)?,
    };
    let compiled = (next.router.clone(), next.routes.clone());
    *memory = Some(next);
    Ok(compiled)
}

impl Memory {
    fn anew(
        last: Option<&Self>,
        entries: Vec<Arc<RouteEntry>>,
        flavor: Flavor,
    ) -> Result<Self, Vec<CompileError>> {
        let inputs: Vec<_> = entries
            .iter()
            .map(|entry| RouteInput {
                route: &entry.route,
            })
            .collect();
        let router = match last {
            Some(last) => last.router.compile_anew(&inputs)?,
            None => Router::compile(&inputs, flavor)?,
        };
        let numbers = entries.iter().enumerate();
        Ok(Self {
            router,
            numbers: numbers.map(|(at, entry)| (entry.route.id, at)).collect(),
            routes: Routes {
                count: entries.len(),
                entries: entries.into_iter().map(Some).collect(),
            },
        })
    }

    /// The same with the routes as they are now; `None` when too much changed.
    fn updated(&self, entries: &[Arc<RouteEntry>]) -> Result<Option<Self>, Vec<CompileError>> {
        let mut numbers = self.numbers.clone();
        let mut routes = vec![None; self.routes.entries.len()];
        let mut changed = Vec::new();
        for entry in entries {
            let next = routes.len();
            let number = *numbers.entry(entry.route.id).or_insert(next);
            if number == next {
                routes.push(None);
            }
            let last = self.routes.get(number);
            if last.is_none_or(|last| last.route != entry.route) {
                changed.push(number);
            }
            routes[number] = Some(Arc::clone(entry));
        }
        for (number, now) in routes.iter().enumerate() {
            if let (None, Some(last)) = (now, self.routes.get(number)) {
                numbers.remove(&last.route.id);
                changed.push(number);
            }
        }
        let changes = changed.iter().map(|number| RouteChange {
            number: *number,
            route: routes[*number].as_ref().map(|entry| &entry.route),
        });
        let router = self.router.changed(&changes.collect::<Vec<_>>())?;
        Ok(router.map(|router| Self {
            router,
            numbers,
            routes: Routes {
                count: entries.len(),
                entries: routes,
            },
        }))
    }
}

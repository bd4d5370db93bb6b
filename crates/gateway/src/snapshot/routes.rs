//! The routes of a snapshot, and the router that finds them.
//!
//! A route keeps its number from one configuration to the next, so that a changed configuration costs the router
//! what changed. Numbers of routes that are no longer there stay empty until the router is compiled anew.

use std::collections::{BTreeMap, HashMap};
use std::ops::Index;
use std::sync::Arc;

use router::{CompileError, Flavor, RouteChange, RouteInput, Router};
use uuid::Uuid;

use super::types::RouteEntry;
use super::update::Base;

/// Routes that are kept together: what a change of one of them copies.
const CHUNK: usize = 256;

/// A route where there is one of the number.
type Slot = Option<Arc<RouteEntry>>;

/// Routes by the number that the router gives them. A copy shares all but what is changed in it.
#[derive(Debug, Clone, Default)]
pub struct Routes {
    chunks: Vec<Arc<Vec<Slot>>>,
    count: usize,
}

impl Routes {
    /// The route of a number.
    #[must_use]
    pub fn get(&self, number: usize) -> Option<&RouteEntry> {
        self.slot(number)?.as_deref()
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
        self.slots().filter_map(Option::as_deref)
    }

    /// One route alone, under the number 0.
    pub(super) fn only(&self, number: usize) -> Self {
        self.slot(number).cloned().into_iter().collect()
    }

    fn slot(&self, number: usize) -> Option<&Slot> {
        self.chunks.get(number / CHUNK)?.get(number % CHUNK)
    }

    fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.chunks.iter().flat_map(|chunk| chunk.iter())
    }

    /// The smallest number that none has had.
    fn next_number(&self) -> usize {
        let last = self.chunks.last().map_or(0, |chunk| chunk.len());
        self.chunks.len().saturating_sub(1) * CHUNK + last
    }

    /// Puts a route, or nothing, under a number that one has had, or under the next one.
    fn set(&mut self, number: usize, entry: Slot) {
        if number / CHUNK == self.chunks.len() {
            self.chunks.push(Arc::default());
        }
        let Some(chunk) = self.chunks.get_mut(number / CHUNK) else {
            return;
        };
        let chunk = Arc::make_mut(chunk);
        if number % CHUNK == chunk.len() {
            chunk.push(None);
        }
        if let Some(slot) = chunk.get_mut(number % CHUNK) {
            self.count += usize::from(entry.is_some());
            self.count -= usize::from(slot.is_some());
            *slot = entry;
        }
    }
}

impl FromIterator<Slot> for Routes {
    fn from_iter<I: IntoIterator<Item = Slot>>(slots: I) -> Self {
        let mut routes = Self::default();
        let mut slots = slots.into_iter();
        loop {
            let chunk: Vec<Slot> = slots.by_ref().take(CHUNK).collect();
            if chunk.is_empty() {
                return routes;
            }
            routes.count += chunk.iter().flatten().count();
            routes.chunks.push(Arc::new(chunk));
        }
    }
}

impl From<Vec<RouteEntry>> for Routes {
    fn from(entries: Vec<RouteEntry>) -> Self {
        entries.into_iter().map(Arc::new).map(Some).collect()
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
    /// What the routes were compiled with; `None` while that is not in use.
    pub(super) base: Option<Base>,
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
            routes: entries.into_iter().map(Some).collect(),
            base: None,
        })
    }

    /// The same with the routes as they are now; `None` when too much changed.
    fn updated(&self, entries: &[Arc<RouteEntry>]) -> Result<Option<Self>, Vec<CompileError>> {
        let mut numbers = self.numbers.clone();
        let mut routes = vec![None; self.routes.next_number()];
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
            routes: routes.into_iter().collect(),
            base: None,
        }))
    }

    /// Takes over some routes as they are now, at the cost of these, and gives router and routes.
    ///
    /// # Errors
    ///
    /// All problems of these routes; nothing has changed then.
    pub(super) fn change(
        &mut self,
        changes: BTreeMap<Uuid, Option<RouteEntry>>,
    ) -> Result<(Router, Routes), Vec<CompileError>> {
        let mut routes = self.routes.clone();
        let mut numbered = Vec::with_capacity(changes.len());
        for (id, entry) in changes {
            let known = self.numbers.get(&id).copied();
            // One that was not there and is not there: a disabled service took it.
            if known.is_none() && entry.is_none() {
                continue;
            }
            let number = known.unwrap_or_else(|| routes.next_number());
            routes.set(number, entry.map(Arc::new));
            numbered.push((id, number));
        }
        let changes = numbered.iter().map(|(_, number)| RouteChange {
            number: *number,
            route: routes.get(*number).map(|entry| &entry.route),
        });
        let Some(router) = self.router.changed(&changes.collect::<Vec<_>>())? else {
            let entries = routes.slots().flatten().cloned().collect();
            let next = Self::anew(Some(self), entries, self.router.flavor())?;
            self.numbers = next.numbers;
            (self.router, self.routes) = (next.router, next.routes);
            return Ok((self.router.clone(), self.routes.clone()));
        };
        for (id, number) in numbered {
            match routes.get(number) {
                Some(_) => self.numbers.insert(id, number),
                None => self.numbers.remove(&id),
            };
        }
        (self.router, self.routes) = (router.clone(), routes.clone());
        Ok((router, routes))
    }
}

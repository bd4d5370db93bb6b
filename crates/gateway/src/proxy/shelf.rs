//! Things that requests borrow from their core and give back.
//!
//! What was given back last is handed out first, so that it is still in the cache. It does not make
//! or clean anything.

use std::cell::{Cell, RefCell};

/// Most things kept per shelf: as many requests as a busy core has under way.
const MAX_KEPT: usize = 4096;

/// Free things of one kind.
#[derive(Debug)]
pub(crate) struct Shelf<T> {
    things: RefCell<Vec<T>>,
    /// The fewest there were since the last look.
    fewest: Cell<usize>,
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self {
            things: RefCell::default(),
            fewest: Cell::new(0),
        }
    }
}

impl<T> Shelf<T> {
    /// Takes what was given back last.
    pub(crate) fn take(&self) -> Option<T> {
        let mut things = self.things.borrow_mut();
        let thing = things.pop();
        self.fewest.set(self.fewest.get().min(things.len()));
        thing
    }

    /// Takes a thing back.
    pub(crate) fn give(&self, thing: T) {
        let mut things = self.things.borrow_mut();
        if things.len() < MAX_KEPT {
            things.push(thing);
        }
    }

    /// Frees half of what nobody needed since the last call, so that a burst of requests does not
    /// hold its memory for ever.
    pub(crate) fn trim(&self) {
        let mut things = self.things.borrow_mut();
        let unused = self.fewest.get().min(things.len());
        things.drain(..unused.div_ceil(2));
        self.fewest.set(things.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_back_last_is_handed_out_first() {
        let shelf = Shelf::default();
        shelf.give(1);
        shelf.give(2);
        assert_eq!(
            [shelf.take(), shelf.take(), shelf.take()],
            [Some(2), Some(1), None]
        );
    }

    #[test]
    fn no_more_than_the_limit_is_kept() {
        let shelf = Shelf::default();
        (0..=MAX_KEPT).for_each(|thing| shelf.give(thing));
        assert_eq!(shelf.take(), Some(MAX_KEPT - 1));
    }

    #[test]
    fn what_nobody_needs_goes_by_halves_and_what_is_needed_stays() {
        let shelf = Shelf::default();
        (0..10).for_each(|thing| shelf.give(thing));
        // The first look only notes what is there.
        shelf.trim();
        assert_eq!(shelf.things.borrow().len(), 10);
        let taken: Vec<_> = (0..6).map_while(|_| shelf.take()).collect();
        taken.into_iter().for_each(|thing| shelf.give(thing));
        shelf.trim();
        assert_eq!(shelf.things.borrow().len(), 8);
        for _ in 0..5 {
            shelf.trim();
        }
        assert_eq!(shelf.take(), None);
    }
}

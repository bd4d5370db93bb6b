//! Which of several matching routes wins: one module per flavor.

mod category;
mod priority;

pub(crate) use category::{Attributes, CategoryKey};
pub(crate) use priority::{Weights, computed_priority};

#[cfg(test)]
mod tests;

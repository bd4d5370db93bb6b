//! The order of the flavor `traditional`: categories by the set of attributes, and an order inside each.

use std::cmp::Reverse;

/// A set of match attributes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Attributes(pub(crate) u8);

impl Attributes {
    pub(crate) const HOST: u8 = 0x40;
    pub(crate) const HEADER: u8 = 0x20;
    pub(crate) const URI: u8 = 0x10;
    pub(crate) const METHOD: u8 = 0x08;
    pub(crate) const SNI: u8 = 0x04;
    pub(crate) const SOURCE: u8 = 0x02;
    pub(crate) const DESTINATION: u8 = 0x01;

    /// Adds an attribute when `is_used`.
    pub(crate) fn with(self, bit: u8, is_used: bool) -> Self {
        if is_used { Self(self.0 | bit) } else { self }
    }

    pub(crate) const fn count(self) -> u32 {
        self.0.count_ones()
    }

    /// The attribute that candidates of this category are narrowed down by.
    pub(crate) const fn strongest(self) -> u8 {
        if self.0 == 0 {
            0
        } else {
            0x80 >> self.0.leading_zeros()
        }
    }

    /// Sort key of categories: more attributes first, then the greater bits.
    pub(crate) fn category(self) -> (Reverse<u32>, Reverse<u8>) {
        (Reverse(self.count()), Reverse(self.0))
    }
}

/// Sort key of an entry among all: the category, then the order inside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CategoryKey {
    pub(crate) category: (Reverse<u32>, Reverse<u8>),
    /// 4 for a wildcard host with port, 2 for plain hosts only, 1 for a regular expression; summed.
    pub(crate) sub_weight: Reverse<u8>,
    pub(crate) headers: Reverse<usize>,
    /// Zero for entries without a regular expression.
    pub(crate) regex_priority: Reverse<i64>,
    /// Of plain paths; zero for regular expressions.
    pub(crate) path_length: Reverse<usize>,
    /// Older first.
    pub(crate) created_at: u64,
    /// Position in the input, so that the order is total.
    pub(crate) position: usize,
}

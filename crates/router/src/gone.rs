//! A set of routes, by number.

/// The set; without any storage while it is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct RouteSet {
    words: Vec<u64>,
    count: usize,
}

impl RouteSet {
    pub(crate) fn insert(&mut self, route: usize) {
        let (word, bit) = (route / 64, 1 << (route % 64));
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        if self.words[word] & bit == 0 {
            self.words[word] |= bit;
            self.count += 1;
        }
    }

    pub(crate) fn contains(&self, route: u32) -> bool {
        let route = route as usize;
        self.words
            .get(route / 64)
            .is_some_and(|word| word & (1 << (route % 64)) != 0)
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(crate) const fn len(&self) -> usize {
        self.count
    }

    /// Whether it holds something that the other does not.
    pub(crate) fn exceeds(&self, other: &Self) -> bool {
        let others = other.words.iter().copied().chain(std::iter::repeat(0));
        let mut pairs = self.words.iter().zip(others);
        pairs.any(|(own, other)| own & !other != 0)
    }
}

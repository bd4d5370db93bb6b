//! The condition on the method: a set of names, as bits.

use crate::table::Table;

/// Bit for every method that got no number of its own, and for those that no route names.
const OVERFLOW: u64 = 1 << 63;
/// How many names get a bit of their own.
const OWN_BITS: u32 = 63;

/// The method names that the routes use, numbered.
#[derive(Debug, Default)]
pub(crate) struct MethodNames {
    numbers: Table,
}

impl MethodNames {
    /// The bit of a configured method. From the 64th name on they share one bit, and [`MethodSet`] compares
    /// names.
    fn intern(&mut self, name: &[u8]) -> u64 {
        let next = u32::try_from(self.numbers.len()).unwrap_or(u32::MAX - 1);
        let number = self.numbers.insert(0, name, next);
        if number < OWN_BITS {
            1 << number
        } else {
            OVERFLOW
        }
    }

    /// The bit of a request's method.
    pub(crate) fn bit(&self, name: &[u8]) -> u64 {
        match self.numbers.get(0, name) {
            Some(number) if number < OWN_BITS => 1 << number,
            _ => OVERFLOW,
        }
    }

    /// Whether any route names the method.
    pub(crate) fn contains(&self, name: &[u8]) -> bool {
        self.numbers.get(0, name).is_some()
    }
}

/// The methods of a route.
#[derive(Debug, Clone)]
pub(crate) struct MethodSet {
    /// Bits of the names; all ones when the route has no condition on the method.
    bits: u64,
    /// The names that share the overflow bit.
    overflow: Vec<Box<[u8]>>,
}

impl MethodSet {
    pub(crate) fn new(methods: &[String], names: &mut MethodNames) -> Self {
        if methods.is_empty() {
            return Self {
                bits: u64::MAX,
                overflow: Vec::new(),
            };
        }
        let mut set = Self {
            bits: 0,
            overflow: Vec::new(),
        };
        for name in methods {
            let name = name.as_bytes();
            let bit = names.intern(name);
            set.bits |= bit;
            if bit == OVERFLOW {
                set.overflow.push(name.into());
            }
        }
        set
    }

    /// Whether every method of the other set is in this one; says no where names share a bit.
    pub(crate) const fn covers(&self, other: &Self) -> bool {
        self.bits == u64::MAX || other.bits & OVERFLOW == 0 && other.bits & !self.bits == 0
    }

    /// The bits, for a first test: a method whose bit is not among them is refused.
    pub(crate) const fn bits(&self) -> u64 {
        self.bits
    }

    /// Whether the route accepts the method; `bit` is [`MethodNames::bit`] of it.
    pub(crate) fn matches(&self, bit: u64, name: &[u8]) -> bool {
        if bit != OVERFLOW || self.bits == u64::MAX {
            return self.bits & bit != 0;
        }
        self.overflow.iter().any(|own| **own == *name)
    }
}

//! Named values with several values a name: a query or a form.

use bytes::Bytes;
use plugin_api::query_pairs;

use super::settings::Resolved;

/// The parameters, each name at the place of its first appearance. A parameter without `=` has
/// no value.
#[derive(Debug, Default)]
pub(super) struct Fields {
    entries: Vec<(Bytes, Vec<Option<Bytes>>)>,
}

impl Fields {
    /// Reads `a=1&b`.
    pub(super) fn parse(text: &[u8]) -> Self {
        let mut fields = Self::default();
        for (name, value) in query_pairs(text) {
            let value = value.map(|value| Bytes::from(value.into_owned()));
            fields.push(&name, value);
        }
        fields
    }

    fn push(&mut self, name: &[u8], value: Option<Bytes>) {
        match self.values_mut(name) {
            Some(values) => values.push(value),
            None => self
                .entries
                .push((Bytes::copy_from_slice(name), vec![value])),
        }
    }

    fn values_mut(&mut self, name: &[u8]) -> Option<&mut Vec<Option<Bytes>>> {
        let entry = self.entries.iter_mut().find(|(key, _)| key == name);
        entry.map(|(_, values)| values)
    }

    fn remove(&mut self, name: &[u8]) -> Option<Vec<Option<Bytes>>> {
        let at = self.entries.iter().position(|(key, _)| key == name)?;
        Some(self.entries.remove(at).1)
    }

    fn set(&mut self, name: &Bytes, new: Vec<Option<Bytes>>) {
        match self.values_mut(name) {
            Some(values) => *values = new,
            None => self.entries.push((name.clone(), new)),
        }
    }

    /// Adds the parameters of another text to those that are there.
    pub(super) fn extend(&mut self, other: Self) {
        for (name, values) in other.entries {
            for value in values {
                self.push(&name, value);
            }
        }
    }

    /// Does what is planned.
    pub(super) fn apply(&mut self, plan: &Resolved<'_>) {
        for name in &plan.plan.remove {
            self.remove(name);
        }
        for (old, new) in &plan.plan.rename {
            if let Some(values) = self.remove(old) {
                self.set(new, values);
            }
        }
        for (name, value) in &plan.replace {
            if let Some(values) = self.values_mut(name) {
                *values = vec![Some(value.clone())];
            }
        }
        for (name, value) in &plan.add {
            if self.values_mut(name).is_none() {
                self.set(name, vec![Some(value.clone())]);
            }
        }
        for (name, value) in &plan.append {
            // Compat: a value that is none counts as absent here.
            if let Some(values) = self.values_mut(name) {
                values.retain(Option::is_some);
            }
            self.push(name, Some(value.clone()));
        }
    }

    /// Writes `a=1&b`, names sorted.
    ///
    /// Compat: the order of the reference's query; that of its forms is not fixed.
    pub(super) fn write(&mut self) -> Bytes {
        self.entries.sort_by(|a, b| a.0.cmp(&b.0));
        let mut out = Vec::new();
        for (name, values) in &self.entries {
            for value in values {
                if !out.is_empty() {
                    out.push(b'&');
                }
                escape(name, &mut out);
                if let Some(value) = value {
                    out.push(b'=');
                    escape(value, &mut out);
                }
            }
        }
        Bytes::from(out)
    }
}

/// Writes everything but letters, digits and `-._~` as percent escapes.
fn escape(text: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) {
            out.push(*byte);
        } else {
            let (high, low) = (usize::from(byte >> 4), usize::from(byte & 15));
            out.extend_from_slice(&[b'%', DIGITS[high], DIGITS[low]]);
        }
    }
}

//! Values that code of all cores shares: `ngx.shared`.

use std::collections::HashMap;

use parking_lot::Mutex;

/// Most values of one dictionary.
const ENTRIES_MAX: usize = 10_000;

/// Most dictionaries.
const DICTIONARIES_MAX: usize = 64;

/// Longest value that is text, in bytes.
const TEXT_MAX: usize = 1024 * 1024;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Entry {
    Flag(bool),
    Number(f64),
    Text(Vec<u8>),
}

/// When a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Set,
    Add,
    Replace,
}

type Entries = HashMap<String, (Entry, Option<u64>)>;

/// All dictionaries of a node.
#[derive(Debug, Default)]
pub(super) struct Dictionaries {
    by_name: Mutex<HashMap<String, Entries>>,
}

impl Dictionaries {
    fn with<T>(
        &self,
        name: &str,
        act: impl FnOnce(&mut Entries) -> Result<T, &'static str>,
    ) -> Result<T, &'static str> {
        let mut all = self.by_name.lock();
        if all.len() >= DICTIONARIES_MAX && !all.contains_key(name) {
            return Err("no memory");
        }
        act(all.entry(name.to_owned()).or_default())
    }

    pub(super) fn get(&self, name: &str, key: &str, now_ms: u64) -> Option<Entry> {
        let all = self.by_name.lock();
        let (entry, until) = all.get(name)?.get(key)?;
        until
            .is_none_or(|until| until > now_ms)
            .then(|| entry.clone())
    }

    /// Writes a value, or removes it. A full dictionary forgets what is over, then everything.
    pub(super) fn set(
        &self,
        (name, key): (&str, &str),
        entry: Option<Entry>,
        until: Option<u64>,
        mode: Mode,
        now_ms: u64,
    ) -> Result<(), &'static str> {
        if matches!(&entry, Some(Entry::Text(text)) if text.len() > TEXT_MAX) {
            return Err("no memory");
        }
        self.with(name, |entries| {
            let known = entries.get(key);
            let is_known = known.is_some_and(|(_, until)| until.is_none_or(|until| until > now_ms));
            match (mode, is_known, entry) {
                (Mode::Add, true, _) => Err("exists"),
                (Mode::Replace, false, _) => Err("not found"),
                (_, _, None) => {
                    entries.remove(key);
                    Ok(())
                }
                (_, _, Some(entry)) => {
                    make_room(entries, now_ms);
                    entries.insert(key.to_owned(), (entry, until));
                    Ok(())
                }
            }
        })
    }

    /// Adds to a number.
    pub(super) fn increase(
        &self,
        (name, key): (&str, &str),
        by: f64,
        first: Option<f64>,
        until: Option<u64>,
        now_ms: u64,
    ) -> Result<f64, &'static str> {
        self.with(name, |entries| {
            let known = entries.get_mut(key);
            let known = known.filter(|(_, until)| until.is_none_or(|until| until > now_ms));
            match (known, first) {
                (Some((Entry::Number(number), _)), _) => {
                    *number += by;
                    Ok(*number)
                }
                (Some(_), _) => Err("not a number"),
                (None, None) => Err("not found"),
                (None, Some(first)) => {
                    make_room(entries, now_ms);
                    let number = first + by;
                    entries.insert(key.to_owned(), (Entry::Number(number), until));
                    Ok(number)
                }
            }
        })
    }
}

fn make_room(entries: &mut Entries, now_ms: u64) {
    if entries.len() < ENTRIES_MAX {
        return;
    }
    entries.retain(|_, (_, until)| until.is_none_or(|until| until > now_ms));
    if entries.len() >= ENTRIES_MAX {
        entries.clear();
    }
}

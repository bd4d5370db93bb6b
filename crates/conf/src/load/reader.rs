//! Typed reading of merged values, one mistake per property.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::merge::Merged;
use crate::error::{ConfError, Origin};
use crate::notice::Notice;
use crate::properties::{Effect, Kind, is_dynamic, properties, property};
use crate::secret::Secret;
use crate::values::{Choice, parse_duration, parse_size};

/// Shown in place of a secret.
const HIDDEN: &str = "******";

/// Reads properties as types.
pub(super) struct Reader {
    pub(super) merged: Merged,
}

impl Reader {
    /// The text of a property: what was set, or its default.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let set = self
            .merged
            .values
            .get(name)
            .map(|value| value.text.as_str());
        set.or_else(|| property(name).and_then(|property| property.default))
    }

    pub(super) fn string(&self, name: &str) -> Option<String> {
        self.text(name).map(str::to_owned)
    }

    pub(super) fn secret(&self, name: &str) -> Option<Secret> {
        self.text(name).map(Secret::new)
    }

    pub(super) fn path(&self, name: &str) -> Option<PathBuf> {
        self.text(name).map(PathBuf::from)
    }

    pub(super) fn list(&self, name: &str) -> Vec<String> {
        let entries = self
            .text(name)
            .unwrap_or_default()
            .split(',')
            .map(str::trim);
        entries
            .filter(|entry| !entry.is_empty())
            .map(str::to_owned)
            .collect()
    }

    /// A list whose entries may be PEM text, which holds no commas.
    pub(super) fn secrets(&self, name: &str) -> Vec<Secret> {
        self.list(name).into_iter().map(Secret::new).collect()
    }

    /// `Compat:` `on` and `true` mean on, everything else off.
    pub(super) fn boolean(&self, name: &str) -> bool {
        matches!(self.text(name), Some("on" | "true"))
    }

    /// Reads with `parse`; a mistake is kept and the default of the type returned.
    pub(super) fn parse<T: Default>(
        &mut self,
        name: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> T {
        let Some(text) = self.string(name) else {
            return T::default();
        };
        match parse(&text) {
            Ok(value) => value,
            Err(message) => {
                self.mistake(name, message);
                T::default()
            }
        }
    }

    /// The same for a list.
    pub(super) fn parse_list<T: Default>(
        &mut self,
        name: &str,
        parse: impl Fn(&[String]) -> Result<T, String>,
    ) -> T {
        let entries = self.list(name);
        match parse(&entries) {
            Ok(value) => value,
            Err(message) => {
                self.mistake(name, message);
                T::default()
            }
        }
    }

    pub(super) fn choice<T: Choice>(&mut self, name: &str) -> T {
        // Wrong words are reported for all enumerations at once, in `check_kinds`.
        self.text(name).and_then(T::parse).unwrap_or_default()
    }

    /// A whole number within `minimum..=maximum`.
    pub(super) fn number(&mut self, name: &str, minimum: u64, maximum: u64) -> u64 {
        self.parse(name, |text| match text.parse::<u64>() {
            Ok(number) if (minimum..=maximum).contains(&number) => Ok(number),
            // `check_kinds` reports what is no number at all.
            Err(_) if text.parse::<f64>().is_err() => Ok(0),
            _ if maximum == u64::MAX => {
                Err(format!("it must be a whole number of at least {minimum}"))
            }
            _ => Err(format!(
                "it must be a whole number between {minimum} and {maximum}"
            )),
        })
    }

    pub(super) fn count(&mut self, name: &str, minimum: u64) -> usize {
        usize::try_from(self.number(name, minimum, u64::MAX)).unwrap_or(usize::MAX)
    }

    pub(super) fn small(&mut self, name: &str, minimum: u32, maximum: u32) -> u32 {
        let number = self.number(name, minimum.into(), maximum.into());
        u32::try_from(number).unwrap_or(maximum)
    }

    /// Seconds, possibly with a fraction.
    pub(super) fn seconds(&mut self, name: &str) -> Duration {
        self.parse(name, |text| match text.parse::<f64>() {
            Ok(number) => Duration::try_from_secs_f64(number)
                .map_err(|_| "it must be a number of seconds, not negative".to_owned()),
            Err(_) => Ok(Duration::ZERO),
        })
    }

    pub(super) fn seconds_if_set(&mut self, name: &str) -> Option<Duration> {
        self.text(name)?;
        Some(self.seconds(name))
    }

    pub(super) fn duration(&mut self, name: &str) -> Duration {
        self.parse(name, parse_duration)
    }

    pub(super) fn size(&mut self, name: &str) -> u64 {
        self.parse(name, parse_size)
    }

    /// A size where zero means no limit.
    pub(super) fn limit(&mut self, name: &str) -> Option<u64> {
        Some(self.size(name)).filter(|size| *size > 0)
    }

    pub(super) fn mistake(&mut self, name: &str, message: impl Into<String>) {
        let is_secret = property(name).is_some_and(|property| property.is_secret);
        let text = self.text(name).unwrap_or_default();
        let value = if is_secret {
            HIDDEN.to_owned()
        } else {
            text.to_owned()
        };
        let origin = self
            .merged
            .values
            .get(name)
            .map(|value| value.origin.clone());
        let (property, message) = (name.to_owned(), message.into());
        let origin = origin.unwrap_or(Origin::Default);
        self.merged.errors.push(ConfError::Value {
            property,
            value,
            origin,
            message,
        });
    }

    /// Checks the type of every property, acted on or not, and tells of those without effect.
    pub(super) fn check_kinds(&mut self) {
        for property in properties() {
            let Some(value) = self.merged.values.get(property.name) else {
                continue;
            };
            let text = value.text.clone();
            match property.kind {
                Kind::Number if !text.parse::<f64>().is_ok_and(f64::is_finite) => {
                    self.mistake(property.name, "it must be a number");
                }
                Kind::Enum(words) if !words.contains(&text.as_str()) => {
                    let words = words.join("`, `");
                    self.mistake(property.name, format!("it must be one of `{words}`"));
                }
                Kind::Boolean if !["on", "off", "true", "false"].contains(&text.as_str()) => {
                    let message = format!("`{text}` counts as off; write `on` or `off`");
                    self.doubt(property.name, message);
                }
                _ => {}
            }
            let is_default = property.default == Some(text.as_str());
            let reason = match property.effect {
                Effect::Acted => continue,
                Effect::Never(reason) => reason,
                Effect::NotYet => "Gatehouse knows this property but does not act on it yet",
            };
            if !is_default && !is_equal_boolean(property.kind, property.default, &text) {
                self.no_effect(property.name, reason);
            }
        }
        self.check_dynamic();
    }

    fn check_dynamic(&mut self) {
        let names: Vec<String> = self.merged.values.keys().cloned().collect();
        for name in names.iter().filter(|name| property(name).is_none()) {
            if name.starts_with("nginx_") {
                self.no_effect(
                    name,
                    "there is no nginx, and this directive has no counterpart",
                );
            } else if is_dynamic(name) {
                self.no_effect(
                    name,
                    "Gatehouse knows this property but does not act on it yet",
                );
            }
        }
    }

    pub(super) fn doubt(&mut self, name: &str, message: String) {
        self.merged.notices.push(Notice::Doubtful {
            property: name.to_owned(),
            message,
        });
    }

    fn no_effect(&mut self, name: &str, reason: &str) {
        let (property, reason) = (name.to_owned(), reason.to_owned());
        self.merged
            .notices
            .push(Notice::NoEffect { property, reason });
    }

    /// Everything that is set or has a default, with secrets hidden.
    pub(super) fn shown(&self) -> BTreeMap<String, String> {
        let mut shown = BTreeMap::new();
        for property in properties() {
            if let Some(text) = self.text(property.name) {
                let text = if property.is_secret { HIDDEN } else { text };
                shown.insert(property.name.to_owned(), text.to_owned());
            }
        }
        for (name, value) in self.dynamic() {
            let may_show = name.starts_with("nginx_");
            shown.insert(name, if may_show { value } else { HIDDEN.to_owned() });
        }
        shown
    }

    /// What was set under an open-ended name that is not in the table.
    pub(super) fn dynamic(&self) -> BTreeMap<String, String> {
        let values = self.merged.values.iter();
        let dynamic = values.filter(|(name, _)| property(name).is_none() && is_dynamic(name));
        dynamic
            .map(|(name, value)| (name.clone(), value.text.clone()))
            .collect()
    }
}

fn is_equal_boolean(kind: Kind, default: Option<&str>, text: &str) -> bool {
    let is_on = |text: &str| matches!(text, "on" | "true");
    kind == Kind::Boolean && is_on(default.unwrap_or("off")) == is_on(text)
}

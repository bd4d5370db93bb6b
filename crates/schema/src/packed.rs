//! Bodies that wait, as the text of their JSON.
//!
//! An open [`Map`] takes up to ten times the memory of its text. Whoever holds a whole
//! configuration holds it like this and opens one body at a time.

use std::fmt::Formatter;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use crate::Map;

/// The body of an entity as JSON text.
#[derive(Clone, PartialEq, Eq)]
pub struct Packed(Box<str>);

impl Packed {
    /// The text of a body.
    #[must_use]
    pub fn of(body: &Map) -> Self {
        // Members are texts and values are JSON: writing them cannot fail.
        Self(serde_json::to_string(body).unwrap_or_default().into())
    }

    /// Takes text that is the body of an entity.
    ///
    /// # Errors
    ///
    /// When it is no JSON object.
    pub fn from_text(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str::<Unread>(text)?;
        Ok(Self(text.into()))
    }

    /// The body.
    #[must_use]
    pub fn open(&self) -> Map {
        serde_json::from_str(&self.0).unwrap_or_default()
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }

    /// A member that is a text, without opening the whole body.
    #[must_use]
    pub fn text_of(&self, member: &str) -> Option<String> {
        let mut found = None;
        let find = Find {
            member,
            found: &mut found,
        };
        // What comes after it is not read, of which the reader complains.
        let _ = serde_json::Deserializer::from_str(&self.0).deserialize_map(find);
        found
    }
}

impl std::fmt::Debug for Packed {
    // Bodies hold credentials.
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(f, "Packed({} bytes)", self.0.len())
    }
}

/// An object whose members do not matter.
struct Unread;

impl<'de> Deserialize<'de> for Unread {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;
        impl<'de> Visitor<'de> for All {
            type Value = Unread;

            fn expecting(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
                f.write_str("the body of an entity")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Unread, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Unread)
            }
        }
        deserializer.deserialize_map(All)
    }
}

/// Looks for a member by its name and reads past those before it.
struct Find<'a> {
    member: &'a str,
    found: &'a mut Option<String>,
}

impl<'de> Visitor<'de> for Find<'_> {
    type Value = ();

    fn expecting(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str("the body of an entity")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(is_it) = map.next_key_seed(Is(self.member))? {
            if is_it {
                if let Value::String(text) = map.next_value()? {
                    *self.found = Some(text);
                }
                return Ok(());
            }
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}

/// Whether a name is this one.
struct Is<'a>(&'a str);

impl<'de> DeserializeSeed<'de> for Is<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Is<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str("the name of a member")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<bool, E> {
        Ok(name == self.0)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn body() -> Map {
        let body = json!({"id": "a", "n": 0.1, "list": [{"id": "b"}], "none": null, "\"": "q"});
        body.as_object().unwrap().clone()
    }

    #[test]
    fn what_was_packed_comes_out_unchanged_and_in_order() {
        let open = Packed::of(&body()).open();
        assert_eq!(open, body());
        assert!(open.keys().eq(body().keys()));
    }

    #[test]
    fn member_is_found_only_where_it_is_a_text_of_the_body_itself() {
        let packed = Packed::of(&body());
        assert_eq!(packed.text_of("id").as_deref(), Some("a"));
        assert_eq!(packed.text_of("\"").as_deref(), Some("q"));
        for member in ["n", "none", "b", ""] {
            assert_eq!(packed.text_of(member), None, "{member}");
        }
    }

    #[test]
    fn text_that_is_no_object_is_refused() {
        for text in ["", "[]", "null", "{\"a\":}", "{\"a\":1", "{} {}", "\"a\""] {
            assert!(Packed::from_text(text).is_err(), "{text}");
        }
        assert_eq!(Packed::from_text("{\"a\": 1}").unwrap().open()["a"], 1);
    }

    #[test]
    fn debug_output_shows_no_content() {
        let secret = json!({"key": "hidden"}).as_object().unwrap().clone();
        assert!(!format!("{:?}", Packed::of(&secret)).contains("hidden"));
    }
}

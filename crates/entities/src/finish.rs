//! What happens to a body after its schema has accepted it.

use schema::{Mode, Violations};
use serde_json::Value;

use crate::catalogue::Origin;
use crate::kind::EntityKind;

/// The longest time to live, in seconds.
const LONGEST_TTL: f64 = 100_000_000.0;

/// The end of a row in seconds since 1970, from what was given and what is stored.
pub(crate) fn ttl(
    kind: &EntityKind,
    given: Option<Value>,
    mode: Mode<'_>,
    origin: Origin,
) -> Result<Option<Value>, Violations> {
    if !kind.has_ttl {
        return Ok(None);
    }
    let stored = match mode {
        Mode::Update { stored } => stored.get("ttl").cloned(),
        Mode::Insert | Mode::Upsert => None,
    };
    match given {
        None => Ok(stored),
        Some(Value::Null) => Ok(None),
        Some(Value::Number(number)) => {
            let seconds = number.as_f64().unwrap_or(-1.0);
            if origin == Origin::Declarative {
                return Ok(Some(Value::Number(number)));
            }
            if !(0.0..=LONGEST_TTL).contains(&seconds) {
                return Err(Violations::of(
                    "ttl",
                    "value should be between 0 and 100000000",
                ));
            }
            if seconds == 0.0 {
                return Ok(None);
            }
            let whole = schema::whole_number(&Value::from(seconds.ceil())).unwrap_or(0);
            let now = i64::try_from(clock::unix_seconds()).unwrap_or(i64::MAX);
            Ok(Some(Value::from(now.saturating_add(whole))))
        }
        Some(_) => Err(Violations::of("ttl", "expected a number")),
    }
}

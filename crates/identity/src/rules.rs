//! What names and addresses have to look like.

use crate::IdentityError;
use crate::password::LONGEST;

const DAY: u64 = 24 * 60 * 60 * 1_000;

/// Shortest and longest life of a token, in milliseconds. Compat: 1 to 365 days, as the reference.
pub(crate) const TOKEN_LIFE: std::ops::RangeInclusive<u64> = DAY..=365 * DAY;

/// Clocks of callers may differ by this much, in milliseconds.
const CLOCK_SLACK: u64 = 60_000;

/// Shortest password, in characters.
const PASSWORD_SHORTEST: usize = 12;

fn refuse(field: &'static str, rule: impl Into<String>) -> IdentityError {
    IdentityError::Invalid {
        field,
        rule: rule.into(),
    }
}

/// Compat: the rule of the reference for token names.
pub(crate) fn token_name(name: &str) -> Result<(), IdentityError> {
    length("name", name, 1, 256)?;
    let is_word = |c: char| c.is_alphanumeric();
    let is_inner = |c: char| is_word(c) || " _-.'".contains(c);
    if !name.chars().all(is_inner) {
        return Err(refuse(
            "name",
            "may hold letters, digits, spaces and any of `_-.'`",
        ));
    }
    if !(name.starts_with(is_word) && name.ends_with(is_word)) {
        return Err(refuse(
            "name",
            "has to begin and end with a letter or digit",
        ));
    }
    Ok(())
}

pub(crate) fn token_end(expires_at: u64, now: u64) -> Result<(), IdentityError> {
    let life = expires_at.saturating_sub(now);
    let (shortest, longest) = (*TOKEN_LIFE.start(), *TOKEN_LIFE.end());
    if life + CLOCK_SLACK < shortest || life > longest + CLOCK_SLACK {
        return Err(refuse("expires_at", "has to be 1 to 365 days from now"));
    }
    Ok(())
}

pub(crate) fn length(
    field: &'static str,
    text: &str,
    shortest: usize,
    longest: usize,
) -> Result<(), IdentityError> {
    let length = text.chars().count();
    if length < shortest || length > longest {
        return Err(refuse(
            field,
            format!("has to have {shortest} to {longest} characters"),
        ));
    }
    if text.chars().any(char::is_control) {
        return Err(refuse(field, "may not hold control characters"));
    }
    Ok(())
}

/// Brings an address into the form in which it is compared.
pub(crate) fn email(address: &str) -> Result<String, IdentityError> {
    let address = address.trim().to_lowercase();
    length("email", &address, 3, 254)?;
    let is_address = address
        .split_once('@')
        .is_some_and(|(local, host)| !local.is_empty() && !host.is_empty() && !host.contains('@'))
        && !address.contains(char::is_whitespace);
    if is_address {
        Ok(address)
    } else {
        Err(refuse("email", "is not an e-mail address"))
    }
}

pub(crate) fn password(password: &str) -> Result<(), IdentityError> {
    if password.chars().count() < PASSWORD_SHORTEST || password.len() > LONGEST {
        let rule = format!("has to have {PASSWORD_SHORTEST} characters to {LONGEST} bytes");
        return Err(refuse("password", rule));
    }
    Ok(())
}

/// Makes a name usable in an address.
pub(crate) fn login_path(name: &str) -> String {
    let mut path = String::with_capacity(name.len());
    for c in name.chars() {
        match c.to_ascii_lowercase() {
            c @ ('a'..='z' | '0'..='9') => path.push(c),
            _ if path.ends_with('-') || path.is_empty() => {}
            _ => path.push('-'),
        }
        if path.len() >= 60 {
            break;
        }
    }
    let path = path.trim_end_matches('-');
    if path.is_empty() {
        "organisation".to_owned()
    } else {
        path.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_names_follow_the_rule() {
        for good in [
            "a",
            "ci",
            "CI for alice's team",
            "v1.2_3-x9",
            "ünïcode",
            &"x".repeat(256),
        ] {
            assert!(token_name(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            " a",
            "a ",
            "-a",
            "a.",
            "a/b",
            "a\nb",
            "a\"b",
            &"x".repeat(257),
        ] {
            assert!(token_name(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn token_lives_one_day_to_a_year() {
        let now = 1_000_000_000;
        for (life, is_good) in [
            (0, false),
            (DAY - CLOCK_SLACK - 1, false),
            (DAY, true),
            (365 * DAY, true),
            (365 * DAY + CLOCK_SLACK + 1, false),
        ] {
            assert_eq!(token_end(now + life, now).is_ok(), is_good, "{life}");
        }
        assert!(token_end(0, now).is_err());
        assert!(token_end(u64::MAX, now).is_err());
    }

    #[test]
    fn addresses_are_compared_in_lower_case() {
        assert_eq!(email(" Admin@Example.COM ").unwrap(), "admin@example.com");
        for bad in [
            "",
            "a",
            "@b",
            "a@",
            "a@b@c",
            "a b@c",
            "a@b\u{0}",
            &format!("{}@b", "a".repeat(300)),
        ] {
            assert!(email(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn login_path_is_made_of_the_name() {
        for (name, path) in [
            ("Example Org", "example-org"),
            ("  --A  &  B--  ", "a-b"),
            ("äöü", "organisation"),
            ("", "organisation"),
        ] {
            assert_eq!(login_path(name), path);
        }
        assert!(login_path(&"x".repeat(500)).len() <= 60);
    }
}

//! The arguments of a query, as the reference reads them.

/// Arguments that are looked at; further ones are passed over. `Compat:` the reference's default.
const ARGUMENTS_MAX: usize = 100;

/// Calls `visit` with each value of the argument `name` until it returns `true`. One without `=` has the empty
/// text.
pub(super) fn values(query: &[u8], name: &str, visit: &mut dyn FnMut(&[u8]) -> bool) {
    let arguments = query.split(|byte| *byte == b'&');
    let arguments = arguments.filter(|argument| !argument.is_empty());
    for argument in arguments.take(ARGUMENTS_MAX) {
        let equals = memchr::memchr(b'=', argument);
        let key = argument.get(..equals.unwrap_or(argument.len()));
        let value = equals.and_then(|equals| argument.get(equals + 1..));
        let is_asked = key.is_some_and(|key| decoded(key, |key| key == name.as_bytes()));
        if is_asked && decoded(value.unwrap_or_default(), &mut *visit) {
            return;
        }
    }
}

/// Calls `then` with the text without escapes; allocates only when there are some.
fn decoded<T>(text: &[u8], then: impl FnOnce(&[u8]) -> T) -> T {
    if memchr::memchr2(b'%', b'+', text).is_none() {
        return then(text);
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, behind @ ..] = rest {
        rest = behind;
        match (first, behind) {
            (b'+', _) => out.push(b' '),
            (b'%', [high, low, tail @ ..]) => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => {
                    out.push(high << 4 | low);
                    rest = tail;
                }
                _ => out.push(b'%'),
            },
            (other, _) => out.push(*other),
        }
    }
    then(&out)
}

fn digit(byte: u8) -> Option<u8> {
    let digit = char::from(byte).to_digit(16)?;
    u8::try_from(digit).ok()
}

#[cfg(test)]
mod tests {
    use super::values;

    fn all(query: &str, name: &str) -> Vec<String> {
        let mut found = Vec::new();
        values(query.as_bytes(), name, &mut |value| {
            found.push(String::from_utf8(value.to_vec()).unwrap());
            false
        });
        found
    }

    #[test]
    fn values_are_read_without_escapes_and_in_order() {
        assert_eq!(all("a=1&b=2&a=3", "a"), ["1", "3"]);
        assert_eq!(all("a&a=&b", "a"), ["", ""]);
        assert_eq!(all("%61=x%20y+z%", "a"), ["x y z%"]);
        assert_eq!(all("a=1=2&&A=3", "a"), ["1=2"]);
        assert_eq!(all("a=%zz", "a"), ["%zz"]);
        assert!(all("", "a").is_empty());
        let many = "x=1&".repeat(100) + "a=1";
        assert!(all(&many, "a").is_empty());
    }
}

//! Answers of a server, in version 2 of its protocol.

/// Limit: bytes of an answer.
pub(super) const ANSWER_MAX: usize = 1024 * 1024;

/// Limit: lists in lists.
const DEPTH_MAX: usize = 8;

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Nothing,
    Number(i64),
    Text(Vec<u8>),
    List(Vec<Self>),
    Error(String),
}

impl Value {
    /// Whole numbers, as numbers or as text; nothing counts as zero.
    pub(crate) fn numbers(&self) -> Option<Vec<u64>> {
        let number = |value: &Self| match value {
            Self::Nothing => Some(0),
            Self::Number(number) => u64::try_from(*number).ok(),
            Self::Text(text) => std::str::from_utf8(text).ok()?.parse().ok(),
            Self::List(_) | Self::Error(_) => None,
        };
        match self {
            Self::List(values) => values.iter().map(number).collect(),
            one => Some(vec![number(one)?]),
        }
    }
}

/// What became of reading.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Parsed {
    /// The answer, and how many bytes it took.
    Whole(Value, usize),
    /// There is more to come.
    Partial,
    /// It is no answer.
    Malformed,
}

/// Reads an answer.
pub(super) fn parse(bytes: &[u8]) -> Parsed {
    match value(bytes, 0) {
        Ok((value, rest)) => Parsed::Whole(value, bytes.len() - rest.len()),
        Err(Fault::Partial) if bytes.len() <= ANSWER_MAX => Parsed::Partial,
        Err(_) => Parsed::Malformed,
    }
}

enum Fault {
    Partial,
    Malformed,
}

fn value(bytes: &[u8], depth: usize) -> Result<(Value, &[u8]), Fault> {
    if depth > DEPTH_MAX {
        return Err(Fault::Malformed);
    }
    let (kind, rest) = bytes.split_first().ok_or(Fault::Partial)?;
    let end = rest.windows(2).position(|two| two == b"\r\n");
    let end = end.ok_or(Fault::Partial)?;
    let (line, rest) = (&rest[..end], &rest[end + 2..]);
    let number = || {
        let text = std::str::from_utf8(line).ok();
        text.and_then(|text| text.parse::<i64>().ok())
            .ok_or(Fault::Malformed)
    };
    match kind {
        b'+' => Ok((Value::Text(line.to_vec()), rest)),
        b'-' => Ok((
            Value::Error(String::from_utf8_lossy(line).into_owned()),
            rest,
        )),
        b':' => Ok((Value::Number(number()?), rest)),
        b'$' | b'*' if number()? == -1 => Ok((Value::Nothing, rest)),
        b'$' => {
            let length = length(number()?)?;
            let text = rest.get(..length).ok_or(Fault::Partial)?;
            match rest.get(length..length + 2) {
                Some(b"\r\n") => Ok((Value::Text(text.to_vec()), &rest[length + 2..])),
                Some(_) => Err(Fault::Malformed),
                None => Err(Fault::Partial),
            }
        }
        b'*' => {
            let mut values = Vec::new();
            let mut rest = rest;
            for _ in 0..length(number()?)? {
                let (one, behind) = value(rest, depth + 1)?;
                values.push(one);
                rest = behind;
            }
            Ok((Value::List(values), rest))
        }
        _ => Err(Fault::Malformed),
    }
}

fn length(number: i64) -> Result<usize, Fault> {
    let length = usize::try_from(number).ok();
    let length = length.filter(|length| *length <= ANSWER_MAX);
    length.ok_or(Fault::Malformed)
}

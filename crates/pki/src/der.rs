//! Just enough DER writing for a certificate of version 1. Reading is `x509-parser`'s work.

/// Tag and length around `content`.
pub(crate) fn wrap(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    let length = content.len();
    if length < 0x80 {
        out.extend(u8::try_from(length));
    } else {
        let bytes = length.to_be_bytes();
        let first = bytes
            .iter()
            .position(|byte| *byte != 0)
            .unwrap_or(bytes.len() - 1);
        let significant = &bytes[first..];
        out.extend(u8::try_from(significant.len()).map(|count| 0x80 | count));
        out.extend_from_slice(significant);
    }
    out.extend_from_slice(content);
    out
}

/// A SEQUENCE of parts that are DER already.
pub(crate) fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    wrap(0x30, &parts.concat())
}

/// A positive INTEGER.
pub(crate) fn integer(bytes: &[u8]) -> Vec<u8> {
    let first = bytes
        .iter()
        .position(|byte| *byte != 0)
        .unwrap_or(bytes.len());
    let mut content = Vec::with_capacity(bytes.len() + 1);
    if bytes.get(first).is_none_or(|byte| byte & 0x80 != 0) {
        content.push(0);
    }
    content.extend_from_slice(&bytes[first..]);
    wrap(0x02, &content)
}

/// A name that consists of one common name.
pub(crate) fn common_name(name: &str) -> Vec<u8> {
    const COMMON_NAME_OID: [u8; 5] = [0x06, 0x03, 0x55, 0x04, 0x03];
    let attribute = sequence(&[&COMMON_NAME_OID, &wrap(0x0c, name.as_bytes())]);
    sequence(&[&wrap(0x31, &attribute)])
}

/// A BIT STRING without unused bits.
pub(crate) fn bit_string(bytes: &[u8]) -> Vec<u8> {
    let mut content = vec![0];
    content.extend_from_slice(bytes);
    wrap(0x03, &content)
}

/// A date: UTCTime until 2049, GeneralizedTime from 2050, as RFC 5280 wants.
pub(crate) fn date(at: time::OffsetDateTime) -> Vec<u8> {
    let at = at.to_offset(time::UtcOffset::UTC);
    let (year, month, day) = (at.year(), u8::from(at.month()), at.day());
    let (hour, minute, second) = (at.hour(), at.minute(), at.second());
    let rest = format!("{month:02}{day:02}{hour:02}{minute:02}{second:02}Z");
    if (1950..2050).contains(&year) {
        wrap(0x17, format!("{:02}{rest}", year % 100).as_bytes())
    } else {
        wrap(0x18, format!("{year:04}{rest}").as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_take_the_short_and_the_long_form() {
        assert_eq!(wrap(4, &[0; 2]), [4, 2, 0, 0]);
        assert_eq!(wrap(4, &[0; 0x80])[..3], [4, 0x81, 0x80]);
        assert_eq!(wrap(4, &[0; 0x1234])[..4], [4, 0x82, 0x12, 0x34]);
    }

    #[test]
    fn integers_are_positive_and_minimal() {
        assert_eq!(integer(&[0, 0, 5]), [2, 1, 5]);
        assert_eq!(integer(&[0x80]), [2, 2, 0, 0x80]);
        assert_eq!(integer(&[0, 0]), [2, 1, 0]);
    }

    #[test]
    fn dates_change_their_form_in_2050() {
        let early = time::OffsetDateTime::from_unix_timestamp(2_524_607_999).unwrap();
        assert_eq!(&date(early)[2..], b"491231235959Z");
        let late = time::OffsetDateTime::from_unix_timestamp(2_524_608_000).unwrap();
        assert_eq!(&date(late)[2..], b"20500101000000Z");
    }
}

//! Numbers as C's `%.14g` prints them, which is how the configuration hash sees them.

use serde_json::Number;

/// Significant digits of the format.
const DIGITS: usize = 14;

/// Appends `number` the way C's `%.14g` prints it as a double.
pub(crate) fn write_g14(out: &mut Vec<u8>, number: &Number) {
    if let Some(whole) = number.as_i64()
        && whole.unsigned_abs() < 100_000_000_000_000
    {
        out.extend_from_slice(whole.to_string().as_bytes());
        return;
    }
    write_double(out, number.as_f64().unwrap_or(0.0));
}

fn write_double(out: &mut Vec<u8>, value: f64) {
    // `d.ddddddddddddde[-]x`, correctly rounded.
    let scientific = format!("{:.*e}", DIGITS - 1, value.abs());
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let digits: Vec<u8> = mantissa.bytes().filter(u8::is_ascii_digit).collect();
    let used = digits.iter().rposition(|d| *d != b'0').map_or(1, |i| i + 1);
    let digits = &digits[..used];
    if value.is_sign_negative() {
        out.push(b'-');
    }
    match exponent {
        -4..=-1 => {
            out.extend_from_slice(b"0.");
            out.extend(std::iter::repeat_n(
                b'0',
                exponent.unsigned_abs() as usize - 1,
            ));
            out.extend_from_slice(digits);
        }
        0..14 => {
            let before = exponent.unsigned_abs() as usize + 1;
            if digits.len() <= before {
                out.extend_from_slice(digits);
                out.extend(std::iter::repeat_n(b'0', before - digits.len()));
            } else {
                out.extend_from_slice(&digits[..before]);
                out.push(b'.');
                out.extend_from_slice(&digits[before..]);
            }
        }
        _ => {
            out.push(digits[0]);
            if digits.len() > 1 {
                out.push(b'.');
                out.extend_from_slice(&digits[1..]);
            }
            let sign = if exponent < 0 { '-' } else { '+' };
            out.extend_from_slice(format!("e{sign}{:02}", exponent.unsigned_abs()).as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn g14(text: &str) -> String {
        let number: Number = serde_json::from_str(text).unwrap();
        let mut out = Vec::new();
        write_g14(&mut out, &number);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn numbers_print_like_c() {
        for (input, expected) in [
            ("0", "0"),
            ("-0.0", "-0"),
            ("10", "10"),
            ("0.9", "0.9"),
            ("80.0", "80"),
            ("1e3", "1000"),
            ("12.5", "12.5"),
            ("-1.5", "-1.5"),
            ("0.1", "0.1"),
            ("0.0001", "0.0001"),
            ("0.00001", "1e-05"),
            ("0.000123456789012345678", "0.00012345678901235"),
            ("1795402575.123", "1795402575.123"),
            ("1700000000", "1700000000"),
            ("99999999999999", "99999999999999"),
            ("100000000000000", "1e+14"),
            ("123456789012345", "1.2345678901234e+14"),
            ("100000000000005", "1e+14"),
            ("100000000000015", "1.0000000000002e+14"),
            ("100000000000025", "1.0000000000002e+14"),
            ("1e15", "1e+15"),
            ("1e100", "1e+100"),
            ("1.5e-7", "1.5e-07"),
            ("9007199254740993", "9.007199254741e+15"),
            ("18446744073709551615", "1.844674407371e+19"),
            ("-123456789012345", "-1.2345678901234e+14"),
            ("0.30000000000000004", "0.3"),
            ("99999999999999.9", "1e+14"),
            ("999999999999999", "1e+15"),
            ("2.2250738585072014e-308", "2.2250738585072e-308"),
            ("1.7976931348623157e308", "1.7976931348623e+308"),
        ] {
            assert_eq!(g14(input), expected, "{input}");
        }
    }
}

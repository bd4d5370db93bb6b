//! The syntax of `kong.conf`.

use std::path::Path;

use crate::ConfError;

/// One `key = value`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) key: String,
    pub(super) value: String,
    pub(super) number: u32,
}

/// Reads all lines. `Compat:` `#` and `;` begin comment lines, a blank and `#` an inline comment,
/// `\#` is a literal `#`, a trailing `\` joins lines, `[section]` lines mean nothing, and other
/// characters than letters and digits in a key become `_`.
pub(super) fn parse(text: &str, path: &Path) -> (Vec<Line>, Vec<ConfError>) {
    let (mut lines, mut errors) = (Vec::new(), Vec::new());
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut numbered = (1_u32..).zip(text.lines());
    while let Some((number, first)) = numbered.next() {
        let mut joined = first.trim().to_owned();
        let is_comment = joined.starts_with(['#', ';']);
        while !is_comment && joined.ends_with('\\') {
            joined.pop();
            let Some((_, next)) = numbered.next() else {
                break;
            };
            joined.push_str(next.trim());
        }
        if is_comment || joined.is_empty() || (joined.starts_with('[') && joined.ends_with(']')) {
            continue;
        }
        match pair(&joined) {
            Some((key, value)) => lines.push(Line { key, value, number }),
            None => errors.push(ConfError::Syntax {
                path: path.to_owned(),
                line: number,
                message: "it is not `key = value`; begin comments with `#`".to_owned(),
            }),
        }
    }
    (lines, errors)
}

fn pair(line: &str) -> Option<(String, String)> {
    let (key, value) = line.split_once('=')?;
    let clean = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let key: String = key.trim().chars().map(clean).collect();
    (!key.is_empty()).then(|| (key, strip_comment(value.trim()).replace("\\#", "#")))
}

/// Cuts an inline comment: blanks and then a `#` that is not escaped.
fn strip_comment(value: &str) -> &str {
    if value.starts_with('#') {
        return "";
    }
    let mut previous = ' ';
    for (at, character) in value.char_indices() {
        if character == '#' && previous.is_whitespace() {
            return value[..at].trim_end();
        }
        previous = character;
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Vec<(String, String)> {
        let (lines, errors) = parse(text, Path::new("kong.conf"));
        assert!(errors.is_empty(), "{errors:?}");
        lines
            .into_iter()
            .map(|line| (line.key, line.value))
            .collect()
    }

    fn check(text: &str, key: &str, value: &str) {
        assert_eq!(pairs(text), [(key.to_owned(), value.to_owned())], "{text}");
    }

    #[test]
    fn comments_sections_and_blank_lines_mean_nothing() {
        assert!(pairs("\n# a = 1\n; b = 2\n  # c = 3\n[kong]\n").is_empty());
    }

    #[test]
    fn the_first_equals_sign_splits() {
        check("pg_password = a=b=c", "pg_password", "a=b=c");
        check("  role=data_plane  ", "role", "data_plane");
    }

    #[test]
    fn inline_comments_are_cut_and_escaped_ones_kept() {
        check("role = data_plane # the role", "role", "data_plane");
        check("pg_password = a\\#b \\# c", "pg_password", "a#b # c");
        check("pg_password = a#b", "pg_password", "a#b");
        check("pg_password = # nothing", "pg_password", "");
    }

    #[test]
    fn a_trailing_backslash_joins_lines() {
        check("headers = a, \\\n  b\\\n, c", "headers", "a, b, c");
    }

    #[test]
    fn odd_characters_in_keys_become_underscores() {
        check("log-level = info", "log_level", "info");
        check("log.level = info", "log_level", "info");
    }

    #[test]
    fn a_line_without_equals_sign_is_a_mistake_with_its_number() {
        let (_, errors) = parse(
            "role = data_plane\n\nnonsense\n= x\n",
            Path::new("kong.conf"),
        );
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(lines.len(), 2);
        assert!(lines[0].starts_with("`kong.conf` line 3:"), "{lines:?}");
        assert!(lines[1].starts_with("`kong.conf` line 4:"), "{lines:?}");
    }
}

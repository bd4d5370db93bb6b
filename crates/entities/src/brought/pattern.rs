//! Patterns of Lua as regular expressions.

use schema::Pattern;

use super::fault::SchemaFault;
use super::names::keep;

/// The pattern, if it has an equal regular expression.
pub(super) fn pattern(lua: &str) -> Result<Pattern, SchemaFault> {
    let fault = || SchemaFault::whole(format!("the pattern `{lua}` cannot be checked here"));
    let regex = translate(lua).ok_or_else(fault)?;
    Pattern::read(keep(lua)?, &regex).ok_or_else(fault)
}

fn translate(lua: &str) -> Option<String> {
    let mut regex = String::from("(?s)");
    let mut rest = lua.chars().peekable();
    let mut is_in_set = false;
    let mut is_first = true;
    while let Some(character) = rest.next() {
        match character {
            '%' => {
                let class = rest.next()?;
                regex.push_str(&escaped(class, is_in_set)?);
            }
            '[' if !is_in_set => {
                is_in_set = true;
                regex.push('[');
                if rest.peek() == Some(&'^') {
                    rest.next();
                    regex.push('^');
                }
                if rest.peek() == Some(&']') {
                    rest.next();
                    regex.push_str("\\]");
                }
            }
            ']' if is_in_set => {
                is_in_set = false;
                regex.push(']');
            }
            other if is_in_set => {
                if matches!(other, '\\' | '[' | '&' | '~' | '^') {
                    regex.push('\\');
                }
                regex.push(other);
            }
            '-' => regex.push_str("*?"),
            '^' if is_first => regex.push('^'),
            '$' if rest.peek().is_none() => regex.push_str("\\z"),
            '.' | '*' | '+' | '?' | '(' | ')' => regex.push(character),
            other => regex.push_str(&literal(other)),
        }
        is_first = false;
    }
    (!is_in_set).then_some(regex)
}

fn escaped(class: char, is_in_set: bool) -> Option<String> {
    let set = match class {
        'a' => "A-Za-z",
        'd' => "0-9",
        'l' => "a-z",
        'u' => "A-Z",
        'w' => "A-Za-z0-9",
        'x' => "A-Fa-f0-9",
        's' => " \\t\\n\\r\\x0b\\x0c",
        'p' => "!-/:-@\\[-`{-~",
        'c' => "\\x00-\\x1f\\x7f",
        other if other.is_ascii_alphanumeric() => return None,
        other => return Some(literal(other)),
    };
    Some(if is_in_set {
        set.to_owned()
    } else {
        format!("[{set}]")
    })
}

fn literal(character: char) -> String {
    if character.is_ascii_punctuation() {
        format!("\\{character}")
    } else {
        character.to_string()
    }
}

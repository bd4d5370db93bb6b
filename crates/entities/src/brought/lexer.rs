//! Lua text as tokens.

use super::fault::SchemaFault;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Name(String),
    Text(String),
    Number(f64),
    /// One of `= { } ( ) [ ] , ; . .. : + - * / == ~= < > <= >= # % ^ ...`.
    Sign(&'static str),
    End,
}

const SIGNS: [&str; 26] = [
    "...", "..", "==", "~=", "<=", ">=", "::", "=", "{", "}", "(", ")", "[", "]", ",", ";", ".",
    ":", "+", "-", "*", "/", "<", ">", "#", "%",
];

/// The tokens with their lines; the last one is [`Token::End`].
pub(super) fn tokens(text: &str) -> Result<Vec<(Token, usize)>, SchemaFault> {
    let mut lexer = Lexer {
        rest: text,
        line: 1,
    };
    let mut found = Vec::new();
    loop {
        lexer.skip_blank()?;
        let line = lexer.line;
        let token = lexer.next()?;
        let is_end = token == Token::End;
        found.push((token, line));
        if is_end {
            return Ok(found);
        }
    }
}

struct Lexer<'t> {
    rest: &'t str,
    line: usize,
}

impl Lexer<'_> {
    fn fault(&self, reason: &str) -> SchemaFault {
        SchemaFault::new(self.line, reason)
    }

    fn advance(&mut self, bytes: usize) -> &str {
        let (taken, rest) = self.rest.split_at(bytes);
        self.line += taken.matches('\n').count();
        self.rest = rest;
        taken
    }

    fn skip_blank(&mut self) -> Result<(), SchemaFault> {
        loop {
            let blank = self.rest.len() - self.rest.trim_start().len();
            self.advance(blank);
            let Some(comment) = self.rest.strip_prefix("--") else {
                return Ok(());
            };
            match long_bracket(comment) {
                Some(level) => {
                    self.advance(2);
                    self.long(level)?;
                }
                None => {
                    let end = self.rest.find('\n').unwrap_or(self.rest.len());
                    self.advance(end);
                }
            }
        }
    }

    fn next(&mut self) -> Result<Token, SchemaFault> {
        let Some(first) = self.rest.chars().next() else {
            return Ok(Token::End);
        };
        if first.is_ascii_alphabetic() || first == '_' {
            let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
            return Ok(Token::Name(self.advance(end).to_owned()));
        }
        if first.is_ascii_digit() {
            return self.number();
        }
        if first == '"' || first == '\'' {
            return self.quoted(first);
        }
        if let Some(level) = long_bracket(self.rest) {
            return Ok(Token::Text(self.long(level)?));
        }
        let sign = SIGNS.into_iter().find(|sign| self.rest.starts_with(sign));
        let sign = sign.ok_or_else(|| self.fault(&format!("`{first}` cannot be read")))?;
        self.advance(sign.len());
        Ok(Token::Sign(sign))
    }

    fn number(&mut self) -> Result<Token, SchemaFault> {
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '.';
        let mut end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let has_exponent = self.rest[..end].ends_with(['e', 'E']) && !self.rest.starts_with("0x");
        if has_exponent && self.rest[end..].starts_with(['+', '-']) {
            let more = &self.rest[end + 1..];
            end += 1 + more.find(|c| !is_part(c)).unwrap_or(more.len());
        }
        let line = self.line;
        let text = self.advance(end).to_owned();
        let hexadecimal = text
            .strip_prefix("0x")
            .or_else(|| text.strip_prefix("0X"))
            .and_then(|digits| u32::from_str_radix(digits, 16).ok())
            .map(f64::from);
        let number = hexadecimal.or_else(|| text.parse().ok());
        let number = number.filter(|number: &f64| number.is_finite());
        let fault = || SchemaFault::new(line, format!("`{text}` is no number"));
        Ok(Token::Number(number.ok_or_else(fault)?))
    }

    fn quoted(&mut self, quote: char) -> Result<Token, SchemaFault> {
        let mut text = String::new();
        let mut characters = self.rest.char_indices().skip(1);
        while let Some((at, character)) = characters.next() {
            match character {
                '\n' => break,
                '\\' => {
                    let Some((_, escaped)) = characters.next() else {
                        break;
                    };
                    text.push(match escaped {
                        'n' => '\n',
                        't' => '\t',
                        'r' => '\r',
                        '\\' | '"' | '\'' | '\n' => escaped,
                        other => {
                            return Err(self.fault(&format!("the escape `\\{other}` is not read")));
                        }
                    });
                }
                end if end == quote => {
                    self.advance(at + 1);
                    return Ok(Token::Text(text));
                }
                other => text.push(other),
            }
        }
        Err(self.fault("a text does not end"))
    }

    /// A text between long brackets, whose first one is next.
    fn long(&mut self, level: usize) -> Result<String, SchemaFault> {
        let end = format!("]{}]", "=".repeat(level));
        let start = level + 2;
        let Some(length) = self.rest[start..].find(&end) else {
            return Err(self.fault("a text does not end"));
        };
        let whole = self.advance(start + length + end.len());
        let text = &whole[start..start + length];
        let text = text
            .strip_prefix("\r\n")
            .or_else(|| text.strip_prefix('\n'))
            .unwrap_or(text);
        Ok(text.to_owned())
    }
}

/// The level of the long bracket that a text begins with.
fn long_bracket(text: &str) -> Option<usize> {
    let rest = text.strip_prefix('[')?;
    let level = rest.len() - rest.trim_start_matches('=').len();
    rest[level..].starts_with('[').then_some(level)
}

//! Texts with expressions, `Bearer $(headers.token or "none")`, as the transforming plugins take
//! them.
//!
//! Compat: the reference runs any Lua expression. Here the part of Lua that configurations use is
//! understood: indexing, literals, `and`, `or`, `not`, comparison, arithmetic, `..`, and some
//! functions on texts. Anything else is told apart when the configuration is compiled, and fails
//! the request as an error in a template does in the reference.

mod evaluate;
mod expression;
mod parse;
#[cfg(test)]
mod tests;
mod value;

use bytes::Bytes;

pub(crate) use value::Value;

/// What expressions can look at.
pub(crate) trait Scope {
    /// A request header; underscores in the name stand for dashes.
    fn header(&self, name: &[u8]) -> Value;
    /// A parameter of the query.
    fn parameter(&self, name: &[u8]) -> Value;
    /// What the route's path pattern captured, by name or number.
    fn capture(&self, name: &Value) -> Value;
}

/// Why a template cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TemplateError {
    /// The text of an expression.
    #[error("`$({expression})` is not understood: {reason}")]
    Syntax { expression: String, reason: String },
    /// An expression that fails for this request.
    #[error("an expression fails: {0}")]
    Runtime(&'static str),
}

/// A prepared text.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug)]
enum Piece {
    Text(Bytes),
    Expression(expression::Expression),
}

impl Template {
    /// Prepares a text.
    ///
    /// # Errors
    ///
    /// [`TemplateError::Syntax`] with the expression that is not understood.
    pub(crate) fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find("$(") {
            push_text(&mut pieces, &rest[..at]);
            let inner = &rest[at + 2..];
            let end = closing(inner).ok_or_else(|| TemplateError::Syntax {
                expression: inner.to_owned(),
                reason: "the closing parenthesis is missing".to_owned(),
            })?;
            pieces.push(Piece::Expression(parse::expression(&inner[..end])?));
            rest = &inner[end + 1..];
        }
        push_text(&mut pieces, rest);
        Ok(Self { pieces })
    }

    /// The text for a request. Nothing (`nil`) is written as an empty text.
    ///
    /// # Errors
    ///
    /// [`TemplateError::Runtime`] if an expression fails.
    pub(crate) fn render(&self, scope: &dyn Scope) -> Result<Bytes, TemplateError> {
        if let [Piece::Text(text)] = self.pieces.as_slice() {
            return Ok(text.clone());
        }
        let mut out = Vec::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => out.extend_from_slice(text),
                Piece::Expression(expression) => {
                    evaluate::evaluate(expression, scope)?.write(&mut out);
                }
            }
        }
        Ok(Bytes::from(out))
    }
}

fn push_text(pieces: &mut Vec<Piece>, text: &str) {
    if !text.is_empty() {
        pieces.push(Piece::Text(Bytes::copy_from_slice(text.as_bytes())));
    }
}

/// Where the parenthesis opened before the text is closed. Texts in quotation marks count as
/// what they are.
fn closing(text: &str) -> Option<usize> {
    let (mut depth, mut quote, mut escaped) = (0_usize, None, false);
    for (at, byte) in text.bytes().enumerate() {
        if escaped {
            escaped = false;
            continue;
        }
        match (quote, byte) {
            (Some(_), b'\\') => escaped = true,
            (Some(open), _) if open == byte => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'(') => depth += 1,
            (None, b')') if depth == 0 => return Some(at),
            (None, b')') => depth -= 1,
            (None, _) => {}
        }
    }
    None
}

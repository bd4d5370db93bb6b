//! Why a text is no expression. `Compat:` the messages are those of the reference's matcher.

use std::fmt;

use thiserror::Error;

/// What is wrong with an expression.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ExpressionError {
    /// The text cannot be read.
    #[error(transparent)]
    Syntax(SyntaxError),
    /// A field does not exist where the route listens.
    #[error("Unknown LHS field")]
    UnknownField,
    /// Segments of the path are wrongly numbered.
    #[error("illformed http.path.segments.* field")]
    BadSegments,
    /// The sides of a comparison are of different types.
    #[error("Type mismatch between the LHS and RHS values of predicate")]
    TypeMismatch,
    /// `lower()` of something that is no text.
    #[error("lower-case transformation function only supported with String type fields")]
    LowerOfNoText,
    /// `~` on something that is no text.
    #[error("Regex operators only supports string operands")]
    PatternOnNoText,
    /// `^=` or `=^` on something that is no text.
    #[error("Regex/Prefix/Postfix operators only supports string operands")]
    EndOfNoText,
    /// An order of something that is no number.
    #[error("Greater/GreaterOrEqual/Lesser/LesserOrEqual operators only supports integer operands")]
    OrderOfNoInteger,
    /// `in` with something else than an address and a block.
    #[error("In/NotIn operators only supports IP in CIDR")]
    NoBlock,
    /// `contains` on something that is no text.
    #[error("Contains operator only supports string operands")]
    ContainsInNoText,
}

/// A fault of the text, shown with its line and a mark under the place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// Line, from one.
    pub line: usize,
    /// Column in characters, from one.
    pub column: usize,
    /// The line.
    text: String,
    /// How many characters are marked; `None` when only the place is known.
    marked: Option<usize>,
    message: String,
}

impl SyntaxError {
    /// A fault at a byte of the text.
    pub(crate) fn at(source: &str, at: usize, message: impl Into<String>) -> Self {
        Self::new(source, at, None, message.into())
    }

    /// A fault of a part of the text.
    pub(crate) fn span(
        source: &str,
        (start, end): (usize, usize),
        message: impl Into<String>,
    ) -> Self {
        let part = source.get(start..end).unwrap_or_default();
        Self::new(source, start, Some(part.chars().count()), message.into())
    }

    fn new(source: &str, at: usize, marked: Option<usize>, message: String) -> Self {
        let before = source.get(..at).unwrap_or(source);
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = source.get(start..).unwrap_or_default();
        Self {
            line: before.matches('\n').count() + 1,
            column: before.get(start..).map_or(0, |part| part.chars().count()) + 1,
            text: line.split('\n').next().unwrap_or_default().to_owned(),
            marked,
            message,
        }
    }
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.line.to_string();
        let space = " ".repeat(number.len());
        let before = self.text.chars().take(self.column - 1);
        let indent: String = before.map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
        let mark = match self.marked {
            None => "^---".to_owned(),
            Some(0 | 1) => "^".to_owned(),
            Some(count) => format!("^{}^", "-".repeat(count - 2)),
        };
        let text = self.text.trim_end_matches('\r');
        writeln!(f, "{space}--> {number}:{}", self.column)?;
        writeln!(f, "{space} |")?;
        writeln!(f, "{number} | {text}")?;
        writeln!(f, "{space} | {indent}{mark}")?;
        writeln!(f, "{space} |")?;
        write!(f, "{space} = {}", self.message)
    }
}

impl std::error::Error for SyntaxError {}

impl From<SyntaxError> for ExpressionError {
    fn from(error: SyntaxError) -> Self {
        Self::Syntax(error)
    }
}

//! From text to expression. `||` binds tighter than `&&`, as in the reference.
//!
//! The types are checked after the whole text has been read, as there.

use crate::{
    ast::{Expression, Left, Operator, Predicate, Value},
    check,
    error::{ExpressionError, SyntaxError},
    field::{Field, Named, Subsystem},
    literal,
    text::Text,
};

/// Longest expression in bytes.
const LENGTH_LIMIT: usize = 65_536;
/// Deepest nesting of parentheses.
const DEPTH_LIMIT: usize = 100;
const FUNCTIONS_LIMIT: usize = 16;

/// A comparison before its field is looked up.
struct Raw<'t> {
    name: &'t str,
    is_lower: bool,
    is_any: bool,
    operator: Operator,
    right: Value,
}

/// What was read, in the shape of [`Expression`].
enum Tree<'t> {
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    Predicate(Raw<'t>),
}

/// Reads and checks.
pub(crate) fn parse(source: &str, subsystem: Subsystem) -> Result<Expression, ExpressionError> {
    if source.len() > LENGTH_LIMIT {
        let message = format!("longer than {LENGTH_LIMIT} bytes");
        return Err(SyntaxError::at(source, 0, message).into());
    }
    let mut text = Text::new(source);
    text.skip_blanks();
    let tree = conjunction(&mut text, DEPTH_LIMIT)?;
    text.skip_blanks();
    if !text.rest().is_empty() {
        return Err(text.expected("EOI, and_op, or or_op").into());
    }
    checked(tree, subsystem)
}

fn checked(tree: Tree<'_>, subsystem: Subsystem) -> Result<Expression, ExpressionError> {
    let all = |parts: Vec<Tree<'_>>| {
        let checked = parts.into_iter().map(|part| checked(part, subsystem));
        checked.collect::<Result<Vec<_>, _>>()
    };
    Ok(match tree {
        Tree::All(parts) => Expression::All(all(parts)?),
        Tree::Any(parts) => Expression::Any(all(parts)?),
        Tree::Not(inner) => Expression::Not(Box::new(checked(*inner, subsystem)?)),
        Tree::Predicate(raw) => {
            let field = match Field::named(raw.name, subsystem) {
                Named::Field(field) => field,
                Named::BadSegments => return Err(ExpressionError::BadSegments),
                Named::Unknown => return Err(ExpressionError::UnknownField),
            };
            let left = Left {
                field,
                is_lower: raw.is_lower,
                is_any: raw.is_any,
            };
            check::types(&left, raw.operator, &raw.right)?;
            Expression::Predicate(Predicate {
                left,
                operator: raw.operator,
                right: raw.right,
            })
        }
    })
}

/// Terms with `&&` and `||` between them.
fn conjunction<'t>(text: &mut Text<'t>, depth: usize) -> Result<Tree<'t>, SyntaxError> {
    let mut all = Vec::new();
    loop {
        let mut any = vec![term(text, depth)?];
        while takes(text, "||") {
            any.push(term(text, depth)?);
        }
        all.push(one_or(any, Tree::Any));
        if !takes(text, "&&") {
            return Ok(one_or(all, Tree::All));
        }
    }
}

fn one_or<'t>(mut parts: Vec<Tree<'t>>, many: fn(Vec<Tree<'t>>) -> Tree<'t>) -> Tree<'t> {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        last => {
            parts.extend(last);
            many(parts)
        }
    }
}

/// Passes over an operator between terms and the blanks around it.
fn takes(text: &mut Text<'_>, operator: &str) -> bool {
    let start = *text;
    text.skip_blanks();
    let is_there = text.take(operator);
    if is_there {
        text.skip_blanks();
    } else {
        *text = start;
    }
    is_there
}

fn term<'t>(text: &mut Text<'t>, depth: usize) -> Result<Tree<'t>, SyntaxError> {
    let start = *text;
    let is_not = text.take("!");
    text.skip_blanks();
    if !text.take("(") {
        *text = start;
        if is_not || text.rest().is_empty() {
            return Err(text.expected("term"));
        }
        return predicate(text).map(Tree::Predicate);
    }
    let Some(depth) = depth.checked_sub(1) else {
        let message = format!("more than {DEPTH_LIMIT} parentheses inside each other");
        return Err(text.fault_since(start.at, message));
    };
    text.skip_blanks();
    let inner = conjunction(text, depth)?;
    text.skip_blanks();
    if !text.take(")") {
        return Err(text.expected("and_op or or_op"));
    }
    Ok(if is_not {
        Tree::Not(Box::new(inner))
    } else {
        inner
    })
}

fn predicate<'t>(text: &mut Text<'t>) -> Result<Raw<'t>, SyntaxError> {
    let Some(left) = left(text, FUNCTIONS_LIMIT)? else {
        return Err(text.expected("term"));
    };
    text.skip_blanks();
    let Some(operator) = operator(text) else {
        return Err(text.expected("binary_operator"));
    };
    text.skip_blanks();
    let start = text.at;
    let right = literal::read(text)?;
    if operator == Operator::Matches {
        let message = match &right {
            Value::Text(pattern) => check::pattern(pattern).err(),
            _ => Some("regex operator can only be used with String operands".to_owned()),
        };
        if let Some(message) = message {
            return Err(text.fault_since(start, message));
        }
    }
    Ok(Raw {
        name: left.name,
        is_lower: left.is_lower,
        is_any: left.is_any,
        operator,
        right,
    })
}

struct RawLeft<'t> {
    name: &'t str,
    is_lower: bool,
    is_any: bool,
}

/// A name, or functions around one; `None` when there is no name.
fn left<'t>(text: &mut Text<'t>, functions: usize) -> Result<Option<RawLeft<'t>>, SyntaxError> {
    let start = text.at;
    let Some(name) = text.take_name() else {
        return Ok(None);
    };
    let behind = *text;
    text.skip_blanks();
    if !text.take("(") {
        *text = behind;
        return Ok(Some(RawLeft {
            name,
            is_lower: false,
            is_any: false,
        }));
    }
    text.skip_blanks();
    let Some(functions) = functions.checked_sub(1) else {
        let message = format!("more than {FUNCTIONS_LIMIT} functions inside each other");
        return Err(text.fault_since(start, message));
    };
    let argument = text.at;
    let Some(mut inner) = left(text, functions)? else {
        return Err(text.expected("lhs"));
    };
    text.skip_blanks();
    if !text.take(")") {
        text.at = argument;
        return Err(text.expected("transform_func"));
    }
    match name {
        "lower" => inner.is_lower = true,
        "any" => inner.is_any = true,
        unknown => {
            let message = format!("unknown transformation function: {unknown}");
            return Err(text.fault_since(start, message));
        }
    }
    Ok(Some(inner))
}

fn operator(text: &mut Text<'_>) -> Option<Operator> {
    const OPERATORS: [(&str, Operator); 12] = [
        ("==", Operator::Equals),
        ("!=", Operator::NotEquals),
        ("~", Operator::Matches),
        ("^=", Operator::Prefix),
        ("=^", Operator::Suffix),
        (">=", Operator::GreaterOrEqual),
        (">", Operator::Greater),
        ("<=", Operator::LessOrEqual),
        ("<", Operator::Less),
        ("in", Operator::In),
        ("not", Operator::NotIn),
        ("contains", Operator::Contains),
    ];
    let found = OPERATORS.into_iter().find(|(token, _)| text.take(token));
    let (token, operator) = found?;
    if operator == Operator::NotIn {
        let start = *text;
        text.skip_blanks();
        if !text.take("in") {
            *text = start;
            text.at -= token.len();
            return None;
        }
    }
    Some(operator)
}

//! Computing expressions for a request.

use std::cmp::Ordering;

use super::expression::{Expression, Function, Operator, Table};
use super::value::Value;
use super::{Scope, TemplateError};

/// Longest text that an expression may make, in bytes.
const TEXT_MAX: usize = 64 * 1024;

type Outcome = Result<Value, TemplateError>;

/// The value of an expression.
pub(super) fn evaluate(expression: &Expression, scope: &dyn Scope) -> Outcome {
    match expression {
        Expression::Literal(value) => Ok(value.clone()),
        Expression::Member(table, key) => member(*table, &evaluate(key, scope)?, scope),
        Expression::Not(inner) => Ok(Value::Bool(!evaluate(inner, scope)?.is_true())),
        Expression::Negative(inner) => number(&evaluate(inner, scope)?).map(|n| Value::Number(-n)),
        Expression::Length(inner) => length(&evaluate(inner, scope)?),
        Expression::Binary(operator, left, right) => {
            let left = evaluate(left, scope)?;
            match operator {
                Operator::Or if left.is_true() => Ok(left),
                Operator::And if !left.is_true() => Ok(left),
                Operator::Or | Operator::And => evaluate(right, scope),
                operator => binary(*operator, &left, &evaluate(right, scope)?),
            }
        }
        Expression::Call(function, arguments) => {
            let values: Result<Vec<_>, _> =
                arguments.iter().map(|one| evaluate(one, scope)).collect();
            call(*function, &values?)
        }
    }
}

fn member(table: Table, key: &Value, scope: &dyn Scope) -> Outcome {
    let name = match key {
        Value::Text(name) => name.as_ref(),
        _ => &[],
    };
    Ok(match table {
        Table::Headers => scope.header(name),
        Table::QueryParams => scope.parameter(name),
        Table::UriCaptures => scope.capture(key),
        Table::Shared => Value::Nil,
    })
}

fn number(value: &Value) -> Result<f64, TemplateError> {
    value.number().ok_or(TemplateError::Runtime(
        "arithmetic on something that is no number",
    ))
}

fn length(value: &Value) -> Outcome {
    match value {
        Value::Text(text) => Ok(count(text.len())),
        _ => Err(TemplateError::Runtime(
            "the length of something that is no text",
        )),
    }
}

fn count(length: usize) -> Value {
    Value::Number(u32::try_from(length).map_or(f64::MAX, f64::from))
}

fn binary(operator: Operator, left: &Value, right: &Value) -> Outcome {
    let arithmetic =
        |compute: fn(f64, f64) -> f64| Ok(Value::Number(compute(number(left)?, number(right)?)));
    let compared =
        |holds: fn(Ordering) -> bool| compare(left, right).map(|o| Value::Bool(holds(o)));
    match operator {
        Operator::Equal => Ok(Value::Bool(left == right)),
        Operator::Unequal => Ok(Value::Bool(left != right)),
        Operator::Less => compared(Ordering::is_lt),
        Operator::LessOrEqual => compared(Ordering::is_le),
        Operator::Greater => compared(Ordering::is_gt),
        Operator::GreaterOrEqual => compared(Ordering::is_ge),
        Operator::Add => arithmetic(|a, b| a + b),
        Operator::Subtract => arithmetic(|a, b| a - b),
        Operator::Multiply => arithmetic(|a, b| a * b),
        Operator::Divide => arithmetic(|a, b| a / b),
        Operator::Modulo => arithmetic(|a, b| a - (a / b).floor() * b),
        Operator::Concat => concat(left, right),
        // Decided before both sides are known.
        Operator::Or | Operator::And => Ok(right.clone()),
    }
}

fn compare(left: &Value, right: &Value) -> Result<Ordering, TemplateError> {
    let order = match (left, right) {
        (Value::Number(a), Value::Number(b)) => a.partial_cmp(b),
        (Value::Text(a), Value::Text(b)) => Some(a.cmp(b)),
        _ => None,
    };
    order.ok_or(TemplateError::Runtime(
        "comparison of different kinds of values",
    ))
}

fn concat(left: &Value, right: &Value) -> Outcome {
    let mut text = Vec::new();
    for value in [left, right] {
        if !matches!(value, Value::Text(_) | Value::Number(_)) {
            return Err(TemplateError::Runtime("joining something that is no text"));
        }
        value.write(&mut text);
    }
    bounded(text)
}

fn bounded(text: Vec<u8>) -> Outcome {
    if text.len() > TEXT_MAX {
        return Err(TemplateError::Runtime("the text becomes too long"));
    }
    Ok(Value::Text(text.into()))
}

fn call(function: Function, arguments: &[Value]) -> Outcome {
    let first = arguments.first().unwrap_or(&Value::Nil);
    match function {
        Function::Type => return Ok(Value::text(first.type_name().as_bytes())),
        Function::ToNumber => return Ok(first.number().map_or(Value::Nil, Value::Number)),
        Function::ToString if *first == Value::Nil => return Ok(Value::text(b"nil")),
        _ => {}
    }
    let mut text = Vec::new();
    match (function, first) {
        (Function::ToString, _) | (_, Value::Text(_) | Value::Number(_)) => first.write(&mut text),
        _ => {
            return Err(TemplateError::Runtime(
                "a function on texts got something else",
            ));
        }
    }
    match function {
        Function::Lower => text.make_ascii_lowercase(),
        Function::Upper => text.make_ascii_uppercase(),
        Function::Reverse => text.reverse(),
        Function::Len => return Ok(count(text.len())),
        Function::Sub => return Ok(sub(&text, arguments)),
        Function::Rep => {
            let times = arguments.get(1).and_then(Value::number).unwrap_or(0.0);
            let times = whole(times).max(0).unsigned_abs();
            if text.len().saturating_mul(times) > TEXT_MAX {
                return Err(TemplateError::Runtime("the text becomes too long"));
            }
            text = text.repeat(times);
        }
        Function::ToString | Function::ToNumber | Function::Type => {}
    }
    bounded(text)
}

/// The number without its fraction, within a range that is more than any text has.
fn whole(number: f64) -> isize {
    let bounded = number.clamp(-1_000_000_000.0, 1_000_000_000.0).trunc();
    format!("{bounded:.0}").parse().unwrap_or(0)
}

/// Compat: places count from 1, or from the end if they are negative.
fn sub(text: &[u8], arguments: &[Value]) -> Value {
    let length = isize::try_from(text.len()).unwrap_or(isize::MAX);
    let place = |at: usize, default: isize| {
        let given = arguments.get(at).and_then(Value::number);
        let place = given.map_or(default, whole);
        if place < 0 { length + place + 1 } else { place }
    };
    let start = place(1, 1).max(1);
    let end = place(2, -1).min(length);
    if start > end {
        return Value::text(b"");
    }
    let range = usize::try_from(start - 1).unwrap_or(0)..usize::try_from(end).unwrap_or(0);
    Value::text(text.get(range).unwrap_or_default())
}

//! Reading expressions.

use super::TemplateError;
use super::expression::{Expression, Function, Operator, Table};
use super::value::Value;

/// Deepest nesting of an expression.
const DEPTH_MAX: usize = 32;

/// Reads an expression.
pub(super) fn expression(text: &str) -> Result<Expression, TemplateError> {
    let mut parser = Parser {
        rest: text,
        depth: 0,
    };
    let parsed = parser.binary(0).and_then(|parsed| {
        parser.skip_space();
        if parser.rest.is_empty() {
            Ok(parsed)
        } else {
            Err(format!("`{}` is unexpected", parser.rest))
        }
    });
    parsed.map_err(|reason| TemplateError::Syntax {
        expression: text.to_owned(),
        reason,
    })
}

struct Parser<'t> {
    rest: &'t str,
    depth: usize,
}

impl<'t> Parser<'t> {
    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    /// Takes a token of signs.
    fn eat(&mut self, token: &str) -> bool {
        self.skip_space();
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, token: &str) -> Result<(), String> {
        if self.eat(token) {
            return Ok(());
        }
        Err(format!("`{token}` is missing before `{}`", self.rest))
    }

    /// Takes a name.
    fn name(&mut self) -> Option<&'t str> {
        self.skip_space();
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        self.rest = rest;
        Some(name)
    }

    fn operator(&mut self) -> Option<Operator> {
        const SIGNS: [(&str, Operator); 12] = [
            ("<=", Operator::LessOrEqual),
            (">=", Operator::GreaterOrEqual),
            ("==", Operator::Equal),
            ("~=", Operator::Unequal),
            ("..", Operator::Concat),
            ("<", Operator::Less),
            (">", Operator::Greater),
            ("+", Operator::Add),
            ("-", Operator::Subtract),
            ("*", Operator::Multiply),
            ("/", Operator::Divide),
            ("%", Operator::Modulo),
        ];
        let before = self.rest;
        if let Some((_, operator)) = SIGNS.into_iter().find(|(sign, _)| self.eat(sign)) {
            return Some(operator);
        }
        match self.name() {
            Some("or") => Some(Operator::Or),
            Some("and") => Some(Operator::And),
            _ => {
                self.rest = before;
                None
            }
        }
    }

    /// An expression of operators that bind tighter than `rank`.
    fn binary(&mut self, rank: u8) -> Result<Expression, String> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err("it is nested too deeply".to_owned());
        }
        let mut left = self.unary()?;
        loop {
            let before = self.rest;
            let Some(operator) = self.operator().filter(|operator| operator.rank() > rank) else {
                self.rest = before;
                self.depth -= 1;
                return Ok(left);
            };
            // `..` groups to the right.
            let right_rank = match operator {
                Operator::Concat => operator.rank() - 1,
                _ => operator.rank(),
            };
            let right = self.binary(right_rank)?;
            left = Expression::Binary(operator, Box::new(left), Box::new(right));
        }
    }

    fn unary(&mut self) -> Result<Expression, String> {
        let before = self.rest;
        if self.name() == Some("not") {
            return Ok(Expression::Not(Box::new(self.binary(6)?)));
        }
        self.rest = before;
        if self.eat("-") {
            return Ok(Expression::Negative(Box::new(self.binary(6)?)));
        }
        if self.eat("#") {
            return Ok(Expression::Length(Box::new(self.binary(6)?)));
        }
        let primary = self.primary()?;
        self.methods(primary)
    }

    fn primary(&mut self) -> Result<Expression, String> {
        self.skip_space();
        if self.eat("(") {
            let inner = self.binary(0)?;
            self.expect(")")?;
            return Ok(inner);
        }
        if self.rest.starts_with(['"', '\'']) {
            return self.quoted().map(Expression::Literal);
        }
        if self.rest.starts_with(|c: char| c.is_ascii_digit()) {
            return self.number();
        }
        let Some(name) = self.name() else {
            return Err(format!("a value is missing before `{}`", self.rest));
        };
        match name {
            "nil" => Ok(Expression::Literal(Value::Nil)),
            "true" => Ok(Expression::Literal(Value::Bool(true))),
            "false" => Ok(Expression::Literal(Value::Bool(false))),
            "headers" => self.member(Table::Headers),
            "query_params" => self.member(Table::QueryParams),
            "uri_captures" => self.member(Table::UriCaptures),
            "shared" => self.member(Table::Shared),
            "tostring" => self.call(Function::ToString, Vec::new()),
            "tonumber" => self.call(Function::ToNumber, Vec::new()),
            "type" => self.call(Function::Type, Vec::new()),
            "string" => {
                self.expect(".")?;
                let function = self.string_function()?;
                self.call(function, Vec::new())
            }
            other => Err(format!("`{other}` is not known here")),
        }
    }

    fn string_function(&mut self) -> Result<Function, String> {
        let name = self.name().unwrap_or_default();
        Function::of_string(name).ok_or_else(|| format!("`string.{name}` is not known here"))
    }

    /// Calls of functions on a text: `headers.a:lower()`.
    fn methods(&mut self, mut value: Expression) -> Result<Expression, String> {
        while self.eat(":") {
            let function = self.string_function()?;
            value = self.call(function, vec![value])?;
        }
        Ok(value)
    }

    fn call(
        &mut self,
        function: Function,
        mut arguments: Vec<Expression>,
    ) -> Result<Expression, String> {
        self.expect("(")?;
        if !self.eat(")") {
            loop {
                arguments.push(self.binary(0)?);
                if self.eat(")") {
                    break;
                }
                self.expect(",")?;
            }
        }
        Ok(Expression::Call(function, arguments))
    }

    fn member(&mut self, table: Table) -> Result<Expression, String> {
        let key = if self.eat("[") {
            let key = self.binary(0)?;
            self.expect("]")?;
            key
        } else {
            self.expect(".")?;
            let name = self
                .name()
                .ok_or_else(|| "the name of a member is missing".to_owned())?;
            Expression::Literal(Value::text(name.as_bytes()))
        };
        Ok(Expression::Member(table, Box::new(key)))
    }

    fn number(&mut self) -> Result<Expression, String> {
        let end = self
            .rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at(end);
        // `1..2` joins two numbers.
        let digits = digits.split("..").next().unwrap_or_default();
        self.rest = match digits.len() == end {
            true => rest,
            false => &self.rest[digits.len()..],
        };
        let number = digits
            .parse()
            .map_err(|_| format!("`{digits}` is no number"))?;
        Ok(Expression::Literal(Value::Number(number)))
    }

    fn quoted(&mut self) -> Result<Value, String> {
        let mut bytes = self.rest.bytes();
        let quote = bytes.next().unwrap_or_default();
        let mut text = Vec::new();
        let mut length = 1;
        loop {
            let byte = bytes.next().ok_or("a text is not closed")?;
            length += 1;
            match byte {
                b'\\' => {
                    length += 1;
                    text.push(match bytes.next().ok_or("a text is not closed")? {
                        b'n' => b'\n',
                        b't' => b'\t',
                        b'r' => b'\r',
                        other => other,
                    });
                }
                byte if byte == quote => break,
                byte => text.push(byte),
            }
        }
        self.rest = self.rest.get(length..).ok_or("a text is not closed")?;
        Ok(Value::text(&text))
    }
}

//! Lua text to a constant value: `local` names, tables, and one `return`.

use std::collections::HashMap;

use super::fault::SchemaFault;
use super::lexer::{Token, tokens};
use super::value::{Lua, Table};

/// How deep tables and brackets may lie in each other.
const MAX_DEPTH: usize = 64;
/// Values that a text may make, copies of names included.
const MAX_VALUES: usize = 100_000;

/// The only module that can be asked for.
const TYPEDEFS: &str = "kong.db.schema.typedefs";

/// The value that a text returns.
pub(super) fn run(text: &str) -> Result<Lua, SchemaFault> {
    let mut parser = Parser {
        tokens: tokens(text)?,
        at: 0,
        names: HashMap::new(),
        depth: 0,
        values: 0,
    };
    parser.block()
}

struct Parser {
    tokens: Vec<(Token, usize)>,
    at: usize,
    names: HashMap<String, Lua>,
    depth: usize,
    values: usize,
}

impl Parser {
    fn peek(&self) -> &Token {
        // The last token is `End` and is never passed.
        &self.tokens[self.at.min(self.tokens.len() - 1)].0
    }

    fn take(&mut self) -> Token {
        let token = self.peek().clone();
        self.at += 1;
        token
    }

    fn fault(&self, reason: impl Into<String>) -> SchemaFault {
        let line = self.tokens[self.at.min(self.tokens.len() - 1)].1;
        SchemaFault::new(line, reason)
    }

    fn is_sign(&self, sign: &str) -> bool {
        matches!(self.peek(), Token::Sign(found) if *found == sign)
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Token::Name(found) if found == word)
    }

    fn accept(&mut self, sign: &str) -> bool {
        let is_there = self.is_sign(sign);
        self.at += usize::from(is_there);
        is_there
    }

    fn expect(&mut self, sign: &str) -> Result<(), SchemaFault> {
        if self.accept(sign) {
            return Ok(());
        }
        Err(self.fault(format!("expected `{sign}`")))
    }

    fn name(&mut self) -> Result<String, SchemaFault> {
        match self.peek().clone() {
            Token::Name(name) => {
                self.at += 1;
                Ok(name)
            }
            _ => Err(self.fault("expected a name")),
        }
    }

    fn block(&mut self) -> Result<Lua, SchemaFault> {
        loop {
            if self.accept(";") {
                continue;
            }
            let word = match self.peek() {
                Token::Name(word) => word.clone(),
                Token::End => return Err(self.fault("the text returns nothing")),
                _ => return Err(self.fault("expected `local` or `return`")),
            };
            match word.as_str() {
                "return" => {
                    self.at += 1;
                    let value = self.expression()?;
                    self.accept(";");
                    if *self.peek() == Token::End {
                        return Ok(value);
                    }
                    return Err(self.fault("nothing may follow what is returned"));
                }
                "local" => self.local()?,
                "function" => {
                    self.at += 1;
                    while !self.is_sign("(") && *self.peek() != Token::End {
                        self.at += 1;
                    }
                    self.skip_function()?;
                }
                _ => self.assignment()?,
            }
        }
    }

    fn local(&mut self) -> Result<(), SchemaFault> {
        self.at += 1;
        if self.is_word("function") {
            self.at += 1;
            let name = self.name()?;
            self.skip_function()?;
            self.names.insert(name, Lua::Function);
            return Ok(());
        }
        let mut names = vec![self.name()?];
        while self.accept(",") {
            names.push(self.name()?);
        }
        let mut values = Vec::new();
        if self.accept("=") {
            values.push(self.expression()?);
            while self.accept(",") {
                values.push(self.expression()?);
            }
        }
        let mut values = values.into_iter();
        for name in names {
            self.names.insert(name, values.next().unwrap_or(Lua::Nil));
        }
        Ok(())
    }

    /// `name = value` and `name.member = value`.
    fn assignment(&mut self) -> Result<(), SchemaFault> {
        let only = "only `local` names, tables and `return` can be read without running the text";
        let name = self.name()?;
        let member = if self.accept(".") {
            Some(self.name()?)
        } else {
            None
        };
        if !self.accept("=") {
            return Err(self.fault(only));
        }
        let value = self.expression()?;
        match (member, self.names.get_mut(&name)) {
            (None, _) => {
                self.names.insert(name, value);
                Ok(())
            }
            (Some(member), Some(Lua::Table(table))) => {
                table.set(member, value);
                Ok(())
            }
            _ => Err(self.fault(only)),
        }
    }

    fn expression(&mut self) -> Result<Lua, SchemaFault> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.fault(format!("nested more than {MAX_DEPTH} deep")));
        }
        let value = self.sum();
        self.depth -= 1;
        value
    }

    fn sum(&mut self) -> Result<Lua, SchemaFault> {
        let mut value = self.product()?;
        loop {
            let sign = match self.peek() {
                Token::Sign(sign @ ("+" | "-" | "..")) => *sign,
                Token::Sign(sign @ ("==" | "~=" | "<" | ">" | "<=" | ">=" | "%")) => {
                    return Err(self.fault(format!("`{sign}` is not read")));
                }
                Token::Name(word) if word == "and" || word == "or" => {
                    return Err(self.fault(format!("`{word}` is not read")));
                }
                _ => return Ok(value),
            };
            self.at += 1;
            let right = self.product()?;
            value = match (value, sign, right) {
                (Lua::Number(a), "+", Lua::Number(b)) => Lua::Number(a + b),
                (Lua::Number(a), "-", Lua::Number(b)) => Lua::Number(a - b),
                (Lua::Text(a), "..", Lua::Text(b)) => Lua::Text(a + &b),
                _ => return Err(self.fault(format!("`{sign}` does not fit its operands"))),
            };
        }
    }

    fn product(&mut self) -> Result<Lua, SchemaFault> {
        let mut value = self.unary()?;
        loop {
            let is_product = match self.peek() {
                Token::Sign("*") => true,
                Token::Sign("/") => false,
                _ => return Ok(value),
            };
            self.at += 1;
            value = match (value, self.unary()?) {
                (Lua::Number(a), Lua::Number(b)) if is_product => Lua::Number(a * b),
                (Lua::Number(a), Lua::Number(b)) if b != 0.0 => Lua::Number(a / b),
                _ => return Err(self.fault("the operands are no numbers")),
            };
        }
    }

    fn unary(&mut self) -> Result<Lua, SchemaFault> {
        if !self.accept("-") {
            return self.primary();
        }
        match self.primary()? {
            Lua::Number(number) => Ok(Lua::Number(-number)),
            _ => Err(self.fault("`-` needs a number")),
        }
    }

    fn primary(&mut self) -> Result<Lua, SchemaFault> {
        self.values += 1;
        if self.values > MAX_VALUES {
            return Err(self.fault(format!("more than {MAX_VALUES} values")));
        }
        let mut value = match self.take() {
            Token::Text(text) => return Ok(Lua::Text(text)),
            Token::Number(number) => return Ok(Lua::Number(number)),
            Token::Sign("{") => return self.table().map(Lua::Table),
            Token::Sign("(") => {
                let value = self.expression()?;
                self.expect(")")?;
                value
            }
            Token::Name(word) => match word.as_str() {
                "nil" => return Ok(Lua::Nil),
                "true" => return Ok(Lua::Bool(true)),
                "false" => return Ok(Lua::Bool(false)),
                "function" => {
                    self.skip_function()?;
                    return Ok(Lua::Function);
                }
                "require" => self.require()?,
                _ => self.named(&word)?,
            },
            _ => {
                self.at -= 1;
                return Err(self.fault("expected a value"));
            }
        };
        loop {
            value = match self.peek() {
                Token::Sign(".") => {
                    self.at += 1;
                    let member = self.name()?;
                    self.member(value, &member)?
                }
                Token::Sign("{" | "(") => self.call(value)?,
                Token::Sign("[" | ":") | Token::Text(_) => {
                    return Err(self.fault("this cannot be read without running the text"));
                }
                _ => return Ok(value),
            };
        }
    }

    fn named(&mut self, name: &str) -> Result<Lua, SchemaFault> {
        let value = self.names.get(name).cloned();
        let value = value.ok_or_else(|| self.fault(format!("`{name}` is not known here")))?;
        // A name used often copies its value each time.
        self.values += count(&value);
        Ok(value)
    }

    fn require(&mut self) -> Result<Lua, SchemaFault> {
        let has_bracket = self.accept("(");
        let Token::Text(module) = self.take() else {
            return Err(self.fault("`require` needs the name of a module"));
        };
        if has_bracket {
            self.expect(")")?;
        }
        if module == TYPEDEFS {
            return Ok(Lua::Typedefs);
        }
        let reason = format!("only `{TYPEDEFS}` can be required, not `{module}`");
        Err(self.fault(reason))
    }

    fn member(&self, value: Lua, member: &str) -> Result<Lua, SchemaFault> {
        match value {
            Lua::Typedefs => Ok(Lua::Typedef(member.to_owned(), Table::default())),
            Lua::Table(table) => Ok(table.get(member).cloned().unwrap_or(Lua::Nil)),
            _ => Err(self.fault(format!("nothing has a member `{member}` here"))),
        }
    }

    /// A usual definition with members changed; other calls cannot be read.
    fn call(&mut self, value: Lua) -> Result<Lua, SchemaFault> {
        let Lua::Typedef(name, mut changed) = value else {
            return Err(self.fault("this call cannot be read without running the text"));
        };
        let has_bracket = self.accept("(");
        if has_bracket && self.accept(")") {
            return Ok(Lua::Typedef(name, changed));
        }
        let Lua::Table(changes) = self.expression()? else {
            return Err(self.fault("a definition is changed by a table"));
        };
        if has_bracket {
            self.expect(")")?;
        }
        for (member, value) in changes.members {
            changed.set(member, value);
        }
        Ok(Lua::Typedef(name, changed))
    }

    fn table(&mut self) -> Result<Table, SchemaFault> {
        let mut table = Table::default();
        loop {
            if self.accept("}") {
                return Ok(table);
            }
            let is_named = matches!(self.peek(), Token::Name(_))
                && matches!(self.tokens.get(self.at + 1), Some((Token::Sign("="), _)));
            if is_named {
                let name = self.name()?;
                self.at += 1;
                let value = self.expression()?;
                table.set(name, value);
            } else if self.accept("[") {
                let key = self.expression()?;
                self.expect("]")?;
                self.expect("=")?;
                let value = self.expression()?;
                match key {
                    Lua::Text(name) => table.set(name, value),
                    Lua::Number(_) => table.list.push(value),
                    _ => return Err(self.fault("a key is a text or a number")),
                }
            } else {
                table.list.push(self.expression()?);
            }
            if !self.accept(",") && !self.accept(";") && !self.is_sign("}") {
                return Err(self.fault("expected `,` or `}`"));
            }
        }
    }

    /// Passes over parameters and body of a function, up to its `end`.
    fn skip_function(&mut self) -> Result<(), SchemaFault> {
        let mut open = 1_usize;
        while open > 0 {
            match self.take() {
                Token::End => return Err(self.fault("a function does not end")),
                Token::Name(word) => match word.as_str() {
                    // `for` and `while` are opened by their `do`.
                    "function" | "if" | "do" | "repeat" => open += 1,
                    "end" | "until" => open -= 1,
                    _ => {}
                },
                _ => {}
            }
        }
        Ok(())
    }
}

fn count(value: &Lua) -> usize {
    match value {
        Lua::Table(table) | Lua::Typedef(_, table) => {
            let members = table.members.iter().map(|(_, value)| value);
            1 + table.list.iter().chain(members).map(count).sum::<usize>()
        }
        _ => 1,
    }
}

//! Licence expressions (SPDX, plus the old `/` for "or") and whether an allow-list satisfies one.

#[cfg(test)]
mod tests;

use anyhow::{Result, bail};

/// A licence expression.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Expression {
    /// One licence, with its exception if it names one: `Apache-2.0 WITH LLVM-exception`.
    Licence(String),
    /// Both sides bind.
    And(Box<Self>, Box<Self>),
    /// Either side may be chosen.
    Or(Box<Self>, Box<Self>),
}

impl Expression {
    /// Reads an expression. `AND` binds tighter than `OR`, parentheses tighter than both.
    ///
    /// # Errors
    /// When the text is no such expression; the error says at which word.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let mut reader = Reader {
            tokens: tokens(text),
            at: 0,
        };
        let expression = reader.alternatives()?;
        match reader.next() {
            None => Ok(expression),
            Some(extra) => bail!("`{extra}` after the end of the licence expression `{text}`"),
        }
    }

    /// Whether someone who accepts only licences for which `accepts` holds can use the work.
    pub(crate) fn is_satisfied(&self, accepts: &impl Fn(&str) -> bool) -> bool {
        match self {
            Self::Licence(name) => accepts(name),
            Self::And(left, right) => left.is_satisfied(accepts) && right.is_satisfied(accepts),
            Self::Or(left, right) => left.is_satisfied(accepts) || right.is_satisfied(accepts),
        }
    }
}

fn tokens(text: &str) -> Vec<String> {
    let spaced = text
        .replace('(', " ( ")
        .replace(')', " ) ")
        .replace('/', " OR ");
    spaced.split_whitespace().map(str::to_owned).collect()
}

struct Reader {
    tokens: Vec<String>,
    at: usize,
}

impl Reader {
    fn alternatives(&mut self) -> Result<Expression> {
        let mut left = self.conjunction()?;
        while self.take("OR") {
            left = Expression::Or(Box::new(left), Box::new(self.conjunction()?));
        }
        Ok(left)
    }

    fn conjunction(&mut self) -> Result<Expression> {
        let mut left = self.single()?;
        while self.take("AND") {
            left = Expression::And(Box::new(left), Box::new(self.single()?));
        }
        Ok(left)
    }

    fn single(&mut self) -> Result<Expression> {
        let Some(word) = self.next() else {
            bail!("the licence expression ends too early")
        };
        if word == "(" {
            let inner = self.alternatives()?;
            if !self.take(")") {
                bail!("a parenthesis of the licence expression is never closed");
            }
            return Ok(inner);
        }
        if is_reserved(&word) {
            bail!("`{word}` stands where a licence should");
        }
        if !self.take("WITH") {
            return Ok(Expression::Licence(word));
        }
        match self.next() {
            Some(exception) if !is_reserved(&exception) => {
                Ok(Expression::Licence(format!("{word} WITH {exception}")))
            }
            _ => bail!("`WITH` names no exception"),
        }
    }

    fn next(&mut self) -> Option<String> {
        let token = self.tokens.get(self.at).cloned();
        self.at += usize::from(token.is_some());
        token
    }

    fn take(&mut self, expected: &str) -> bool {
        let found = self
            .tokens
            .get(self.at)
            .is_some_and(|token| token == expected);
        self.at += usize::from(found);
        found
    }
}

fn is_reserved(word: &str) -> bool {
    matches!(word, "(" | ")" | "AND" | "OR" | "WITH")
}

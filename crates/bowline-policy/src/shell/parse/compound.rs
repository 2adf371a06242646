//! Compound commands: groups, conditions, loops, `case`, arithmetic.

use super::super::lex::{Flavour, Lexer, begins_name, continues_name};
use super::super::tree::{CommandKind, Script, Word};
use super::NotUnderstood;

impl Lexer<'_> {
    pub(super) fn compound_kind(&mut self) -> Result<CommandKind, NotUnderstood> {
        if self.peek() == Some(b'(') {
            return self.parenthesis();
        }
        let word = self.reserved().unwrap_or_default();
        self.eat(word);
        match word {
            "{" => {
                let script = self.body()?;
                self.expect_reserved("}")?;
                Ok(CommandKind::Group(script))
            }
            "[[" => self.conditional(),
            "if" => self.condition(),
            "while" | "until" => {
                let condition = self.body()?;
                let body = self.do_body()?;
                Ok(CommandKind::Loop { condition, body })
            }
            "for" => self.for_loop(true),
            "select" => self.for_loop(false),
            "case" => self.case(),
            _ => Err(self.not_understood("no compound command")),
        }
    }

    /// `( .. )` or `(( .. ))`: arithmetic if the inner parenthesis closes right before the outer.
    fn parenthesis(&mut self) -> Result<CommandKind, NotUnderstood> {
        self.bump();
        if self.peek() != Some(b'(') {
            return self.subshell();
        }
        let inner = self.at + 1;
        let end = self.scan_parenthesis(inner)?;
        if self.text.as_bytes().get(end + 1) == Some(&b')') {
            self.at = inner;
            let expression = self.expression(b')')?;
            if self.at != end {
                return Err(self.not_understood("parentheses that could end elsewhere"));
            }
            self.at = end + 2;
            return Ok(CommandKind::Arithmetic(expression));
        }
        // Bash looks into substitutions there, this search does not.
        let between = &self.text[inner..end];
        if between.contains('$') || between.contains("<(") || between.contains(">(") {
            return Err(self.not_understood("`((` that could be arithmetic"));
        }
        let was = std::mem::replace(&mut self.in_double_parenthesis, true);
        let kind = self.subshell();
        self.in_double_parenthesis = was;
        kind
    }

    fn subshell(&mut self) -> Result<CommandKind, NotUnderstood> {
        let script = self.body()?;
        if self.peek() != Some(b')') {
            return Err(self.not_understood("a subshell without its `)`"));
        }
        self.bump();
        Ok(CommandKind::Subshell(script))
    }

    /// `if`, after the word.
    fn condition(&mut self) -> Result<CommandKind, NotUnderstood> {
        let mut branches = Vec::new();
        loop {
            let condition = self.body()?;
            self.expect_reserved("then")?;
            branches.push((condition, self.body()?));
            if !self.take_reserved("elif") {
                break;
            }
        }
        let otherwise = if self.take_reserved("else") {
            Some(self.body()?)
        } else {
            None
        };
        self.expect_reserved("fi")?;
        Ok(CommandKind::If {
            branches,
            otherwise,
        })
    }

    /// `do .. done`
    fn do_body(&mut self) -> Result<Script, NotUnderstood> {
        self.expect_reserved("do")?;
        let body = self.body()?;
        self.expect_reserved("done")?;
        Ok(body)
    }

    /// A variable's name, as far as there is one.
    pub(super) fn name(&mut self) -> String {
        let mut name = String::new();
        if self.peek().is_some_and(begins_name) {
            while let Some(byte) = self.peek().filter(|byte| continues_name(*byte)) {
                name.push(char::from(byte));
                self.bump();
            }
        }
        name
    }

    /// `for` and `select`, after the word.
    fn for_loop(&mut self, may_be_arithmetic: bool) -> Result<CommandKind, NotUnderstood> {
        self.skip_blanks();
        if may_be_arithmetic && self.sees("((") {
            return self.arithmetic_for();
        }
        let name = self.name();
        let ends = matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b';'));
        if name.is_empty() || !ends {
            return Err(self.not_understood("a loop without a plain variable"));
        }
        self.skip_blanks();
        if self.peek() == Some(b';') {
            self.bump();
            self.skip_newlines()?;
            let (words, body) = (None, self.do_body()?);
            return Ok(CommandKind::For { name, words, body });
        }
        self.skip_newlines()?;
        let words = if self.take_reserved("in") {
            Some(self.loop_words()?)
        } else {
            None
        };
        let body = self.do_body()?;
        Ok(CommandKind::For { name, words, body })
    }

    /// The words of a loop with what ends them.
    fn loop_words(&mut self) -> Result<Vec<Word>, NotUnderstood> {
        let mut words = Vec::new();
        loop {
            self.skip_blanks();
            if matches!(self.peek(), Some(b';' | b'\n')) {
                break;
            }
            let word = self.word(Flavour::Ordinary)?;
            if word.pieces.is_empty() || self.is_redirected(&word) {
                return Err(self.not_understood("a sign among the words of a loop"));
            }
            words.push(word);
        }
        if self.peek() == Some(b';') {
            self.bump();
        }
        self.skip_newlines()?;
        Ok(words)
    }

    /// `for ((a; b; c))`, from the parentheses on.
    fn arithmetic_for(&mut self) -> Result<CommandKind, NotUnderstood> {
        self.eat("((");
        let end = self.scan_parenthesis(self.at)?;
        let mut expressions = Vec::new();
        for is_last in [false, false, true] {
            let expression = self.expression(b';')?;
            if !expression.pieces.is_empty() {
                expressions.push(expression);
            }
            if !is_last && !self.eat(";") {
                return Err(self.not_understood("a `for ((` without three expressions"));
            }
        }
        let ends = self.at == end && self.text.as_bytes().get(end + 1) == Some(&b')');
        if !ends {
            return Err(self.not_understood("a `for ((` without its `))`"));
        }
        self.at = end + 2;
        self.skip_blanks();
        if self.peek() == Some(b';') {
            self.bump();
        }
        self.skip_newlines()?;
        let body = self.do_body()?;
        Ok(CommandKind::ArithmeticFor { expressions, body })
    }

    /// `case`, after the word.
    fn case(&mut self) -> Result<CommandKind, NotUnderstood> {
        self.skip_blanks();
        let subject = self.word(Flavour::Ordinary)?;
        if subject.pieces.is_empty() || self.is_redirected(&subject) {
            return Err(self.not_understood("a `case` without a word"));
        }
        self.skip_newlines()?;
        self.expect_reserved("in")?;
        let mut arms = Vec::new();
        loop {
            self.skip_newlines()?;
            if self.take_reserved("esac") {
                return Ok(CommandKind::Case { subject, arms });
            }
            let patterns = self.patterns()?;
            let body = self.script()?;
            arms.push((patterns, body));
            let goes_on = self.eat(";;&") || self.eat(";;") || self.eat(";&");
            if !goes_on {
                self.expect_reserved("esac")?;
                return Ok(CommandKind::Case { subject, arms });
            }
        }
    }

    /// The patterns of an arm with the parenthesis after them.
    fn patterns(&mut self) -> Result<Vec<Word>, NotUnderstood> {
        if self.peek() == Some(b'(') {
            self.bump();
        }
        let mut patterns = Vec::new();
        loop {
            self.skip_blanks();
            if self.reserved() == Some("esac") {
                return Err(self.not_understood("`esac` as a pattern"));
            }
            let word = self.word(Flavour::Ordinary)?;
            if word.pieces.is_empty() {
                return Err(self.not_understood("a sign where a pattern must stand"));
            }
            patterns.push(word);
            self.skip_blanks();
            if self.eat(")") {
                return Ok(patterns);
            }
            if self.look(1) == Some(b'|') || !self.eat("|") {
                return Err(self.not_understood("a sign after a pattern"));
            }
        }
    }
}

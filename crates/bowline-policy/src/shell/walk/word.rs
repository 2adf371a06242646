//! Words: what substitutions in them run, what expanding them evaluates or shows.

use super::Walk;
use crate::safeguard::{Safeguard, is_on};
use crate::shell::scope::Scope;
use crate::shell::tree::{Operation, Parameter, Piece, Span, Word};

/// Parts of names of variables that hold secrets.
const SECRETS: [&str; 6] = [
    "SECRET",
    "TOKEN",
    "PASSWORD",
    "PASSWD",
    "CREDENTIAL",
    "API_KEY",
];

/// What a word is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    /// What it comes to may be shown.
    Shown,
    /// It is only compared.
    Compared,
}

impl Walk<'_> {
    /// Visits everything that expanding a word runs or evaluates.
    pub(super) fn visit(&mut self, word: &Word, scope: &mut Scope) {
        self.pieces(word, Use::Shown, scope);
    }

    /// As [`Walk::visit`], for a word whose value is compared and not shown.
    pub(super) fn visit_quietly(&mut self, word: &Word, scope: &mut Scope) {
        self.pieces(word, Use::Compared, scope);
    }

    fn pieces(&mut self, word: &Word, used: Use, scope: &mut Scope) {
        for piece in &word.pieces {
            match piece {
                Piece::Bare(_) | Piece::Quoted(_) => {}
                Piece::Parameter { parameter, .. } => {
                    self.parameter(parameter, used, word.span, scope);
                }
                Piece::Command { script, .. } => {
                    if is_on(Safeguard::Substitutions) && self.step(word.span) {
                        self.apart(script, scope);
                    }
                }
                Piece::Process { script } => {
                    if is_on(Safeguard::ProcessSubstitutions) && self.step(word.span) {
                        self.apart(script, scope);
                    }
                }
                Piece::Arithmetic { expression, .. } => self.arithmetic(expression, scope),
                Piece::Array(elements) => {
                    for (subscript, element) in elements {
                        if let Some(subscript) = subscript {
                            self.arithmetic(subscript, scope);
                        }
                        self.pieces(element, used, scope);
                    }
                }
            }
        }
    }

    fn parameter(&mut self, parameter: &Parameter, used: Use, span: Span, scope: &mut Scope) {
        if let Some(subscript) = &parameter.subscript
            && !matches!(&subscript.pieces[..], [Piece::Bare(all)] if all == "@" || all == "*")
        {
            self.arithmetic(subscript, scope);
        }
        let is_told = self.operation(&parameter.name, &parameter.operation, used, span, scope);
        if is_told
            && used == Use::Shown
            && is_secret(&parameter.name)
            && scope.variable(&parameter.name).is_none()
            && is_on(Safeguard::SecretVariables)
        {
            let what = format!("Using `${}`", parameter.name);
            let part = self.judge.discloses(
                &what,
                "its name says that it holds a secret; only an answer lets it",
            );
            if let Some(part) = part {
                self.keep(part, span);
            }
        }
    }

    /// Visits what an operation expands; whether the value itself may come out.
    fn operation(
        &mut self,
        name: &str,
        operation: &Operation,
        used: Use,
        span: Span,
        scope: &mut Scope,
    ) -> bool {
        match operation {
            Operation::Plain => true,
            Operation::Length | Operation::Names => false,
            Operation::Indirect(then) => {
                if is_on(Safeguard::Evaluation) {
                    self.ask(
                        &format!("`${{!{name}}}`"),
                        "the value of a variable names what is expanded",
                        span,
                    );
                    self.evaluated_variable(name, span, scope);
                }
                self.operation(name, then, used, span, scope);
                true
            }
            Operation::Transform(letter) => {
                if *letter == 'P' && is_on(Safeguard::Evaluation) {
                    self.ask(
                        &format!("`${{{name}@P}}`"),
                        "the value of a variable is expanded as a prompt, which runs the \
                         substitutions in it",
                        span,
                    );
                    self.evaluated_variable(name, span, scope);
                }
                true
            }
            Operation::Substitute(word) => {
                self.pieces(word, used, scope);
                true
            }
            Operation::Assign(word) => {
                self.pieces(word, used, scope);
                self.assigned_name(name, span);
                scope.forget(name);
                true
            }
            Operation::Trim(word) => {
                self.pieces(word, used, scope);
                true
            }
            Operation::Replace(pattern, text) => {
                self.pieces(pattern, used, scope);
                self.pieces(text, used, scope);
                true
            }
            Operation::Slice(offset, length) => {
                self.arithmetic(offset, scope);
                if let Some(length) = length {
                    self.arithmetic(length, scope);
                }
                true
            }
        }
    }
}

/// Whether a variable of this name counts as secret.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    SECRETS.iter().any(|part| name.contains(part))
}

//! Arithmetic and names that bash evaluates: harmless on literals only, since a subscript in a
//! value runs the substitutions in it.

use super::Walk;
use super::flow::unknown;
use crate::safeguard::{Safeguard, is_on};
use crate::shell::argument::Value;
use crate::shell::parse::parse;
use crate::shell::scope::{Scope, any_number, is_number};
use crate::shell::tree::{CommandKind, Operation, Piece, Span, Word};

/// Variables that are numbers whatever the environment says.
const NUMBERS: [&str; 8] = [
    "RANDOM", "SECONDS", "LINENO", "UID", "EUID", "PPID", "BASHPID", "SRANDOM",
];

impl Walk<'_> {
    /// An arithmetic expression, or the subscript of an array.
    pub(super) fn arithmetic(&mut self, expression: &Word, scope: &mut Scope) {
        self.visit(expression, scope);
        self.calculated(expression, scope);
    }

    /// As [`Walk::arithmetic`], for an expression that was visited.
    pub(super) fn calculated(&mut self, expression: &Word, scope: &mut Scope) {
        if !is_on(Safeguard::Evaluation) {
            return;
        }
        let mut text = String::new();
        for piece in &expression.pieces {
            match piece {
                Piece::Bare(part) | Piece::Quoted(part) => text.push_str(part),
                Piece::Arithmetic { .. } => text.push('0'),
                Piece::Parameter { parameter, .. } => {
                    let is_count = matches!(parameter.operation, Operation::Length)
                        || matches!(parameter.name.as_str(), "#" | "?" | "$" | "!");
                    if is_count {
                        text.push('0');
                        continue;
                    }
                    let is_plain =
                        parameter.operation == Operation::Plain && parameter.subscript.is_none();
                    let value = scope.variable(&parameter.name).cloned();
                    if is_plain && self.is_numeric(&parameter.name, scope) {
                        text.push('0');
                    } else {
                        self.not_literal(&format!("${}", parameter.name), expression.span);
                        if let Some(value) = value {
                            self.evaluated_text(&value, expression.span, scope);
                        }
                        text.push('0');
                    }
                }
                Piece::Command { .. } | Piece::Process { .. } | Piece::Array(_) => {
                    self.not_literal("$(..)", expression.span);
                    text.push('0');
                }
            }
        }
        self.names_in(&text, expression.span, scope);
    }

    /// The names in an expression: each must hold a number that stands in the text.
    fn names_in(&mut self, text: &str, span: Span, scope: &mut Scope) {
        if text.contains(['$', '`']) {
            self.not_literal(text, span);
            self.evaluated_text(&Value::Known(text.to_owned()), span, scope);
        }
        for (start, end) in names(text) {
            let name = &text[start..end];
            let before = text[..start].trim_end();
            let after = text[end..].trim_start();
            let is_set = after.starts_with('=') && !after.starts_with("==");
            let is_stepped = is_compound(after)
                || before.ends_with("++")
                || before.ends_with("--")
                || after.starts_with("++")
                || after.starts_with("--");
            if is_set {
                self.assigned_name(name, span);
            } else if !self.is_numeric(name, scope) {
                self.not_literal(name, span);
                if let Some(value) = scope.variable(name).cloned() {
                    self.evaluated_text(&value, span, scope);
                }
            }
            if is_set || is_stepped {
                scope.set(name, any_number());
            }
        }
    }

    fn is_numeric(&self, name: &str, scope: &Scope) -> bool {
        match scope.variable(name) {
            Some(Value::Known(text)) => is_number(text),
            Some(Value::OneOf(texts)) => texts.iter().all(|text| is_number(text)),
            Some(_) => false,
            None => NUMBERS.contains(&name),
        }
    }

    fn not_literal(&mut self, what: &str, span: Span) {
        self.ask(
            &format!("Arithmetic on `{what}`"),
            "its value does not stand in the command, and a subscript in it would run commands",
            span,
        );
    }

    /// An argument that bash takes for the name of a variable: with a subscript it is evaluated.
    pub(super) fn evaluated(&mut self, value: &Value, span: Span, scope: &Scope) {
        if !is_on(Safeguard::Evaluation) {
            return;
        }
        let texts = match value {
            Value::Known(text) => std::slice::from_ref(text),
            Value::OneOf(texts) => &texts[..],
            Value::WorkspacePaths { written }
            | Value::UnknownOne { written, .. }
            | Value::Unknown { written } => {
                self.ask(
                    &format!("`{written}` as the name of a variable"),
                    "what it holds is not known, and a subscript in it would run commands",
                    span,
                );
                return;
            }
        };
        for text in texts {
            if text.contains(['[', '$', '`']) {
                self.ask(
                    &format!("`{text}` as the name of a variable"),
                    "bash evaluates the subscript, whatever the quotes",
                    span,
                );
            }
        }
        self.evaluated_text(value, span, scope);
    }

    /// What a variable holds, where bash evaluates it.
    pub(super) fn evaluated_variable(&mut self, name: &str, span: Span, scope: &Scope) {
        let value = scope.variable(name).cloned();
        self.evaluated_text(&value.unwrap_or_else(|| unknown(name)), span, scope);
    }

    /// Text that may be expanded once more: denied commands in it are found.
    pub(super) fn evaluated_text(&mut self, value: &Value, span: Span, scope: &Scope) {
        let texts = match value {
            Value::Known(text) => vec![text.clone()],
            Value::OneOf(texts) => texts.clone(),
            Value::WorkspacePaths { .. } | Value::UnknownOne { .. } | Value::Unknown { .. } => {
                return;
            }
        };
        for text in texts {
            if !text.contains(['$', '`']) || text.contains("\nbowline-end") {
                continue;
            }
            // The body of a here-document is expanded as such text is.
            let Ok(script) = parse(&format!("cat <<bowline-end\n{text}\nbowline-end")) else {
                continue;
            };
            let outer = (self.at, self.only_denials);
            self.at = Some(self.at.unwrap_or(span));
            self.only_denials = true;
            for list in &script.lists {
                for pipeline in &list.pipelines {
                    for command in &pipeline.commands {
                        if let CommandKind::Simple { .. } = command.kind {
                            for redirection in &command.redirections {
                                let mut inner = scope.clone();
                                self.visit(&redirection.target, &mut inner);
                            }
                        }
                    }
                }
            }
            (self.at, self.only_denials) = outer;
        }
    }
}

/// Where the names in an expression stand; numbers such as `0xff` and `16#ff` are none.
fn names(text: &str) -> Vec<(usize, usize)> {
    let bytes = text.as_bytes();
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let mut all = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if !is_word(&bytes[at]) {
            at += 1;
            continue;
        }
        let start = at;
        while at < bytes.len() && (is_word(&bytes[at]) || bytes[at] == b'#') {
            at += 1;
        }
        if !bytes[start].is_ascii_digit() {
            all.push((start, at));
        }
    }
    all
}

/// Whether what follows a name is an operator such as `+=`.
fn is_compound(after: &str) -> bool {
    let operators = ["+=", "-=", "*=", "/=", "%=", "<<=", ">>=", "&=", "|=", "^="];
    operators.iter().any(|operator| after.starts_with(operator))
}

//! One simple command: its words, what runs it, what it leaves behind.

use std::rc::Rc;

use super::flow::unknown;
use super::{Defined, Walk};
use crate::safeguard::{Safeguard, is_on};
use bowline_core::Verdict;

use crate::shell::argument::{Argument, Value};
use crate::shell::effect::{Class, Effect, Lines, Wrapper, effect};
use crate::shell::expand::{asks_for_protected, is_name, written};
use crate::shell::scope::Scope;
use crate::shell::tree::{Assignment, Command, CommandKind, Operator, Piece, Span, Word};
use crate::shell::verdict::{Facts, Spelled};
use crate::shell::words::{base_name, plain_name};

/// Most definitions of functions.
const FUNCTIONS_MAX: usize = 256;

/// Most calls of functions that are followed.
const CALLS_MAX: usize = 256;

/// A command that runs: from the text itself or by another one.
pub(super) struct Run<'a> {
    pub(super) arguments: Vec<Argument>,
    pub(super) span: Span,
    /// Whether the command word stands in the text as it is.
    pub(super) is_literal: bool,
    /// What runs it.
    pub(super) by: Option<Wrapper>,
    /// Allow rules that spelled it out with the command that runs it.
    pub(super) spelled: Vec<Spelled<'a>>,
}

impl<'a> Walk<'a> {
    pub(super) fn simple(
        &mut self,
        command: &Command,
        assignments: &[Assignment],
        words: &[Word],
        scope: &mut Scope,
    ) {
        for word in words {
            self.visit(word, scope);
        }
        let arguments = self.arguments(words, scope);
        let outer = (scope.input, scope.input_text.clone());
        if let Some(first) = arguments.first() {
            let name = first.known().map(|name| plain_name(name).to_owned());
            self.assignments(assignments, Some(name.as_deref().unwrap_or("")), scope);
            self.redirections(&command.redirections, scope);
            let composed = words.iter().filter(|word| !is_literal(word));
            self.composed = composed.map(|word| self.at.unwrap_or(word.span)).collect();
            let is_literal = words.first().is_some_and(is_literal);
            let run = Run {
                arguments,
                span: command.span,
                is_literal,
                by: None,
                spelled: Vec::new(),
            };
            self.run(run, scope);
            self.leaves(name.as_deref().unwrap_or(""), words, scope);
        } else {
            self.assignments(assignments, None, scope);
            self.redirections(&command.redirections, scope);
        }
        (scope.input, scope.input_text) = outer;
    }

    /// Judges a command and everything that it runs, reads and writes.
    pub(super) fn run(&mut self, run: Run<'a>, scope: &mut Scope) {
        if !self.step(run.span) {
            return;
        }
        let Some(command) = run.arguments.first() else {
            return;
        };
        let Some(name) = command.known() else {
            if is_on(Safeguard::UnknownCommands) {
                let part = self.judge.unknown_command(&run.arguments);
                if let Some(part) = part {
                    self.keep(part, run.span);
                }
            }
            self.follow_choices(&run, scope);
            return;
        };
        if run.by.is_none()
            && let Some(number) = scope.functions.get(name).copied()
        {
            self.call(number, &run, scope);
            return;
        }
        let settled = self.settled_key(&run, scope);
        if settled
            .as_ref()
            .is_some_and(|key| self.settled.contains(key))
        {
            return;
        }
        let plain = plain_name(name).to_owned();
        let base = base_name(name).to_owned();
        let mut named = run.arguments.clone();
        if let Some(first) = named.first_mut() {
            first.value = Value::Known(base.clone());
        }
        let effect = effect(&named, scope.input);
        let facts = Facts {
            arguments: &run.arguments,
            named: &named,
            effect: &effect,
            is_standard: plain == base,
            is_literal: run.is_literal,
            by: run.by,
            spelled: &run.spelled,
            is_planted: base == "git" && self.is_planted(&named, scope),
        };
        let words = self.judge.words(&facts);
        // Only what the tables know whole: of a program that they do not know, more is judged below.
        let is_settled = words.judged.verdict == Verdict::Allow
            && self.trial == 0
            && matches!(effect.class, Class::ReadOnly { .. })
            && effect.reads.is_empty()
            && effect.writes.is_empty()
            && effect.inner.is_empty()
            && effect.goes_to.is_none()
            && effect.evaluates.is_empty()
            && effect.programs.is_empty()
            && effect.hosts.is_empty()
            && effect.network.is_none()
            && effect.discloses.is_none()
            && !plain.contains('/');
        if let Some(key) = settled.filter(|_| is_settled) {
            self.settled.insert(key);
        }
        let rule = words.allowed_by.clone();
        self.keep(words.judged, run.span);
        self.effects(&run, &named, &effect, &words.lifting, scope);
        self.reaches(&run, &effect, rule.is_some());
        self.programs(&run, &effect, rule.as_ref(), scope);
        self.evaluates(&named, &effect, scope);
    }

    /// What a plain command whose words are known is told by, once there are many parts.
    fn settled_key(&self, run: &Run<'_>, scope: &Scope) -> Option<String> {
        let is_plain = self.has_many()
            && run.by.is_none()
            && run.is_literal
            && scope.input == Lines::Unknown
            && scope.input_text.is_none();
        if !is_plain {
            return None;
        }
        let words: Option<Vec<&str>> = run.arguments.iter().map(Argument::known).collect();
        let words = words?;
        // These leave something behind for what comes after them.
        let first = words.first().copied().unwrap_or_default();
        let leaves = matches!(first, "read" | "mapfile" | "readarray" | "getopts" | "wait");
        (!leaves && first != "git").then(|| words.join("\0"))
    }

    /// A command word that is one of several: each is held against what is denied.
    fn follow_choices(&mut self, run: &Run<'a>, scope: &mut Scope) {
        let Some(Value::OneOf(texts)) = run.arguments.first().map(|first| &first.value) else {
            return;
        };
        let only_denials = std::mem::replace(&mut self.only_denials, true);
        for text in texts.clone() {
            let mut arguments = run.arguments.clone();
            if let Some(first) = arguments.first_mut() {
                first.value = Value::Known(text);
            }
            let one = Run {
                arguments,
                span: run.span,
                is_literal: false,
                by: run.by,
                spelled: Vec::new(),
            };
            self.run(one, scope);
        }
        self.only_denials = only_denials;
    }

    /// Defines a function; its body is judged where it is called, and once at the end if it never
    /// is.
    pub(super) fn define(&mut self, name: &str, body: &Command, span: Span, scope: &mut Scope) {
        if self.judge.is_known_name(name) && is_on(Safeguard::Redefinitions) {
            self.ask(
                &format!("The function `{name}`"),
                "it takes the place of a command of that name; give it another name",
                span,
            );
        }
        if self.functions.len() >= FUNCTIONS_MAX {
            self.ask("The command", "it defines too many functions", span);
            return;
        }
        let body = Rc::new(body.clone());
        let is_trial = self.trial > 0;
        self.functions.push(Defined {
            body,
            scope: (!is_trial).then(|| scope.clone()),
            at: self.at,
        });
        let number = self.functions.len() - 1;
        Rc::make_mut(&mut scope.functions).insert(name.to_owned(), number);
    }

    /// Judges the bodies of functions that nobody called.
    pub(super) fn uncalled(&mut self) {
        let mut number = 0;
        while number < self.functions.len() {
            if let Some(mut scope) = self.functions[number].scope.take() {
                scope.positional = None;
                let body = Rc::clone(&self.functions[number].body);
                let outer = std::mem::replace(&mut self.at, self.functions[number].at);
                self.body(number, &body, &mut scope);
                self.at = outer;
            }
            number += 1;
        }
    }

    fn body(&mut self, number: usize, body: &Command, scope: &mut Scope) {
        if !is_on(Safeguard::Functions) {
            return;
        }
        self.calls.push(number);
        self.command(body, scope);
        self.calls.pop();
    }

    fn call(&mut self, number: usize, run: &Run<'a>, scope: &mut Scope) {
        self.calls_followed += 1;
        if self.calls.contains(&number) || self.calls_followed > CALLS_MAX {
            self.ask(
                &format!("Calling `{}`", shown(&run.arguments)),
                "a function that calls itself, or too many calls, cannot be followed",
                run.span,
            );
            return;
        }
        self.functions[number].scope = None;
        let values = run.arguments.iter().skip(1).map(|one| one.value.clone());
        let outer = scope.positional.replace(Rc::new(values.collect()));
        let body = Rc::clone(&self.functions[number].body);
        let at = self.at;
        if self.functions[number].at.is_some() {
            self.at = self.functions[number].at;
        }
        self.body(number, &body, scope);
        self.at = at;
        scope.positional = outer;
        scope.is_over = false;
    }

    /// What a builtin changes for the commands after it.
    fn leaves(&mut self, name: &str, words: &[Word], scope: &mut Scope) {
        match name {
            "exit" => scope.is_over = true,
            "." | "source" => scope.muddle(),
            "set" | "shift" => scope.positional = None,
            "export" | "declare" | "typeset" | "local" | "readonly" => self.declared(words, scope),
            _ => {}
        }
    }

    /// Names that the command sets or evaluates.
    fn evaluates(&mut self, arguments: &[Argument], effect: &Effect, scope: &mut Scope) {
        let name = arguments.first().and_then(Argument::known).unwrap_or("");
        for at in &effect.evaluates {
            let Some(argument) = arguments.get(*at) else {
                continue;
            };
            self.evaluated(&argument.value, argument.span, scope);
            let Some(text) = argument.known() else {
                scope.muddle();
                continue;
            };
            let set = text.split(['[', '=']).next().unwrap_or_default();
            if !is_name(set) {
                continue;
            }
            scope.set(set, unknown(set));
        }
        if matches!(
            name,
            "read" | "mapfile" | "readarray" | "getopts" | "wait" | "printf"
        ) {
            self.filled(name, arguments, scope);
        }
    }

    /// Variables that a builtin fills from its input.
    fn filled(&mut self, name: &str, arguments: &[Argument], scope: &mut Scope) {
        let names = arguments.iter().skip(1).filter_map(Argument::known);
        let names = names.filter(|text| is_name(text));
        let names: Vec<String> = names.map(str::to_owned).collect();
        let is_paths = name != "printf" && scope.input == Lines::WorkspacePaths;
        for set in names.iter().map(String::as_str).chain(["REPLY"]) {
            let value = if is_paths {
                Value::WorkspacePaths {
                    written: format!("${set}"),
                }
            } else {
                unknown(set)
            };
            scope.set(set, value);
        }
    }

    /// What a command's output holds, and its text if that is known.
    pub(super) fn says(&mut self, command: &Command, scope: &Scope) -> (Lines, Option<Rc<str>>) {
        let CommandKind::Simple { assignments, words } = &command.kind else {
            return (Lines::Unknown, None);
        };
        let is_plain = matches!(
            words.first().map(|word| &word.pieces[..]),
            Some([Piece::Bare(name)]) if !scope.functions.contains_key(name)
        );
        if !assignments.is_empty() || !is_plain {
            return (Lines::Unknown, None);
        }
        let arguments = self.arguments(words, scope);
        let lines = if asks_for_protected(&arguments) {
            Lines::Unknown
        } else {
            effect(&arguments, scope.input).output
        };
        let texts: Option<Vec<&str>> = arguments.iter().map(Argument::known).collect();
        let text = match texts.as_deref() {
            Some(["echo", rest @ ..]) if !rest.first().is_some_and(|one| one.starts_with('-')) => {
                Some(rest.join(" "))
            }
            Some(["printf", text]) if !text.contains(['%', '\\']) => Some((*text).to_owned()),
            Some(["printf", "%s" | "%s\\n", text]) => Some((*text).to_owned()),
            Some(["cat"]) => self.given_text(command, scope),
            _ => None,
        };
        (lines, text.map(Rc::from))
    }

    /// The text of the last here-document or here-string.
    fn given_text(&mut self, command: &Command, scope: &Scope) -> Option<String> {
        let given =
            command.redirections.iter().rev().find(|one| {
                matches!(one.operator, Operator::HereString | Operator::HereDocument)
            })?;
        match self.expander(scope).body(&given.target) {
            Value::Known(text) => Some(text),
            _ => Some(written(&given.target.pieces)),
        }
    }
}

/// Whether a word is the command's name as it stands.
fn is_literal(word: &Word) -> bool {
    word.pieces.iter().all(|piece| match piece {
        Piece::Bare(text) => !text.contains(['*', '?', '[', '{']) || text == "[",
        Piece::Quoted(_) => true,
        Piece::Parameter { .. }
        | Piece::Command { .. }
        | Piece::Arithmetic { .. }
        | Piece::Process { .. }
        | Piece::Array(_) => false,
    })
}

/// Arguments as people see them, in a line.
pub(super) fn shown(arguments: &[Argument]) -> String {
    let words: Vec<String> = arguments.iter().map(Argument::shown).collect();
    words.join(" ")
}

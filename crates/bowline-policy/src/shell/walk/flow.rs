//! Lists, pipelines and compound commands.

use super::Walk;
use crate::safeguard::{Safeguard, is_on};
use crate::shell::argument::Value;
use crate::shell::effect::Lines;
use crate::shell::scope::Scope;
use crate::shell::tree::{Command, CommandKind, List, Piece, Pipeline, Script, Span, Test, Word};

/// How often a loop's body is tried before what still changes counts as not known.
const TRIALS_MAX: usize = 3;

/// How deep trials may stand in trials: in deeper loops nothing is followed.
const TRIAL_DEPTH_MAX: usize = 2;

/// Commands that ask something: what follows them with `&&` may well not run.
const CONDITIONS: [&str; 9] = [
    "test", "[", "false", "grep", "egrep", "fgrep", "rg", "command", "which",
];

impl Walk<'_> {
    /// Every list of a script, one after the other.
    pub(super) fn script(&mut self, script: &Script, scope: &mut Scope) {
        for list in &script.lists {
            self.list(list, scope);
            if !is_on(Safeguard::Compound) {
                return;
            }
        }
    }

    /// A script in a shell of its own: what it changes ends with it.
    pub(super) fn apart(&mut self, script: &Script, scope: &Scope) {
        let mut inner = scope.clone();
        inner.is_over = false;
        self.script(script, &mut inner);
    }

    fn list(&mut self, list: &List, scope: &mut Scope) {
        if list.is_background {
            let mut inner = scope.clone();
            self.pipelines(list, &mut inner);
            return;
        }
        self.pipelines(list, scope);
        scope.settle_doubt();
    }

    /// Pipelines joined by `&&` and `||`: `good` is what holds where all went well so far, `bad`
    /// where something failed.
    fn pipelines(&mut self, list: &List, scope: &mut Scope) {
        let Some((first, rest)) = list.pipelines.split_first() else {
            return;
        };
        if rest.is_empty() {
            self.pipeline(first, scope);
            return;
        }
        let before = scope.clone();
        let mut good = before.clone();
        self.pipeline(first, &mut good);
        let mut bad = before.clone().meet(good.clone());
        if first.is_negated {
            good = bad.clone();
        }
        let mut end = good.clone();
        let mut is_open = is_condition(first);
        for pipeline in rest {
            if !is_on(Safeguard::Compound) {
                break;
            }
            if pipeline.is_alternative {
                let mut after = bad.clone();
                after.settle_doubt();
                self.pipeline(pipeline, &mut after);
                good = good.meet(after.clone());
                bad = bad.meet(after.clone());
                end = end.meet(after);
            } else {
                let mut after = good.clone();
                self.pipeline(pipeline, &mut after);
                bad = bad.meet(good).meet(after.clone());
                let places = (!is_open && !after.is_over).then(|| after.places.clone());
                end = end.meet(after.clone());
                if let Some(places) = places {
                    end.places = places;
                }
                good = after;
            }
            is_open |= is_condition(pipeline);
        }
        *scope = end;
    }

    fn pipeline(&mut self, pipeline: &Pipeline, scope: &mut Scope) {
        if let [command] = &pipeline.commands[..] {
            self.command(command, scope);
            return;
        }
        let mut input = scope.input;
        let mut text = scope.input_text.clone();
        for command in &pipeline.commands {
            let mut inner = scope.clone();
            inner.input = input;
            inner.input_text = text.take();
            let (lines, said) = self.says(command, &inner);
            self.command(command, &mut inner);
            input = match lines {
                Lines::OfInput => input,
                other => other,
            };
            text = said;
            if !is_on(Safeguard::Compound) {
                return;
            }
        }
    }

    /// One command with its redirections.
    pub(super) fn command(&mut self, command: &Command, scope: &mut Scope) {
        if !self.step(command.span) {
            return;
        }
        if let CommandKind::Simple { assignments, words } = &command.kind {
            self.simple(command, assignments, words, scope);
            return;
        }
        let outer = (scope.input, scope.input_text.clone());
        self.redirections(&command.redirections, scope);
        self.compound(&command.kind, command.span, scope);
        (scope.input, scope.input_text) = outer;
    }

    fn compound(&mut self, kind: &CommandKind, span: Span, scope: &mut Scope) {
        match kind {
            CommandKind::Simple { .. } => {}
            CommandKind::Group(script) => {
                if is_on(Safeguard::Compound) {
                    self.script(script, scope);
                }
            }
            CommandKind::Subshell(script) => {
                if is_on(Safeguard::Subshells) {
                    self.apart(script, scope);
                }
            }
            CommandKind::If {
                branches,
                otherwise,
            } => self.branches(branches, otherwise.as_ref(), scope),
            CommandKind::Loop { condition, body } => self.repeat(scope, &mut |walk, scope| {
                // The body of `until` runs where the condition failed.
                let before = scope.clone();
                walk.script(condition, scope);
                let places = met(Some(before), scope.clone()).places;
                scope.places = places;
                walk.script(body, scope);
            }),
            CommandKind::For { name, words, body } => {
                self.assigned_name(name, span);
                let value = self.rounds(name, words.as_deref(), scope);
                self.repeat(scope, &mut |walk, scope| {
                    scope.set(name, value.clone());
                    walk.script(body, scope);
                });
            }
            CommandKind::ArithmeticFor { expressions, body } => {
                if let Some(first) = expressions.first() {
                    self.arithmetic(first, scope);
                }
                self.repeat(scope, &mut |walk, scope| {
                    for expression in expressions.iter().skip(1) {
                        walk.arithmetic(expression, scope);
                    }
                    walk.script(body, scope);
                });
            }
            CommandKind::Case { subject, arms } => self.case(subject, arms, scope),
            CommandKind::Function { name, body } => self.define(name, body, span, scope),
            CommandKind::Coprocess { name, body } => {
                if let Some(name) = name {
                    self.assigned_name(name, span);
                }
                let mut inner = scope.clone();
                self.command(body, &mut inner);
                scope.forget(name.as_deref().unwrap_or("COPROC"));
            }
            CommandKind::Test(test) => self.test(test, span, scope),
            CommandKind::Arithmetic(expression) => self.arithmetic(expression, scope),
        }
    }

    fn branches(
        &mut self,
        branches: &[(Script, Script)],
        otherwise: Option<&Script>,
        scope: &mut Scope,
    ) {
        let mut ends: Option<Scope> = None;
        for (condition, body) in branches {
            let before = scope.clone();
            self.script(condition, scope);
            let mut inner = scope.clone();
            self.script(body, &mut inner);
            ends = Some(met(ends, inner));
            // Where the condition failed, it may have left nothing behind.
            *scope = met(Some(before), scope.clone());
        }
        if let Some(body) = otherwise {
            self.script(body, scope);
        }
        *scope = met(ends, scope.clone());
    }

    fn case(&mut self, subject: &Word, arms: &[(Vec<Word>, Script)], scope: &mut Scope) {
        self.visit(subject, scope);
        let mut ends: Option<Scope> = None;
        for (patterns, body) in arms {
            for pattern in patterns {
                self.visit(pattern, scope);
            }
            // An arm may also be entered from the one before (`;&`).
            let mut inner = met(ends.clone(), scope.clone());
            self.script(body, &mut inner);
            ends = Some(met(ends, inner));
        }
        *scope = met(ends, scope.clone());
    }

    /// What the variable of `for` holds in turn.
    fn rounds(&mut self, name: &str, words: Option<&[Word]>, scope: &mut Scope) -> Value {
        match words {
            Some(words) => {
                for word in words {
                    self.visit(word, scope);
                }
                let arguments = self.arguments(words, scope);
                one_of(arguments.into_iter().map(|one| one.value), name)
            }
            None => match scope.positional.clone() {
                Some(all) => one_of(all.iter().cloned(), name),
                None => unknown(name),
            },
        }
    }

    /// A body that runs any number of times.
    fn repeat(&mut self, scope: &mut Scope, body: &mut dyn FnMut(&mut Self, &mut Scope)) {
        let before = scope.clone();
        if self.trial >= TRIAL_DEPTH_MAX {
            let mut end = before.clone();
            body(self, &mut end);
            if end.places != before.places {
                scope.places = None;
            }
            scope.muddle();
            return;
        }
        for trial in 1..=TRIALS_MAX {
            let mut end = scope.clone();
            self.trial += 1;
            body(self, &mut end);
            self.trial -= 1;
            end.is_over = false;
            let both = scope.clone().meet(end);
            let is_settled = both.is_as(scope);
            *scope = both;
            if is_settled {
                break;
            }
            if trial == TRIALS_MAX {
                scope.forget_changed(&before);
                scope.muddle();
            }
        }
        let mut inner = scope.clone();
        body(self, &mut inner);
        inner.is_over = false;
        *scope = met(Some(inner), scope.clone());
    }

    fn test(&mut self, test: &Test, span: Span, scope: &mut Scope) {
        if !self.step(span) {
            return;
        }
        match test {
            Test::Word(word) => self.visit_quietly(word, scope),
            Test::Not(inner) => self.test(inner, span, scope),
            Test::Both(left, right) => {
                self.test(left, span, scope);
                self.test(right, span, scope);
            }
            Test::Unary { operator, operand } => {
                self.visit_quietly(operand, scope);
                let value = self.expander(scope).value(operand);
                match operator.as_str() {
                    "-v" | "-R" => self.evaluated(&value, operand.span, scope),
                    "-z" | "-n" | "-o" | "-t" => {}
                    _ => self.tested(&value, operand.span, scope),
                }
            }
            Test::Binary {
                left,
                operator,
                right,
            } => self.compared(left, operator, right, scope),
        }
    }

    fn compared(&mut self, left: &Word, operator: &str, right: &Word, scope: &mut Scope) {
        self.visit_quietly(left, scope);
        self.visit_quietly(right, scope);
        match operator {
            "-eq" | "-ne" | "-lt" | "-le" | "-gt" | "-ge" => {
                self.calculated(left, scope);
                self.calculated(right, scope);
            }
            "-nt" | "-ot" | "-ef" => {
                for word in [left, right] {
                    let value = self.expander(scope).value(word);
                    self.tested(&value, word.span, scope);
                }
            }
            "=~" => scope.forget("BASH_REMATCH"),
            _ => {}
        }
    }
}

fn met(one: Option<Scope>, other: Scope) -> Scope {
    match one {
        Some(one) => one.meet(other),
        None => other,
    }
}

/// Whether a pipeline asks something rather than does something.
fn is_condition(pipeline: &Pipeline) -> bool {
    if pipeline.is_negated {
        return true;
    }
    match pipeline.commands.last().map(|command| &command.kind) {
        Some(CommandKind::Test(_) | CommandKind::Arithmetic(_)) => true,
        Some(CommandKind::Simple { words, .. }) => match words.first().map(|one| &one.pieces[..]) {
            Some([Piece::Bare(name)]) => CONDITIONS.contains(&name.as_str()),
            _ => false,
        },
        _ => false,
    }
}

/// What a loop's variable may hold.
fn one_of(values: impl Iterator<Item = Value>, name: &str) -> Value {
    let mut texts = Vec::new();
    let mut paths = None;
    for value in values {
        match value {
            Value::Known(text) => texts.push(text),
            Value::OneOf(some) => texts.extend(some),
            Value::WorkspacePaths { written } => paths = Some(written),
            Value::UnknownOne { .. } | Value::Unknown { .. } => return unknown(name),
        }
    }
    texts.sort();
    texts.dedup();
    match paths {
        None => Value::OneOf(texts),
        Some(written) if texts.is_empty() => Value::WorkspacePaths { written },
        // What a glob finds beside the ordinary stands as a text of its own: then the variable is
        // neither simply a path of the workspace nor simply one of these texts.
        Some(_) => unknown(name),
    }
}

/// A variable whose value is not known.
pub(super) fn unknown(name: &str) -> Value {
    Value::Unknown {
        written: format!("${name}"),
    }
}

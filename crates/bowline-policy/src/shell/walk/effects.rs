//! What a command does: paths it reads and writes, folders it goes to, commands it runs.

use std::rc::Rc;

use super::Walk;
use super::command::Run;
use crate::place::is_within;
use crate::safeguard::{Safeguard, is_on};
use crate::shell::argument::{Argument, Value};
use crate::shell::effect::{Effect, InnerCommand, Lines, PathUse, Wrapper};
use crate::shell::path::{by_name, follow};
use crate::shell::scope::{PLACES_MAX, Place, Scope};
use crate::shell::tree::{Descriptor, Operator, Redirection, Span};
use crate::shell::verdict::Spelled;
use crate::shell::words::base_name;
use bowline_core::action::PathKind;
use bowline_core::decision::Judged;
use bowline_core::{Action, Mode, Verdict};

/// Files that are nothing but a place to drop or show text.
const SINKS: [&str; 3] = ["/dev/null", "/dev/stdout", "/dev/stderr"];

/// The folders at the root of a machine; other words that begin with a slash may be anything.
const TOP_FOLDERS: [&str; 18] = [
    "bin", "boot", "dev", "etc", "home", "lib", "lib64", "media", "mnt", "opt", "proc", "root",
    "run", "sbin", "srv", "sys", "tmp", "var",
];

/// How a path is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::shell) enum Access {
    /// Read.
    Read,
    /// Written by a command: the command's own verdict says whether it may write at all.
    Written,
    /// Opened for writing by a redirection.
    Redirected,
}

impl<'a> Walk<'a> {
    /// Judges what the tables say that a command does.
    pub(super) fn effects(
        &mut self,
        run: &Run<'a>,
        named: &[Argument],
        effect: &Effect,
        lifting: &[Spelled<'a>],
        scope: &mut Scope,
    ) {
        for used in &effect.reads {
            self.path_use(run, used, Access::Read, scope);
        }
        for used in &effect.writes {
            self.path_use(run, used, Access::Written, scope);
        }
        for at in &effect.strays {
            self.stray(run, *at, scope);
        }
        for inner in &effect.inner {
            match &inner.what {
                InnerCommand::Arguments(arguments) => {
                    let spelled = spelled_on(named, arguments, lifting);
                    self.inner_command(run, arguments, inner.by, spelled, scope);
                }
                InnerCommand::Script { arguments } => {
                    if is_on(Safeguard::ScriptTexts) {
                        self.inner_script(run, named, arguments, scope);
                    }
                }
            }
        }
        if let Some(to) = effect.goes_to {
            self.goes(run, to, scope);
        }
    }

    fn path_use(&mut self, run: &Run<'a>, used: &PathUse, access: Access, scope: &Scope) {
        let argument = run.arguments.get(used.at);
        let span = argument.map_or(run.span, |argument| argument.span);
        match (&used.text, argument) {
            (Some(text), _) => self.path(&Value::Known(text.clone()), access, span, scope),
            (None, Some(argument)) => self.path(&argument.value, access, span, scope),
            (None, None) => {}
        }
    }

    /// Judges the use of a path.
    pub(super) fn path(&mut self, value: &Value, access: Access, span: Span, scope: &Scope) {
        match value {
            Value::Known(text) => self.known_path(text, access, span, scope),
            Value::OneOf(texts) => {
                for text in texts {
                    self.known_path(text, access, span, scope);
                }
            }
            Value::WorkspacePaths { written } => {
                // Ordinary whatever it is; but whether to write at all is still the mode's word.
                if access == Access::Redirected {
                    self.known_path(&format!("./{written}"), access, span, scope);
                }
            }
            Value::UnknownOne { written, .. } | Value::Unknown { written } => {
                if is_on(Safeguard::UnknownPaths) {
                    let part = self.judge.unknown_path(written, access != Access::Read);
                    if let Some(part) = part {
                        self.keep(part, span);
                    }
                }
            }
        }
    }

    fn known_path(&mut self, text: &str, access: Access, span: Span, scope: &Scope) {
        if !self.step(span) {
            return;
        }
        let is_absolute = text.starts_with('/');
        let Some(places) = scope.places.clone().or_else(|| {
            let place = Place {
                logical: "/".to_owned(),
                real: "/".to_owned(),
            };
            is_absolute.then(|| vec![place])
        }) else {
            let part = self.judge.unknown_path(text, access != Access::Read);
            if let Some(part) = part {
                self.keep(part, span);
            }
            return;
        };
        for place in places {
            if self.has_many() && self.settled.contains(&path_key(access, &place.real, text)) {
                continue;
            }
            let by_name = by_name(&place.real, text);
            if SINKS.contains(&by_name.as_str()) {
                continue;
            }
            if let Some(rest) = by_name
                .strip_prefix("/dev/tcp/")
                .or_else(|| by_name.strip_prefix("/dev/udp/"))
            {
                let host = rest.split('/').next().unwrap_or_default();
                let part = self.judge.opens_connection(host);
                self.keep(part, span);
                continue;
            }
            let mut fact = if is_on(Safeguard::Links) {
                follow(&place.real, text, &self.judge.policy.roots, &mut self.eyes)
            } else {
                bowline_core::PathFact {
                    asked: text.to_owned(),
                    resolved: by_name.clone(),
                    by_name,
                    kind: PathKind::File,
                    links: 1,
                }
            };
            if fact.kind == PathKind::Special {
                fact.kind = PathKind::Unknown;
            }
            let part = self.judge.path(fact, access);
            if part.verdict == Verdict::Allow && self.has_many() {
                self.settled.insert(path_key(access, &place.real, text));
            }
            self.keep(part, span);
        }
    }

    /// An argument of which nothing is known: where it names a file that needs a person's word, the
    /// command is taken to read it.
    fn stray(&mut self, run: &Run<'a>, at: usize, scope: &Scope) {
        let Some(argument) = run.arguments.get(at) else {
            return;
        };
        let (one, many);
        let texts = match &argument.value {
            Value::Known(text) => {
                one = [text.clone()];
                &one[..]
            }
            Value::OneOf(texts) => {
                many = texts.clone();
                &many[..]
            }
            _ => return,
        };
        let before = self.parts.len();
        for path in texts
            .iter()
            .filter_map(|text| stray_path(text, &self.judge.policy.roots))
        {
            let value = Value::Known(path.to_owned());
            self.path(&value, Access::Read, argument.span, scope);
        }
        // Where a rule or a person lets the command run, only what is protected stands apart.
        let is_auto = self.judge.policy.mode == Mode::Auto;
        let counts = |part: &Judged| match part.verdict {
            Verdict::Allow => false,
            Verdict::Ask => {
                let is_read = matches!(part.action, Action::ReadPath { .. });
                is_auto || !is_read || part.rule.rule.starts_with("protected-read")
            }
            Verdict::Deny => true,
        };
        let parts = self.parts.split_off(before);
        self.parts.extend(parts.into_iter().filter(counts));
    }

    /// A path whose existence or kind a test looks at.
    pub(super) fn tested(&mut self, value: &Value, span: Span, scope: &Scope) {
        if let Value::Known(_) | Value::OneOf(_) = value {
            self.path(value, Access::Read, span, scope);
        }
    }

    pub(super) fn redirections(&mut self, all: &[Redirection], scope: &mut Scope) {
        for one in all {
            let is_document = matches!(one.operator, Operator::HereDocument | Operator::HereString);
            self.visit(&one.target, scope);
            if let Descriptor::Variable(name) = &one.descriptor {
                self.assigned_name(name, one.span);
                scope.forget(name);
            }
            if is_document {
                scope.input = Lines::Unknown;
                scope.input_text = match self.expander(scope).body(&one.target) {
                    Value::Known(text) => Some(Rc::from(text)),
                    _ => None,
                };
                continue;
            }
            if is_on(Safeguard::Redirections) {
                self.redirection(one, scope);
            }
        }
    }

    fn redirection(&mut self, one: &Redirection, scope: &mut Scope) {
        let values = self.expander(scope).values(&one.target);
        let is_descriptor = |text: &str| {
            let number = text.strip_suffix('-').unwrap_or(text);
            number.bytes().all(|byte| byte.is_ascii_digit())
        };
        for value in values {
            let known = match &value {
                Value::Known(text) => Some(text.as_str()),
                _ => None,
            };
            match one.operator {
                Operator::Read => {
                    scope.input = Lines::Unknown;
                    scope.input_text = None;
                    self.path(&value, Access::Read, one.span, scope);
                }
                Operator::ReadWrite => {
                    self.path(&value, Access::Read, one.span, scope);
                    self.path(&value, Access::Redirected, one.span, scope);
                }
                Operator::Write
                | Operator::Append
                | Operator::Clobber
                | Operator::WriteBoth
                | Operator::AppendBoth => self.path(&value, Access::Redirected, one.span, scope),
                Operator::DuplicateInput if known.is_some_and(is_descriptor) => {
                    scope.input = Lines::Unknown;
                    scope.input_text = None;
                }
                Operator::DuplicateOutput if known.is_some_and(is_descriptor) => {}
                Operator::DuplicateInput => {
                    self.path(&value, Access::Read, one.span, scope);
                    self.ask("A descriptor", "it is not known which is meant", one.span);
                }
                Operator::DuplicateOutput => {
                    self.path(&value, Access::Redirected, one.span, scope);
                }
                Operator::HereString | Operator::HereDocument => {}
            }
        }
    }

    /// `cd`: where to, and what holds afterwards.
    fn goes(&mut self, run: &Run<'a>, to: Option<usize>, scope: &mut Scope) {
        if !is_on(Safeguard::Folders) {
            return;
        }
        let value = to
            .and_then(|at| run.arguments.get(at))
            .map(|one| &one.value);
        let is_place = |text: &String| text != "-" && !text.is_empty();
        let targets = match value {
            Some(Value::Known(text)) if is_place(text) => Some(vec![text.clone()]),
            Some(Value::OneOf(texts)) if !texts.is_empty() && texts.iter().all(is_place) => {
                Some(texts.clone())
            }
            _ => None,
        };
        let (Some(targets), Some(places)) = (targets, scope.places.clone()) else {
            let shown = match to.and_then(|at| run.arguments.get(at)) {
                Some(argument) => argument.shown(),
                None => "home".to_owned(),
            };
            if let Some(part) = self.judge.goes_out(&shown) {
                self.keep(part, run.span);
            }
            scope.places = None;
            return;
        };
        self.goes_to(run, &targets, places, scope);
    }

    /// `cd` to a known place, or to one of some.
    fn goes_to(
        &mut self,
        run: &Run<'a>,
        targets: &[String],
        places: Vec<Place>,
        scope: &mut Scope,
    ) {
        let mut next: Vec<Place> = Vec::new();
        let mut is_doubtful = false;
        for (place, text) in places
            .iter()
            .flat_map(|place| targets.iter().map(move |text| (place, text)))
        {
            let logical = by_name(&place.logical, text);
            let roots = &self.judge.policy.roots;
            let fact = follow("/", &logical, roots, &mut self.eyes);
            is_doubtful |= fact.kind == PathKind::Missing;
            let is_inside = |root: &String| is_within(&fact.resolved, root);
            if (!roots.iter().any(is_inside) || fact.kind == PathKind::Unknown)
                && let Some(part) = self.judge.goes_out(text)
            {
                self.keep(part, run.span);
            }
            let place = Place {
                logical,
                real: fact.resolved,
            };
            if !next.contains(&place) {
                next.push(place);
            }
        }
        if is_doubtful {
            scope.doubtful.extend(places);
        }
        scope.places = (next.len() <= PLACES_MAX).then_some(next);
    }

    fn inner_command(
        &mut self,
        run: &Run<'a>,
        arguments: &[Argument],
        by: Wrapper,
        spelled: Vec<Spelled<'a>>,
        scope: &mut Scope,
    ) {
        let safeguard = match by {
            Wrapper::Each => Safeguard::XargsAndFind,
            Wrapper::Transparent | Wrapper::Opaque => Safeguard::Wrappers,
        };
        if !is_on(safeguard) || self.depth >= super::DEPTH_MAX {
            if self.depth >= super::DEPTH_MAX {
                self.ask(
                    "The command",
                    "commands stand too deep in commands",
                    run.span,
                );
            }
            return;
        }
        let is_literal = arguments
            .first()
            .is_some_and(|first| !self.composed.contains(&first.span));
        let inner = Run {
            arguments: arguments.to_vec(),
            span: run.span,
            is_literal,
            by: Some(by),
            spelled,
        };
        let name = run
            .arguments
            .first()
            .and_then(Argument::known)
            .map(base_name);
        let functions = std::mem::take(&mut scope.functions);
        let mut apart = scope.clone();
        self.depth += 1;
        self.run(inner, &mut apart);
        self.depth -= 1;
        if matches!(name, Some("command" | "builtin")) {
            *scope = apart;
        }
        scope.functions = functions;
    }
}

/// What a use of a path is told by.
fn path_key(access: Access, folder: &str, text: &str) -> String {
    format!("{access:?}\0{folder}\0{text}")
}

/// What allow rules spell of an inner command.
fn spelled_on<'a>(
    named: &[Argument],
    inner: &[Argument],
    lifting: &[Spelled<'a>],
) -> Vec<Spelled<'a>> {
    let Some(offset) = offset_of(named, inner) else {
        return Vec::new();
    };
    let spelled = lifting.iter().filter_map(|one| {
        let words = one.words.get(offset..).filter(|words| !words.is_empty())?;
        let rule = one.rule;
        (!words[0].contains('*')).then_some(Spelled { rule, words })
    });
    spelled.collect()
}

/// Where the words of an inner command begin among the arguments of the one that runs it.
pub(in crate::shell) fn offset_of(named: &[Argument], inner: &[Argument]) -> Option<usize> {
    let first = inner.first()?;
    (1..named.len()).find(|at| named[*at] == *first)
}

/// The path in an argument that nothing is known of, if it looks like one: `PATH`, `--name=PATH`,
/// `name=PATH`.
fn stray_path<'t>(text: &'t str, roots: &[String]) -> Option<&'t str> {
    let path = match text.split_once('=') {
        Some((_, value)) => value,
        None if text.starts_with('-') => return None,
        None => text,
    };
    let is_plain = |letter: char| letter.is_alphanumeric() || "/._-+@~,".contains(letter);
    if path.is_empty() || !path.chars().all(is_plain) {
        return None;
    }
    let Some(inside) = path.strip_prefix('/') else {
        // `.a.key` asks a document for a value, and names no file.
        let asks_document = path.starts_with('.') && !path.contains('/') && path.ends_with(".key");
        return (!asks_document).then_some(path);
    };
    let top = inside.split('/').next().unwrap_or_default();
    let is_beside = |root: &String| root.split('/').nth(1) == Some(top);
    (TOP_FOLDERS.contains(&top) || roots.iter().any(is_beside)).then_some(path)
}

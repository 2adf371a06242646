//! What the values of options and the operands are: paths, hosts, programs, tasks.

use super::apply::Work;
use super::code;
use super::grammar::Given;
use super::host::host_of;
use super::rows::{Fact, Kind};
use super::{InnerCommand, Language, PathUse, Program, Wrapper};
use crate::shell::argument::{Argument, Value};

/// Words in the name of a task that stand for publishing.
pub(super) const PUBLISHING: [&str; 4] = ["publish", "release", "deploy", "upload"];

/// Why a file that is sent as data is a hazard, unless it is sent to this machine.
pub(super) const UPLOADS: &str = "sends a file";

/// Whether the name of a script says that it publishes: `scripts/release.sh`, `publish-all`.
pub(super) fn names_publishing(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let first = name.split(['.', '-', '_']).next().unwrap_or(name);
    PUBLISHING.contains(&first)
}

impl Work<'_> {
    /// The texts that a value may be; `None` if they are not known.
    pub(super) fn texts(&self, given: &Given) -> Option<Vec<String>> {
        match (&given.text, &self.arguments[given.at].value) {
            (Some(text), _) | (None, Value::Known(text)) => Some(vec![text.clone()]),
            (None, Value::OneOf(texts)) => Some(texts.clone()),
            _ => None,
        }
    }

    /// What the kind of a value or an operand says of it.
    pub(super) fn apply_value(&mut self, at: usize, fact: &Fact, given: &Given) {
        let texts = self.texts(given);
        let is = |text: &str| {
            texts
                .as_ref()
                .is_some_and(|texts| texts.iter().all(|t| t == text))
        };
        match fact.kind {
            Kind::Data | Kind::Inner(_) => {}
            Kind::Read | Kind::Search | Kind::Send if is("-") => {}
            Kind::Read | Kind::Send => self.read_path(given, false),
            Kind::Search => self.read_path(given, true),
            Kind::Look if texts.is_some() => self.read_path(given, false),
            Kind::Look => {}
            Kind::Write if is("-") => {}
            Kind::Write => self.write_path(given),
            Kind::Moved => {
                self.read_path(given, false);
                self.write_path(given);
            }
            Kind::Folder => {
                self.read_path(given, true);
                let mut texts = texts.unwrap_or_default();
                self.folder = if texts.len() == 1 { texts.pop() } else { None };
            }
            Kind::Host => self.host(given),
            Kind::Remote | Kind::ToRemote => self.remote(given, texts, fact.kind == Kind::ToRemote),
            Kind::Upload => self.upload(given, texts, UPLOADS),
            Kind::MaybeFile => self.upload(given, texts, "uploads a file"),
            Kind::Format => {
                let verifies = |text: &String| text.contains("%G") || text.contains("%(signature");
                if texts.is_none_or(|texts| texts.iter().any(verifies)) {
                    let why = "may start the configured program for signatures";
                    self.limit(given.at, why);
                    self.hazard(given.at, why);
                }
            }
            Kind::Plugin => {
                let is_off = |text: &String| text.starts_with("no:");
                if !texts.is_some_and(|texts| texts.iter().all(is_off)) {
                    self.hazard(given.at, "loads other code");
                }
            }
            Kind::RevPath => self.revision_path(given, texts),
            Kind::RevOrPath => {
                let is_path =
                    |text: &String| !text.contains(':') || text.starts_with(['/', '~', '.']);
                let reads = texts
                    .as_ref()
                    .is_some_and(|texts| texts.iter().any(is_path));
                self.revision_path(given, texts);
                if reads {
                    self.read_path(given, false);
                }
            }
            Kind::Script => {
                let arguments = vec![self.argument(given)];
                self.inner(InnerCommand::Script { arguments }, Wrapper::Opaque);
            }
            Kind::GitSetting => self.git_setting(given, texts),
            Kind::GitRemote => self.git_remote(given, texts),
            Kind::Mode => self.mode(given, texts),
            Kind::Flags => self.flags(given, texts),
            Kind::Source => self.source(given, texts),
            Kind::Program(language) => self.program(given, is("-"), language),
            Kind::Task => self.task(at, texts),
            Kind::Evaluates => self.effect.evaluates.push(given.at),
        }
    }

    /// A file that is read, or with `@` one of options.
    fn source(&mut self, given: &Given, texts: Option<Vec<String>>) {
        let is_options = |text: &String| text.starts_with('@');
        if texts.is_some_and(|texts| texts.iter().any(is_options)) {
            self.hazard(given.at, "takes options from a file");
        }
        self.read_path(given, false);
    }

    /// A value as an argument of its own.
    fn argument(&self, given: &Given) -> Argument {
        let whole = &self.arguments[given.at];
        match &given.text {
            Some(text) => Argument {
                value: Value::Known(text.clone()),
                span: whole.span,
            },
            None => whole.clone(),
        }
    }

    fn remote(&mut self, given: &Given, texts: Option<Vec<String>>, is_target: bool) {
        let is_remote = |text: &String| {
            let folder = text.find('/').unwrap_or(text.len());
            text.contains("://") || text.find(':').is_some_and(|colon| colon < folder)
        };
        let is_far = texts
            .as_ref()
            .is_some_and(|texts| texts.iter().any(is_remote));
        if is_far {
            self.host(given);
            let why = "reaches a host";
            self.effect.network.get_or_insert_with(|| why.to_owned());
            if is_target {
                self.effect
                    .publishes
                    .get_or_insert_with(|| "copies files to a host".to_owned());
            }
        } else if is_target {
            self.write_path(given);
        } else {
            self.read_path(given, true);
        }
    }

    fn upload(&mut self, given: &Given, texts: Option<Vec<String>>, why: &str) {
        let Some(texts) = texts else {
            return self.hazard(given.at, "is sent and could name any file");
        };
        for text in texts {
            let file = text
                .split_once('@')
                .filter(|(before, _)| before.is_empty() || before.ends_with('='))
                .or_else(|| text.split_once("=<"));
            let Some((_, file)) = file.filter(|(_, file)| *file != "-") else {
                continue;
            };
            let file = file.split(';').next().unwrap_or(file).to_owned();
            self.hazard(given.at, why);
            self.read_text(given.at, file);
        }
    }

    fn revision_path(&mut self, given: &Given, texts: Option<Vec<String>>) {
        let Some(texts) = texts else {
            return self.read_path(given, false);
        };
        for text in texts {
            let is_search = text.starts_with(":/");
            if let Some((_, path)) = text.rsplit_once(':').filter(|_| !is_search) {
                self.read_text(given.at, path.to_owned());
            }
        }
    }

    /// `alias.NAME=VALUE` runs VALUE.
    fn git_setting(&mut self, given: &Given, texts: Option<Vec<String>>) {
        for text in texts.unwrap_or_default() {
            let alias = text
                .get(..6)
                .filter(|start| start.eq_ignore_ascii_case("alias."));
            let Some((_, value)) = alias.and_then(|_| text.split_once('=')) else {
                continue;
            };
            let script = value.strip_prefix('!').map(str::to_owned);
            let script = script.unwrap_or_else(|| format!("git {value}"));
            let value = Value::Known(script);
            let span = self.arguments[given.at].span;
            let arguments = vec![Argument { value, span }];
            self.inner(InnerCommand::Script { arguments }, Wrapper::Opaque);
        }
    }

    fn git_remote(&mut self, given: &Given, texts: Option<Vec<String>>) {
        let Some(texts) = texts else {
            return self.hazard(given.at, "is not known here and could start a program");
        };
        for text in &texts {
            if text.contains("::") {
                self.hazard(given.at, "starts a program that speaks for the remote");
            } else if text.contains("://") || text.contains(':') {
                self.host(given);
            } else if text.starts_with(['/', '.', '~']) {
                self.read_path(given, true);
            }
        }
    }

    fn mode(&mut self, given: &Given, texts: Option<Vec<String>>) {
        if texts.is_none_or(|texts| texts.iter().any(|mode| code::sets_id(mode))) {
            let why = "may set the user or group that a program runs as";
            self.hazard(given.at, why);
            let shown = self.arguments[given.at].shown();
            self.ask(format!("`{shown}` {why}"));
        }
    }

    fn flags(&mut self, given: &Given, texts: Option<Vec<String>>) {
        let starts = [
            "ext",
            "plugin",
            "toolexec",
            "@",
            "-B",
            "COMPILER",
            "LAUNCHER",
            "TOOLCHAIN",
        ];
        let is_odd = |text: &String| starts.iter().any(|word| text.contains(word));
        if texts.is_none_or(|texts| texts.iter().any(is_odd)) {
            self.hazard(given.at, "may start or load other code");
        }
    }

    /// A file that is run, or standard input.
    pub(super) fn program(&mut self, given: &Given, is_input: bool, language: Language) {
        if is_input {
            self.effect
                .programs
                .push(Program::StandardInput { language });
            return;
        }
        for text in self.texts(given).into_iter().flatten() {
            self.program_name(&text);
        }
        self.read_path(given, false);
        let (at, text) = (given.at, given.text.clone());
        let path = PathUse {
            at,
            text,
            is_search_start: false,
        };
        self.effect.programs.push(Program::File { path, language });
    }

    /// A script whose name says that it publishes.
    pub(super) fn program_name(&mut self, path: &str) {
        if names_publishing(path) {
            let why = format!("`{path}` stands for publishing");
            self.effect.publishes.get_or_insert(why);
        }
    }

    /// A task: `make release`, `npm run deploy:web`.
    fn task(&mut self, at: usize, texts: Option<Vec<String>>) {
        let words = self.words.join(" ");
        if texts.is_none() {
            self.hazard(at, "is a task that is not known here");
        }
        for name in texts.into_iter().flatten() {
            let plain = name.trim_start_matches('-');
            let mut parts = plain.split([':', '-', '_', '.', '/']);
            if parts.any(|part| PUBLISHING.contains(&part)) && !name.contains('=') {
                let why = format!("`{words} {name}` stands for publishing");
                self.effect.publishes.get_or_insert(why);
            }
            let file = code::task_file(&self.words);
            if let (Some(file), false) = (file, name.starts_with('-') || name.contains('=')) {
                self.effect.programs.push(Program::Task { file, name });
            }
        }
    }

    fn path(&mut self, given: &Given, is_search_start: bool) -> Vec<PathUse> {
        let at = given.at;
        let is_whole = given.text.is_none();
        let relative = |text: &String| !text.starts_with('/') && !text.starts_with('~');
        match (self.texts(given), &self.folder) {
            (Some(texts), Some(folder)) if texts.iter().all(relative) => {
                let joined = texts.iter().map(|text| format!("{folder}/{text}"));
                joined
                    .map(|text| PathUse {
                        at,
                        text: Some(text),
                        is_search_start,
                    })
                    .collect()
            }
            (Some(texts), _) if !is_whole => {
                let each = texts.into_iter();
                each.map(|text| PathUse {
                    at,
                    text: Some(text),
                    is_search_start,
                })
                .collect()
            }
            _ => vec![PathUse {
                at,
                text: None,
                is_search_start,
            }],
        }
    }

    /// Notes a path that is read.
    pub(super) fn read_path(&mut self, given: &Given, is_search_start: bool) {
        let paths = self.path(given, is_search_start);
        self.effect.reads.extend(paths);
    }

    /// Notes a path that is written.
    pub(super) fn write_path(&mut self, given: &Given) {
        let paths = self.path(given, false);
        self.effect.writes.extend(paths);
    }

    /// Notes that it sends something.
    pub(super) fn send(&mut self, why: &str) {
        self.sends.get_or_insert_with(|| why.to_owned());
    }

    /// The folder that it works in, if an option names one.
    pub(super) fn folder(&self) -> Option<String> {
        self.folder.clone()
    }

    /// Notes a path that is a part of an argument and is read.
    pub(super) fn read_text(&mut self, at: usize, text: String) {
        let text = Some(text);
        self.effect.reads.push(PathUse {
            at,
            text,
            is_search_start: false,
        });
    }

    /// Notes a host that an argument names.
    pub(super) fn host(&mut self, given: &Given) {
        let known = self.texts(given);
        let prefix = match &self.arguments[given.at].value {
            Value::UnknownOne { prefix, .. } if prefix.matches('/').count() > 2 => {
                Some(vec![prefix.clone()])
            }
            _ => None,
        };
        let hosts = known.or(prefix).unwrap_or_else(|| vec!["?".to_owned()]);
        let hosts = hosts.iter().map(|text| host_of(text));
        self.effect.hosts.extend(hosts);
    }
}

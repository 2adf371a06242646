//! Holds the arguments of one command against its rows.

use super::code;
use super::grammar::{Given, Part, read};
use super::host::is_this_machine;
use super::kinds::{PUBLISHING, UPLOADS};
use super::rows::{Command, Fact, Kind, Standing, Tables, tables};
use super::{Class, Effect, Hazard, Inner, InnerCommand, Lines, PathUse, Wrapper};
use crate::shell::argument::{Argument, Value};

/// One command while its effect is worked out.
pub(super) struct Work<'w> {
    /// The command word and its arguments.
    pub(super) arguments: &'w [Argument],
    /// What its standard input holds.
    pub(super) input: Lines,
    /// The words of command and subcommand that have rows: `git`, `stash`, `list`.
    pub(super) words: Vec<String>,
    /// Where the last of them stands.
    pub(super) at: usize,
    /// Its parts after the subcommand, in order.
    pub(super) parts: Vec<Part<'static>>,
    /// What is known so far; its class is set at the end.
    pub(super) effect: Effect,
    /// Why it is outside the catalogue.
    pub(super) limit: Option<String>,
    /// Why it asks.
    pub(super) asks: Option<String>,
    standing: Standing,
    why: &'static str,
    is_freed: bool,
    is_offline: bool,
    pub(super) sends: Option<String>,
    pub(super) folder: Option<String>,
    output_rank: u8,
}

/// What one simple command does. `arguments[0]` is its name, reduced to the base name where that
/// lies in `/bin`, `/usr/bin` or `/usr/local/bin`; `input` is what its standard input holds.
///
/// A command word that is not known, or that no table has, is [`Class::Other`].
#[must_use]
pub fn effect(arguments: &[Argument], input: Lines) -> Effect {
    let Some(name) = arguments.first().and_then(Argument::known) else {
        return Effect::default();
    };
    let tables = tables();
    let base = name.rsplit('/').next().unwrap_or(name);
    let plain = base.trim_end_matches(|letter: char| letter.is_ascii_digit() || letter == '.');
    let plain = plain.trim_end_matches('-');
    let found = [base, plain]
        .into_iter()
        .find(|base| tables.command(base).is_some());
    let Some(found) = found else {
        return unknown(arguments);
    };
    let mut effect = known(tables, found, arguments, input);
    let is_catalogued = matches!(effect.class, Class::ReadOnly { .. } | Class::Limited { .. });
    let is_version = name == base && arguments.len() == 2;
    if name != found && is_catalogued && !(is_version && arguments[1].known() == Some("--version"))
    {
        effect.class = Class::Other;
        effect.output = Lines::Unknown;
    }
    effect
}

/// A program that no row knows: only words that stand for publishing say something.
fn unknown(arguments: &[Argument]) -> Effect {
    let mut effect = Effect {
        strays: (1..arguments.len()).collect(),
        ..Effect::default()
    };
    let first = arguments.get(1).and_then(Argument::known);
    let options = arguments.iter().filter_map(Argument::known);
    let name = arguments[0].known().unwrap_or_default();
    if super::kinds::names_publishing(name) {
        effect.publishes = Some(format!("`{name}` stands for publishing"));
    }
    let named = options.chain(first).find(|word| {
        let task = word
            .strip_prefix("--")
            .or((Some(*word) == first).then_some(word));
        task.is_some_and(|task| PUBLISHING.contains(&task))
    });
    if let Some(word) = named {
        effect.publishes = Some(format!("`{word}` stands for publishing"));
    }
    effect
}

fn known(tables: &'static Tables, name: &str, arguments: &[Argument], input: Lines) -> Effect {
    let mut work = Work {
        arguments,
        input,
        words: vec![name.to_owned()],
        at: 0,
        parts: Vec::new(),
        effect: Effect::default(),
        limit: None,
        asks: None,
        standing: Standing::Known,
        why: "",
        is_freed: false,
        is_offline: false,
        sends: None,
        folder: None,
        output_rank: 0,
    };
    let Some(top) = tables.command(name) else {
        return work.effect;
    };
    if top.has_version && arguments.len() == 2 && arguments[1].known() == Some("--version") {
        work.effect.class = Class::ReadOnly {
            any_arguments: false,
        };
        return work.effect;
    }
    let command = work.subcommand(tables, top);
    if !command.is_own {
        work.options(tables, command);
        work.operands(command);
    }
    if let Some(code) = command.code {
        code::run(code, &mut work);
    }
    work.done()
}

impl<'w> Work<'w> {
    /// Follows subcommands, and reads what stands after the last.
    fn subcommand(&mut self, tables: &'static Tables, top: &'static Command) -> &'static Command {
        let (mut command, mut outer, mut from) = (top, Vec::new(), 1);
        loop {
            self.standing = command.standing;
            self.why = command.why;
            self.at = from - 1;
            if let Some(fact) = &command.fact {
                self.apply(self.at, fact);
            }
            let understood = if command.inherits { &outer[..] } else { &[] };
            let parts = read(tables, command, understood, self.arguments, from);
            let next = command
                .has_children
                .then(|| self.child(tables, &parts))
                .flatten();
            let Some((child, at, before)) = next else {
                self.parts = parts;
                return command;
            };
            self.parts = parts.into_iter().take(before).collect();
            self.options(tables, command);
            outer.push(command);
            (command, from) = (child, at + 1);
        }
    }

    /// The subcommand that `parts` name, where it stands, and how many parts stand before it.
    fn child(
        &mut self,
        tables: &'static Tables,
        parts: &[Part<'static>],
    ) -> Option<(&'static Command, usize, usize)> {
        for (before, part) in parts.iter().enumerate() {
            match part {
                Part::Unclear { at } => {
                    let at = *at;
                    let shown = self.arguments[at].shown();
                    self.asks = Some(format!(
                        "`{shown}` is not known here, so what it does is not"
                    ));
                    return None;
                }
                Part::Operand { at } => {
                    let word = self.arguments[*at].known()?;
                    let name = format!("{} {word}", self.words.join(" "));
                    let child = tables.command(&name)?;
                    self.words.push(word.to_owned());
                    return Some((child, *at, before));
                }
                Part::Option { .. } | Part::Strange { .. } => {}
            }
        }
        None
    }

    /// What the options do.
    fn options(&mut self, tables: &'static Tables, command: &'static Command) {
        let parts = std::mem::take(&mut self.parts);
        for part in &parts {
            match part {
                Part::Option {
                    at, fact, values, ..
                } => {
                    self.apply(*at, fact);
                    for value in values {
                        self.apply_value(*at, fact, value);
                    }
                }
                Part::Strange { at }
                    if command.standing == Standing::Limited || command.has_children =>
                {
                    self.limit(*at, "is an option that the tables do not know");
                }
                Part::Unclear { at } => {
                    let why = "is not known here and could be any option";
                    if command.standing == Standing::Limited {
                        self.limit(*at, why);
                    }
                    let top = command
                        .inherits
                        .then(|| tables.command(&self.words[0]))
                        .flatten();
                    let may_harm = |command| tables.has_hazards(command);
                    let mut known = self.effect.hazards.iter();
                    let is_known = known.any(|one| one.at == *at);
                    if command.standing == Standing::Limited
                        || may_harm(command)
                        || (!is_known && top.is_some_and(may_harm))
                    {
                        self.hazard(*at, why);
                    }
                }
                Part::Strange { .. } | Part::Operand { .. } => {}
            }
            if let Part::Strange { at } = part {
                self.effect.strays.push(*at);
            }
        }
        self.parts = parts;
    }

    /// What the operands are.
    fn operands(&mut self, command: &'static Command) {
        let operands = self.operand_places();
        let is_shifted = self
            .parts
            .iter()
            .any(|part| matches!(part, Part::Option { fact, .. } if fact.is_first_operand));
        let shift = usize::from(is_shifted);
        for (index, at) in operands.iter().enumerate() {
            let place = index + 1 + shift;
            let Some(fact) = command.operand(place, operands.len() + shift) else {
                self.effect.strays.push(*at);
                continue;
            };
            if let Kind::Inner(by) = fact.kind {
                if self.is_freed {
                    return;
                }
                self.inner(InnerCommand::Arguments(self.arguments[*at..].to_vec()), by);
                return;
            }
            let given = Given {
                at: *at,
                text: None,
            };
            let is_many = matches!(self.arguments[*at].value, Value::Unknown { .. });
            let later = command.operand(place + 1, operands.len() + shift + 1);
            if let (true, Some(later)) = (is_many, later)
                && later.kind != fact.kind
            {
                self.apply_value(*at, later, &given);
            }
            if fact.limits && self.is_freed {
                continue;
            }
            self.apply(*at, fact);
            self.apply_value(*at, fact, &given);
        }
    }

    /// Where the operands stand.
    pub(super) fn operand_places(&self) -> Vec<usize> {
        let places = self.parts.iter().filter_map(|part| match part {
            Part::Operand { at } => Some(*at),
            _ => None,
        });
        places.collect()
    }

    /// What the words of a row say, whatever the value is.
    pub(super) fn apply(&mut self, at: usize, fact: &Fact) {
        let why = fact.why;
        if fact.limits {
            self.limit(at, why);
        }
        if fact.is_hazard {
            self.hazard(at, why);
        }
        if fact.asks && self.asks.is_none() {
            self.asks = Some(format!("`{}` {why}", self.arguments[at].shown()));
        }
        if fact.publishes && self.effect.publishes.is_none() {
            self.effect.publishes = Some(why.to_owned());
        }
        if fact.network && self.effect.network.is_none() {
            self.effect.network = Some(why.to_owned());
        }
        if fact.discloses && self.effect.discloses.is_none() {
            self.effect.discloses = Some(why.to_owned());
        }
        if matches!(fact.kind, Kind::Upload | Kind::Send) && self.sends.is_none() {
            self.sends = Some(why.to_owned());
        }
        if let Some(output) = fact.output
            && fact.output_rank >= self.output_rank
        {
            (self.effect.output, self.output_rank) = (output, fact.output_rank);
        }
        self.is_freed |= fact.frees;
        self.is_offline |= fact.is_offline;
    }

    /// Notes a limit.
    pub(super) fn limit(&mut self, at: usize, why: &str) {
        let shown = self.arguments[at].shown();
        self.limit.get_or_insert_with(|| format!("`{shown}` {why}"));
    }

    /// Notes a hazard.
    pub(super) fn hazard(&mut self, at: usize, why: &str) {
        let why = why.to_owned();
        let hazard = Hazard { at, why };
        if !self.effect.hazards.contains(&hazard) {
            self.effect.hazards.push(hazard);
        }
    }

    /// Notes a question.
    pub(super) fn ask(&mut self, why: impl Into<String>) {
        self.asks.get_or_insert(why.into());
    }

    /// Notes an inner command.
    pub(super) fn inner(&mut self, what: InnerCommand, by: Wrapper) {
        self.effect.inner.push(Inner { what, by });
    }

    /// Takes over what another command, given from `from` on, is said to do: it runs in this one.
    pub(super) fn merge(&mut self, other: Effect, from: usize) {
        let moved = |path: PathUse| PathUse {
            at: path.at + from,
            ..path
        };
        for hazard in other.hazards {
            self.hazard(hazard.at + from, &hazard.why);
        }
        self.effect.reads.extend(other.reads.into_iter().map(moved));
        self.effect
            .writes
            .extend(other.writes.into_iter().map(moved));
        self.effect.inner.extend(other.inner);
        self.effect.hosts.extend(other.hosts);
        let effect = &mut self.effect;
        effect.publishes = effect.publishes.take().or(other.publishes);
        effect.network = effect.network.take().or(other.network);
        effect.discloses = effect.discloses.take().or(other.discloses);
        if let Class::Asks { why } = other.class {
            self.ask(why);
        }
    }

    fn done(mut self) -> Effect {
        code::named_task(&mut self);
        let effect = &mut self.effect;
        if effect.output == Lines::OfInput && !effect.reads.is_empty() {
            effect.output = Lines::Unknown;
        }
        let is_near =
            !effect.hosts.is_empty() && effect.hosts.iter().all(|host| is_this_machine(host));
        if is_near || self.is_offline {
            effect.network = None;
        }
        if is_near {
            effect.hazards.retain(|hazard| hazard.why != UPLOADS);
        }
        if let (Some(why), false, false) = (self.sends, is_near, self.is_offline) {
            effect.publishes.get_or_insert(why);
        }
        effect.hosts.retain(|host| !host.is_empty());
        effect.class = match (self.asks, self.standing, self.limit) {
            (Some(why), _, _) => Class::Asks { why },
            (None, Standing::Asks, _) => Class::Asks {
                why: self.why.to_owned(),
            },
            (None, Standing::Known, _) => Class::Other,
            (None, Standing::Any | Standing::Limited, Some(why)) => Class::Limited { why },
            (None, standing, None) => Class::ReadOnly {
                any_arguments: standing == Standing::Any,
            },
        };
        if effect.class != Class::Other {
            effect.strays.clear();
        }
        self.effect
    }
}

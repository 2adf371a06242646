//! The tables: rows of the data files, read once.
//!
//! A row is `COMMANDS | WHAT | DOES | WHY`. `COMMANDS` are names with their subcommands (`git log`),
//! separated by commas; a name that begins with `@` is a set of options that others `use`. `WHAT` is
//! `command`, `operand N`, `operand N+`, `operand *`, `operand last`, `operand butlast`, `use @SET`,
//! or spellings of options: `-o FILE, --output=FILE` takes a value, `--color[=WHEN]` may have one
//! joined to it, `--[no-]x` is two options, `-NUM` is any digit. `DOES` are words of [`Fact`] and
//! [`Command`]; `WHY` goes on after the words themselves.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::{Language, Lines, Wrapper};

/// The data files, by name.
const SOURCES: [(&str, &str); 10] = [
    ("catalogue", include_str!("../../../data/catalogue.rows")),
    ("search", include_str!("../../../data/search.rows")),
    ("git", include_str!("../../../data/git.rows")),
    ("shell", include_str!("../../../data/shell.rows")),
    ("wrappers", include_str!("../../../data/wrappers.rows")),
    ("files", include_str!("../../../data/files.rows")),
    ("build", include_str!("../../../data/build.rows")),
    ("packages", include_str!("../../../data/packages.rows")),
    ("network", include_str!("../../../data/network.rows")),
    ("outside", include_str!("../../../data/outside.rows")),
];

/// All rows.
pub(super) struct Tables {
    commands: HashMap<String, Command>,
    /// Rows that cannot be used, each with file, line and why. A test keeps it empty.
    pub(super) problems: Vec<String>,
}

/// What the rows say of one command or subcommand.
#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "one per word of a row")]
pub(super) struct Command {
    /// Its standing.
    pub(super) standing: Standing,
    /// Why it stands so.
    pub(super) why: &'static str,
    /// How its options are spelled.
    pub(super) style: Style,
    /// What it does whatever its arguments are.
    pub(super) fact: Option<Fact>,
    /// The part of the analysis that is code.
    pub(super) code: Option<&'static str>,
    /// Whether that code reads the arguments alone: `own:NAME` instead of `code:NAME`.
    pub(super) is_own: bool,
    /// Whether options end at the first operand.
    pub(super) ends_at_operand: bool,
    /// Whether options of its parent are understood too.
    pub(super) inherits: bool,
    /// Whether `--version` alone only prints.
    pub(super) has_version: bool,
    /// Whether any row is a subcommand of it.
    pub(super) has_children: bool,
    options: HashMap<String, Opt>,
    operands: Vec<(Place, Fact)>,
    sets: Vec<String>,
}

/// How a command stands without any rule, as rows say it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Standing {
    /// `any`: in the catalogue with any arguments.
    Any,
    /// `limited`: in the catalogue, with known options only.
    Limited,
    /// `known`: not in the catalogue.
    #[default]
    Known,
    /// `asks`: not even in mode `auto`.
    Asks,
}

/// How options are spelled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Style {
    /// Clusters of letters and long options spelled out.
    #[default]
    Exact,
    /// `gnu`: long options may be abbreviated.
    Gnu,
    /// `single`: long options with one dash or two, no clusters.
    Single,
}

/// An option.
#[derive(Debug, Clone)]
pub(super) struct Opt {
    /// How it takes a value.
    pub(super) takes: Takes,
    /// What it does.
    pub(super) fact: Fact,
}

/// How an option takes a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    /// Not at all.
    Nothing,
    /// Joined to it or as so many arguments after it.
    Values(usize),
    /// Joined to it, if at all.
    Joined,
}

/// Where an operand stands, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    At(usize),
    From(usize),
    Last,
    ButLast,
}

/// What an option, its value or an operand does.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "one per word of a row")]
pub(super) struct Fact {
    /// What the value or operand is.
    pub(super) kind: Kind,
    /// `limit`: not in the catalogue with it.
    pub(super) limits: bool,
    /// `hazard`: no trailing `*` covers it.
    pub(super) is_hazard: bool,
    /// `asks`: asks in mode `auto` too.
    pub(super) asks: bool,
    /// `publish`: publishes.
    pub(super) publishes: bool,
    /// `network`: needs the network.
    pub(super) network: bool,
    /// `offline`: needs no network after all.
    pub(super) is_offline: bool,
    /// `discloses`: shows secrets.
    pub(super) discloses: bool,
    /// `frees`: operands are not limited any more.
    pub(super) frees: bool,
    /// `instead`: stands for the first operand.
    pub(super) is_first_operand: bool,
    /// `paths`, `lines`, `text`, `only-paths`: what its output holds.
    pub(super) output: Option<Lines>,
    /// Which of two such words wins: the higher, or else the later.
    pub(super) output_rank: u8,
    /// Why.
    pub(super) why: &'static str,
}

/// What a value or an operand is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing that matters.
    #[default]
    Data,
    /// `read`: a path that is read.
    Read,
    /// `look`: a path that is read, if it is known at all.
    Look,
    /// `search`: the start of a recursive search.
    Search,
    /// `write`: a path that is written.
    Write,
    /// `moved`: a path whose content gets another name: it is read and written.
    Moved,
    /// `folder`: where it works.
    Folder,
    /// `host`: a host or an address.
    Host,
    /// `remote`: `host:path`, or else a path that is read.
    Remote,
    /// `to-remote`: `host:path`, or else a path that is written.
    ToRemote,
    /// `upload`: text to send, or `@` and a file to send.
    Upload,
    /// `send`: a file to send.
    Send,
    /// `revpath`: `REV:PATH`.
    RevPath,
    /// `rev-or-path`: a revision, `REV:PATH` or a path.
    RevOrPath,
    /// `script`: shell text.
    Script,
    /// `git-setting`: a setting of git, which may be an alias.
    GitSetting,
    /// `git-remote`: the name of a remote, an address or a folder.
    GitRemote,
    /// `mode`: rights of a file.
    Mode,
    /// `flags`: options for another program.
    Flags,
    /// `format`: a format of git, which may verify signatures.
    Format,
    /// `plugin`: code to load, unless it begins with `no:`.
    Plugin,
    /// `maybe-file`: text, or `@` and a file.
    MaybeFile,
    /// `source`: a file to compile, or `@` and a file of options.
    Source,
    /// `program`: a file that is run.
    Program(Language),
    /// `task`: the name of a task.
    Task,
    /// `evaluates`: a name or arithmetic that bash evaluates.
    Evaluates,
    /// `inner`: the first word of a command.
    Inner(Wrapper),
}

impl Tables {
    /// The rows of a command, by its words joined by blanks.
    pub(super) fn command(&self, name: &str) -> Option<&Command> {
        self.commands.get(name)
    }

    /// The names of all commands.
    #[cfg(test)]
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.commands.keys().map(String::as_str)
    }

    /// The options of a command, those of its sets too, by spelling.
    #[cfg(test)]
    pub(super) fn options<'t>(&'t self, command: &'t Command) -> Vec<(&'t str, &'t Opt)> {
        let own = command.options.iter();
        let mut all: Vec<(&str, &Opt)> = own.map(|(name, row)| (name.as_str(), row)).collect();
        for set in command.sets.iter().filter_map(|set| self.commands.get(set)) {
            let more = self.options(set).into_iter();
            all.extend(more.filter(|(name, _)| !command.options.contains_key(*name)));
        }
        all.sort_by_key(|(name, _)| *name);
        all
    }

    /// The names of all analyses that rows use.
    #[cfg(test)]
    pub(super) fn codes(&self) -> impl Iterator<Item = &'static str> {
        self.commands.values().filter_map(|command| command.code)
    }

    /// The option of this exact spelling.
    pub(super) fn option<'t>(&'t self, command: &'t Command, spelling: &str) -> Option<&'t Opt> {
        let own = command.options.get(spelling);
        own.or_else(|| {
            let mut sets = command.sets.iter().filter_map(|set| self.commands.get(set));
            sets.find_map(|set| self.option(set, spelling))
        })
    }

    /// All long options that begin with `start`.
    pub(super) fn options_from<'t>(&'t self, command: &'t Command, start: &str) -> Vec<&'t Opt> {
        let own = command.options.iter();
        let mut found: Vec<&Opt> = own
            .filter(|(name, _)| name.starts_with(start))
            .map(|(_, option)| option)
            .collect();
        for set in command.sets.iter().filter_map(|set| self.commands.get(set)) {
            found.extend(self.options_from(set, start));
        }
        found
    }

    /// Whether some option of the command is a hazard or a limit.
    pub(super) fn has_hazards(&self, command: &Command) -> bool {
        let own = command.options.values();
        let sets = command.sets.iter().filter_map(|set| self.commands.get(set));
        own.map(|option| &option.fact)
            .any(|fact| fact.is_hazard || fact.limits || fact.publishes)
            || sets.into_iter().any(|set| self.has_hazards(set))
    }
}

impl Command {
    /// What the operand at `index` of `count` is, both from 1.
    pub(super) fn operand(&self, index: usize, count: usize) -> Option<&Fact> {
        let fits = |place: &Place| match place {
            Place::At(at) => *at == index,
            Place::From(at) => *at <= index,
            Place::Last => index == count,
            Place::ButLast => index < count,
        };
        let mut rows = self.operands.iter();
        rows.find(|(place, _)| fits(place)).map(|(_, fact)| fact)
    }
}

/// The rows, read at their first use.
pub(super) fn tables() -> &'static Tables {
    static TABLES: LazyLock<Tables> = LazyLock::new(|| read(&SOURCES));
    &TABLES
}

/// Reads rows.
pub(super) fn read(sources: &[(&'static str, &'static str)]) -> Tables {
    let mut tables = Tables {
        commands: HashMap::new(),
        problems: Vec::new(),
    };
    for (source, text) in sources {
        for (number, line) in text.lines().enumerate() {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            if let Err(why) = row(&mut tables.commands, line) {
                let place = number + 1;
                tables.problems.push(format!("{source}:{place}: {why}"));
            }
        }
    }
    let names: Vec<String> = tables.commands.keys().cloned().collect();
    for name in names {
        let parent = name.rsplit_once(' ').map(|(parent, _)| parent);
        if let Some(parent) = parent.and_then(|parent| tables.commands.get_mut(parent)) {
            parent.has_children = true;
        } else if parent.is_some() {
            tables
                .problems
                .push(format!("{name}: no row of its parent"));
        }
    }
    tables
}

fn row(commands: &mut HashMap<String, Command>, line: &'static str) -> Result<(), String> {
    let columns: Vec<&'static str> = line.split(" | ").map(str::trim).collect();
    let [names, what, does, why] = columns[..] else {
        return Err(format!("{} columns instead of 4", columns.len()));
    };
    if why.is_empty() || names.is_empty() {
        return Err("a column is empty".to_owned());
    }
    for name in names.split(',').map(str::trim) {
        let command = commands.entry(name.to_owned()).or_default();
        if what == "command" {
            about_command(command, does, why)?;
        } else if let Some(set) = what.strip_prefix("use ") {
            command.sets.push(set.to_owned());
        } else if let Some(place) = what.strip_prefix("operand ") {
            let fact = fact(does, why)?;
            command.operands.push((self::place(place)?, fact));
        } else if what.starts_with('-') || what.starts_with('+') {
            let fact = fact(does, why)?;
            for spelling in what.split(", ") {
                option(command, spelling.trim(), fact)?;
            }
        } else {
            return Err(format!("`{what}` is no known WHAT"));
        }
    }
    Ok(())
}

fn place(text: &str) -> Result<Place, String> {
    let number = |text: &str| text.parse().map_err(|_| format!("no place: {text}"));
    Ok(match text {
        "*" => Place::From(1),
        "last" => Place::Last,
        "butlast" => Place::ButLast,
        _ => match text.strip_suffix('+') {
            Some(from) => Place::From(number(from)?),
            None => Place::At(number(text)?),
        },
    })
}

fn option(command: &mut Command, spelling: &str, fact: Fact) -> Result<(), String> {
    if let Some(name) = spelling.strip_prefix("--[no-]") {
        let plain = name.split(['=', '[']).next().unwrap_or(name);
        option(
            command,
            &format!("--no-{plain}"),
            Fact {
                kind: Kind::Data,
                ..fact
            },
        )?;
        return option(command, &format!("--{name}"), fact);
    }
    let (name, takes) = if spelling.starts_with('+') && !spelling.contains(' ') {
        ("+#", Takes::Joined)
    } else if let Some((name, values)) = spelling.split_once(' ') {
        (name, Takes::Values(values.split(' ').count()))
    } else if let Some((name, _)) = spelling.split_once('[') {
        (name, Takes::Joined)
    } else if let Some((name, _)) = spelling.split_once('=') {
        (name, Takes::Values(1))
    } else {
        (spelling, Takes::Nothing)
    };
    let name = if name == "-NUM" { "-#" } else { name };
    let earlier = command.options.insert(name.to_owned(), Opt { takes, fact });
    match earlier {
        Some(_) => Err(format!("{name} stands twice")),
        None => Ok(()),
    }
}

fn about_command(
    command: &mut Command,
    does: &'static str,
    why: &'static str,
) -> Result<(), String> {
    if !command.why.is_empty() {
        return Err("a second row `command`".to_owned());
    }
    command.why = why;
    let mut rest = Vec::new();
    for word in does.split_whitespace() {
        match word {
            "any" => command.standing = Standing::Any,
            "limited" => command.standing = Standing::Limited,
            "known" => command.standing = Standing::Known,
            "asks" => command.standing = Standing::Asks,
            "gnu" => command.style = Style::Gnu,
            "single" => command.style = Style::Single,
            "first" => command.ends_at_operand = true,
            "inherit" => command.inherits = true,
            "version" => command.has_version = true,
            _ => match word.split_once(':') {
                Some(("code", code)) => command.code = Some(code),
                Some(("own", code)) => (command.code, command.is_own) = (Some(code), true),
                _ => rest.push(word),
            },
        }
    }
    if !rest.is_empty() {
        command.fact = Some(fact(&rest.join(" "), why)?);
    }
    Ok(())
}

fn fact(does: &str, why: &'static str) -> Result<Fact, String> {
    let mut fact = Fact {
        why,
        ..Fact::default()
    };
    for word in does.split_whitespace() {
        match word {
            "data" => fact.kind = Kind::Data,
            "read" => fact.kind = Kind::Read,
            "look" => fact.kind = Kind::Look,
            "search" => fact.kind = Kind::Search,
            "write" => fact.kind = Kind::Write,
            "moved" => fact.kind = Kind::Moved,
            "folder" => fact.kind = Kind::Folder,
            "host" => fact.kind = Kind::Host,
            "remote" => fact.kind = Kind::Remote,
            "to-remote" => fact.kind = Kind::ToRemote,
            "upload" => fact.kind = Kind::Upload,
            "send" => fact.kind = Kind::Send,
            "revpath" => fact.kind = Kind::RevPath,
            "rev-or-path" => fact.kind = Kind::RevOrPath,
            "script" => fact.kind = Kind::Script,
            "git-setting" => fact.kind = Kind::GitSetting,
            "git-remote" => fact.kind = Kind::GitRemote,
            "mode" => fact.kind = Kind::Mode,
            "flags" => fact.kind = Kind::Flags,
            "format" => fact.kind = Kind::Format,
            "plugin" => fact.kind = Kind::Plugin,
            "maybe-file" => fact.kind = Kind::MaybeFile,
            "source" => fact.kind = Kind::Source,
            "shell-program" => fact.kind = Kind::Program(Language::Shell),
            "program" => fact.kind = Kind::Program(Language::Other),
            "task" => fact.kind = Kind::Task,
            "evaluates" => fact.kind = Kind::Evaluates,
            "transparent" => fact.kind = Kind::Inner(Wrapper::Transparent),
            "opaque" => fact.kind = Kind::Inner(Wrapper::Opaque),
            "each" => fact.kind = Kind::Inner(Wrapper::Each),
            "limit" => fact.limits = true,
            "hazard" => fact.is_hazard = true,
            "ask" => fact.asks = true,
            "publish" => fact.publishes = true,
            "network" => fact.network = true,
            "offline" => fact.is_offline = true,
            "discloses" => fact.discloses = true,
            "frees" => fact.frees = true,
            "instead" => fact.is_first_operand = true,
            "paths" => (fact.output, fact.output_rank) = (Some(Lines::WorkspacePaths), 1),
            "lines" => (fact.output, fact.output_rank) = (Some(Lines::OfInput), 1),
            "text" => (fact.output, fact.output_rank) = (Some(Lines::Unknown), 2),
            "only-paths" => (fact.output, fact.output_rank) = (Some(Lines::WorkspacePaths), 3),
            _ => return Err(format!("`{word}` is no known DOES")),
        }
    }
    Ok(fact)
}

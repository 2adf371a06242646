//! What one simple command does, said by tables: no path is judged and no rule is held against it
//! here.

mod apply;
mod code;
mod grammar;
mod host;
mod kinds;
mod rows;

pub use apply::effect;
pub use host::is_this_machine;

use super::argument::Argument;

/// What the tables say of one simple command. `at` fields are indexes into its arguments, the
/// command word being 0.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Effect {
    /// How it stands without any rule.
    pub class: Class,
    /// Options and arguments that a rule's trailing `*` never covers.
    pub hazards: Vec<Hazard>,
    /// Files and folders it reads.
    pub reads: Vec<PathUse>,
    /// Files and folders it writes, makes, removes or changes.
    pub writes: Vec<PathUse>,
    /// Commands it runs with words of its own.
    pub inner: Vec<Inner>,
    /// What it publishes, in a few words (`sends commits to a remote`), if anything.
    pub publishes: Option<String>,
    /// Why it needs the network (`downloads a package`), if it does. Hosts that are this machine
    /// are no network.
    pub network: Option<String>,
    /// Hosts it would reach, as far as they are named, this machine too; empty does not mean none.
    pub hosts: Vec<String>,
    /// Where it goes, if it changes the working folder: the argument's index, or `None` for home
    /// or the folder before.
    pub goes_to: Option<Option<usize>>,
    /// What secrets it shows without reading a file (`prints the environment`): a protected read.
    pub discloses: Option<String>,
    /// Arguments that bash evaluates as names of variables or as arithmetic, quoted or not: a
    /// subscript in them runs its substitutions (`let`, `test -v`, `printf -v`, `read`, `unset`).
    pub evaluates: Vec<usize>,
    /// Arguments that no row says anything about: what they are is the command's own affair.
    pub strays: Vec<usize>,
    /// Text that stands elsewhere and that it runs.
    pub programs: Vec<Program>,
    /// What its standard output holds.
    pub output: Lines,
}

/// What lines, or NUL-separated texts, a standard input or output holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lines {
    /// Anything.
    #[default]
    Unknown,
    /// Paths of things in the workspace: `git ls-files`, `find`, `rg -l`.
    WorkspacePaths,
    /// Of an output: some lines of its own input, as they were: `sort`, `head -3`, `grep x`.
    OfInput,
}

/// Text that a command runs and that stands outside its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Program {
    /// A file: `sh FILE`, `. FILE`, `python3 FILE`.
    File {
        /// The file.
        path: PathUse,
        /// What it is written in.
        language: Language,
    },
    /// What comes in on standard input: `sh` alone, `python3 -`.
    StandardInput {
        /// What it is written in.
        language: Language,
    },
    /// A task that a file of the project describes: `make test`, `npm run build`. The first task
    /// of the file has an empty name.
    Task {
        /// The file's name in the working folder: `Makefile`, `package.json`.
        file: &'static str,
        /// The task.
        name: String,
    },
}

/// What a program is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// What `parse` reads.
    Shell,
    /// Anything else.
    Other,
}

/// How a command stands without any rule.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Class {
    /// In the read-only catalogue, with options that keep it there.
    ReadOnly {
        /// Whether it takes any arguments (marked † in the catalogue): such a command may be run
        /// by `xargs` and `find -exec`.
        any_arguments: bool,
    },
    /// In the catalogue, but not with these arguments.
    Limited {
        /// Which argument, and why: to go on after the words themselves.
        why: String,
    },
    /// A name that no table knows, or a command that only a rule or mode `auto` runs.
    #[default]
    Other,
    /// Not even mode `auto` runs it unasked, only `full` or a rule that spells it: it drives
    /// something outside the sandbox, takes other rights, or changes how the shell behaves.
    Asks {
        /// Why.
        why: String,
    },
}

/// An argument that a trailing `*` never covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hazard {
    /// The argument.
    pub at: usize,
    /// What it does, in a few words: `starts a program`.
    pub why: String,
}

/// A path among the arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathUse {
    /// The argument.
    pub at: usize,
    /// The path, if it is a part of the argument (`--output=FILE`, `@FILE`, `REV:PATH`) or implied;
    /// else the whole argument.
    pub text: Option<String>,
    /// Whether it is only the start of a recursive search.
    pub is_search_start: bool,
}

/// A command that a command runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inner {
    /// What runs.
    pub what: InnerCommand,
    /// Who runs it and how far its allow rules reach.
    pub by: Wrapper,
}

/// How the inner command is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InnerCommand {
    /// As arguments, the command word first; more arguments may be added that are not known here
    /// (`xargs`: what it reads; `{}`: what is found), as [`Value::Unknown`] or
    /// [`Value::WorkspacePaths`].
    ///
    /// [`Value::Unknown`]: super::argument::Value::Unknown
    /// [`Value::WorkspacePaths`]: super::argument::Value::WorkspacePaths
    Arguments(Vec<Argument>),
    /// As a script in one argument: `sh -c TEXT`, `eval`, `trap`.
    Script {
        /// The arguments whose texts, joined by blanks, are the script.
        arguments: Vec<Argument>,
    },
}

/// What kind of wrapper runs an inner command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrapper {
    /// Transparent for allow, deny and ask: `time`, `command`, `nice`, `timeout`, `stdbuf`.
    Transparent,
    /// Transparent for deny and ask; never allowed by itself: `sudo`, `env`, `nohup`, `sh -c`.
    Opaque,
    /// `xargs`, `find -exec`: allows an inner command only if it takes any arguments, or by a rule.
    Each,
}

#[cfg(test)]
mod tests;

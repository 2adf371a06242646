//! The parts of the tables that rows cannot say: arguments that are a small language.

mod awk;
mod builtins;
mod find;
mod git;
mod jq;
mod sed;
mod small;
mod tar;
mod wrappers;

use super::Program;
use super::apply::Work;

/// The names that rows may use after `code:` and `own:`.
#[cfg(test)]
pub(super) const NAMES: [&str; 32] = [
    "awk",
    "cd",
    "chmod",
    "curl",
    "date",
    "dd",
    "env",
    "eval",
    "export",
    "fd",
    "find",
    "flock",
    "git-config",
    "git-log",
    "git-show",
    "jq",
    "kill",
    "make",
    "names",
    "names-lower",
    "ps",
    "runuser",
    "sudo",
    "sed",
    "set",
    "shell",
    "tar",
    "test",
    "trap",
    "watch",
    "xargs",
    "interpreter",
];

/// Runs the analysis called `name`.
pub(super) fn run(name: &str, work: &mut Work<'_>) {
    match name {
        "awk" => awk::judge(work),
        "cd" => builtins::cd(work),
        "chmod" => small::chmod(work),
        "curl" => small::curl(work),
        "date" => small::date(work),
        "dd" => small::dd(work),
        "env" => wrappers::env(work),
        "eval" => builtins::eval(work),
        "fd" => find::fd(work),
        "export" => builtins::export(work),
        "find" => find::judge(work),
        "flock" => wrappers::flock(work),
        "git-config" => git::config(work),
        "git-log" => git::log(work, false),
        "git-show" => git::log(work, true),
        "interpreter" => wrappers::interpreter(work),
        "jq" => jq::judge(work),
        "kill" => small::kill(work),
        "make" => small::make(work),
        "names" => builtins::names(work, false),
        "names-lower" => builtins::names(work, true),
        "ps" => small::ps(work),
        "sed" => sed::judge(work),
        "set" => builtins::set(work),
        "shell" => wrappers::shell(work),
        "sudo" => wrappers::sudo(work),
        "runuser" => wrappers::runuser(work),
        "tar" => tar::judge(work),
        "test" => builtins::test(work),
        "trap" => builtins::trap(work),
        "watch" => wrappers::watch(work),
        "xargs" => wrappers::xargs(work),
        _ => {}
    }
}

pub(super) use small::sets_id;

/// A task that a subcommand stands for: `npm test`.
pub(super) fn named_task(work: &mut Work<'_>) {
    let words: Vec<&str> = work.words.iter().map(String::as_str).collect();
    if let ["npm" | "pnpm" | "yarn" | "bun", name] = words[..] {
        let name = match name {
            "test" | "t" | "tst" if words[0] != "bun" => "test",
            "start" | "stop" | "restart" => name,
            _ => return,
        };
        let (file, name) = ("package.json", name.to_owned());
        work.effect.programs.push(Program::Task { file, name });
    }
}

/// The file that describes the tasks of a command, if it is one that is understood.
pub(super) fn task_file(words: &[String]) -> Option<&'static str> {
    match words.first().map(String::as_str) {
        Some("make" | "gmake") => Some("Makefile"),
        Some("npm" | "pnpm" | "yarn" | "bun") => Some("package.json"),
        Some("just") => Some("justfile"),
        _ => None,
    }
}

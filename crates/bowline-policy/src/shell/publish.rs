//! Publish-class commands in the text of scripts, as far as that can be told without running them.

use super::argument::{Argument, Value};
use super::effect::{Lines, effect};
use super::tree::Span;
use super::words::base_name;

/// Commands that have publish-class subcommands or options.
const STARTERS: [&str; 52] = [
    "git",
    "git-push",
    "gh",
    "glab",
    "hub",
    "cargo",
    "npm",
    "pnpm",
    "yarn",
    "bun",
    "lerna",
    "npx",
    "changeset",
    "twine",
    "flit",
    "poetry",
    "uv",
    "hatch",
    "pdm",
    "maturin",
    "python",
    "python3",
    "gem",
    "rake",
    "bundle",
    "mvn",
    "gradle",
    "gradlew",
    "sbt",
    "docker",
    "podman",
    "buildah",
    "skopeo",
    "crane",
    "helm",
    "goreleaser",
    "vsce",
    "ovsx",
    "dotnet",
    "nuget",
    "swift",
    "pod",
    "terraform",
    "wrangler",
    "vercel",
    "netlify",
    "fly",
    "flyctl",
    "heroku",
    "firebase",
    "make",
    "just",
];

/// Longest line that is looked at, in bytes.
const LINE_BYTES_MAX: usize = 4_096;

/// How many words after a command's name are looked at.
const WORDS_MAX: usize = 8;

/// How many tasks are followed from one.
const TASKS_MAX: usize = 32;

/// The first publish-class command in a text of any language.
pub(super) fn in_text(text: &str) -> Option<String> {
    text.lines().find_map(in_line)
}

fn in_line(line: &str) -> Option<String> {
    let line = line.trim_start();
    if line.is_empty() || line.starts_with(['#', ';']) || line.starts_with("//") {
        return None;
    }
    let is_break = |one: char| one.is_whitespace() || "\"'`,()[]{};&|=".contains(one);
    let line = line.get(..LINE_BYTES_MAX).unwrap_or(line);
    let words: Vec<&str> = line
        .split(is_break)
        .filter(|word| !word.is_empty())
        .collect();
    (0..words.len()).find_map(|at| {
        let words = &words[at..words.len().min(at + WORDS_MAX)];
        let name = base_name(words.first()?.trim_start_matches(['@', '-', '$', '!']));
        if !STARTERS.contains(&name) {
            return None;
        }
        let known = |text: &str| Argument {
            value: Value::Known(text.to_owned()),
            span: Span::default(),
        };
        let rest = words.iter().skip(1).map(|word| known(word));
        let arguments: Vec<Argument> = [known(name)].into_iter().chain(rest).collect();
        let publishes = effect(&arguments, Lines::Unknown).publishes;
        publishes.map(|_| format!("{name} {}", words[1..].join(" ")).trim().to_owned())
    })
}

/// The first publish-class command that the task `part` of a file would run; the whole file where
/// no task is named.
pub(super) fn in_file(name: &str, part: &str, text: &str) -> Option<String> {
    match name {
        "package.json" => in_package(text, part, &mut Vec::new()),
        _ if is_makefile(name) => in_makefile(text, part, &mut Vec::new()),
        _ => in_text(text),
    }
}

fn is_makefile(name: &str) -> bool {
    matches!(name, "Makefile" | "makefile" | "GNUmakefile") || name.ends_with(".mk")
}

/// The recipe of a target and of what it depends on.
fn in_makefile<'t>(text: &'t str, target: &'t str, seen: &mut Vec<&'t str>) -> Option<String> {
    if seen.len() > TASKS_MAX || seen.contains(&target) {
        return None;
    }
    seen.push(target);
    let is_head = |line: &&str| {
        !line.starts_with(['\t', ' ', '#', '.']) && line.contains(':') && !line.contains(":=")
    };
    let target = if target.is_empty() {
        let first = text.lines().find(is_head)?;
        first.split(':').next()?.split_whitespace().next()?
    } else {
        target
    };
    let mut is_in = false;
    let mut needs = Vec::new();
    for line in text.lines() {
        if is_head(&line) {
            let (names, rest) = line.split_once(':')?;
            is_in = names.split_whitespace().any(|name| name == target);
            if is_in {
                let rest = rest.trim_start_matches(':');
                let (before, recipe) = rest.split_once(';').unwrap_or((rest, ""));
                needs.extend(before.split_whitespace());
                if let Some(found) = in_line(recipe) {
                    return Some(found);
                }
            }
        } else if is_in
            && line.starts_with(['\t', ' '])
            && let Some(found) = in_line(line.trim_start().trim_start_matches(['@', '-', '+']))
        {
            return Some(found);
        }
    }
    needs
        .into_iter()
        .find_map(|need| in_makefile(text, need, seen))
}

/// The script of a task of `package.json`, those before and after it, and those that it runs.
fn in_package(text: &str, task: &str, seen: &mut Vec<String>) -> Option<String> {
    if seen.len() > TASKS_MAX || seen.iter().any(|one| one == task) {
        return None;
    }
    seen.push(task.to_owned());
    let scripts = &text[text.find("\"scripts\"")?..];
    let names = [format!("pre{task}"), task.to_owned(), format!("post{task}")];
    names.iter().find_map(|name| {
        let script = string_of(scripts, name)?;
        if let Some(found) = in_line(&script) {
            return Some(found);
        }
        let words: Vec<&str> = script.split_whitespace().collect();
        words.windows(3).find_map(|three| match three {
            ["npm" | "pnpm" | "yarn" | "bun", "run", next] => in_package(text, next, seen),
            _ => None,
        })
    })
}

/// The string that a key of a JSON object holds, escapes of quotes resolved.
fn string_of(text: &str, key: &str) -> Option<String> {
    let key = format!("\"{key}\"");
    let mut rest = text;
    loop {
        rest = &rest[rest.find(&key)? + key.len()..];
        let Some(value) = rest.trim_start().strip_prefix(':') else {
            continue;
        };
        let value = value.trim_start().strip_prefix('"')?;
        let mut found = String::new();
        let mut characters = value.chars();
        while let Some(one) = characters.next() {
            match one {
                '"' => return Some(found),
                '\\' => found.extend(characters.next()),
                other => found.push(other),
            }
        }
        return None;
    }
}

#[cfg(test)]
mod tests;

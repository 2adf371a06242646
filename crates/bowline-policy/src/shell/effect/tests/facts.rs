//! What calls read, write, run, reach and publish, one a line of `facts.txt`.

use super::*;

/// The facts of a call in the words of `facts.txt`, in the order of the fields.
fn facts(text: &str) -> String {
    facts_of(&arguments(text))
}

/// The same of arguments.
pub(super) fn facts_of(arguments: &[Argument]) -> String {
    let shown = |at: usize| arguments[at].shown();
    let path = |path: &PathUse| path.text.clone().unwrap_or_else(|| shown(path.at));
    let words = |arguments: &[Argument]| {
        let words: Vec<String> = arguments.iter().map(Argument::shown).collect();
        words.join(" ")
    };
    let effect = effect(arguments, Lines::Unknown);
    let mut facts: Vec<String> = Vec::new();
    facts.extend(
        effect
            .hazards
            .iter()
            .map(|hazard| format!("hazard {}", shown(hazard.at))),
    );
    for read in &effect.reads {
        let verb = if read.is_search_start {
            "search"
        } else {
            "read"
        };
        facts.push(format!("{verb} {}", path(read)));
    }
    facts.extend(
        effect
            .writes
            .iter()
            .map(|write| format!("write {}", path(write))),
    );
    for inner in &effect.inner {
        facts.push(match &inner.what {
            InnerCommand::Arguments(inside) => format!("{:?} {}", inner.by, words(inside)),
            InnerCommand::Script { arguments } => {
                format!("{:?}-script {}", inner.by, words(arguments))
            }
        });
    }
    facts.extend(effect.publishes.iter().map(|_| "publishes".to_owned()));
    facts.extend(effect.network.iter().map(|_| "network".to_owned()));
    facts.extend(effect.hosts.iter().map(|host| format!("host {host}")));
    facts.extend(
        effect
            .goes_to
            .iter()
            .map(|to| format!("goes {}", to.map_or("-".to_owned(), shown))),
    );
    facts.extend(effect.discloses.iter().map(|_| "discloses".to_owned()));
    facts.extend(
        effect
            .evaluates
            .iter()
            .map(|at| format!("evaluates {}", shown(*at))),
    );
    for program in &effect.programs {
        facts.push(match program {
            Program::File {
                path: file,
                language,
            } => format!("program {language:?} {}", path(file)),
            Program::StandardInput { language } => format!("program {language:?} <"),
            Program::Task { file, name } => format!("task {file}:{name}"),
        });
    }
    match effect.output {
        Lines::Unknown => {}
        Lines::WorkspacePaths => facts.push("prints paths".to_owned()),
        Lines::OfInput => facts.push("passes lines".to_owned()),
    }
    facts.join("; ")
}

#[test]
fn every_call_has_its_facts() {
    let lines = include_str!("facts.txt").lines();
    let rows = lines.filter(|line| !line.starts_with('#') && !line.is_empty());
    let mut wrong = Vec::new();
    for line in rows {
        let (call, expect) = line.split_once(" => ").unwrap_or((line, "?"));
        let found = facts(call);
        if found != expect.trim() {
            wrong.push(format!("{call} => {found}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

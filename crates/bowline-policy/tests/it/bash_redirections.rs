//! Redirections: which files bash makes, and which the tree says are written.

use std::collections::BTreeSet;

use bowline_policy::shell::parse::parse;
use bowline_policy::shell::tree::{CommandKind, Descriptor, Operator, Piece, Redirection, Script};

use crate::bash;
use crate::chance::{Chance, cases_and_seed};

/// A text of redirections; `in` is there, `o1` to `o9` are made.
fn text(chance: &mut Chance) -> String {
    let mut text = String::new();
    for _ in 0..=chance.below(2) {
        let command = [
            ":",
            "",
            "{ :; }",
            "( : )",
            ": a 2",
            "v=1",
            ": {",
            ": x3",
            "if :; then :; fi",
        ];
        let command = chance.pick(&command);
        text += command;
        if command.is_empty() {
            text += &redirection(chance);
        }
        for _ in 0..chance.below(4) {
            text += chance.pick(&[" ", "\t", " \\\n", "", ""]);
            text += &redirection(chance);
            if command.starts_with(':') && chance.once_in(4) {
                text += chance.pick(&[
                    " a", " 3", " 2 ", " {w}", "\\\n", " '>o5'", " \\>o6", " \">\"",
                ]);
            }
        }
        // In a pipeline bash does not wait for redirections without a command.
        let has_command = !command.is_empty() && !command.starts_with('v');
        let pipe = if has_command { " | : " } else { "\n" };
        text += chance.pick(&["\n", ";", " # >o7\n", "\n", pipe, "; \\\n"]);
        if text.ends_with(": ") {
            text += &redirection(chance);
            text.push('\n');
        }
    }
    text + ":"
}

fn redirection(chance: &mut Chance) -> String {
    let before = ["", "", "", "1", "2", "3", "\\\n4", "{v}", "5\\\n", "07"];
    let operators = [
        ">", ">>", ">|", "&>", "&>>", ">&", "<>", "<", "<<<", ">\\\n>", "&\\\n>", ">\\\n|",
        "2>&1 >", ">&2 >", ">&-\n: >",
    ];
    let targets = [
        "o1",
        "'o2'",
        "\"o3\"",
        "o\\4",
        "o$'\\x35'",
        "o\\\n6",
        "o7",
        "o8\"\"",
        "o9",
        "$'o1'",
        "\"o$x\"1",
    ];
    let operator = chance.pick(&operators);
    let target = match operator {
        "<" => "in ",
        _ => chance.pick(&targets),
    };
    let before = chance.pick(&before);
    let blank = chance.pick(&["", "", " ", "\t", " \\\n"]);
    format!("{before}{operator}{blank}{target}")
}

/// What the tree says is written.
fn written(script: &Script, into: &mut BTreeSet<String>) {
    for list in &script.lists {
        for command in list
            .pipelines
            .iter()
            .flat_map(|pipeline| &pipeline.commands)
        {
            for redirection in &command.redirections {
                into.extend(made(redirection));
            }
            match &command.kind {
                CommandKind::Group(script) | CommandKind::Subshell(script) => written(script, into),
                CommandKind::Simple { .. } | CommandKind::If { .. } => {}
                other => panic!("{other:?} was not made"),
            }
        }
    }
}

fn made(redirection: &Redirection) -> Option<String> {
    let mut target = String::new();
    for piece in &redirection.target.pieces {
        match piece {
            Piece::Bare(text) | Piece::Quoted(text) => target += text,
            Piece::Parameter { .. } => {}
            other => panic!("{other:?} was not made"),
        }
    }
    match redirection.operator {
        Operator::Read | Operator::HereString | Operator::HereDocument => None,
        Operator::DuplicateInput | Operator::DuplicateOutput
            if target == "-" || target.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            None
        }
        // With a number it is an error.
        Operator::DuplicateOutput => (redirection.descriptor == Descriptor::Default
            || redirection.descriptor == Descriptor::Number(1))
        .then_some(target),
        _ => Some(target),
    }
}

/// Whether a redirection fails, so that bash does not go on to the next.
fn fails(script: &Script) -> bool {
    let pipelines = script.lists.iter().flat_map(|list| &list.pipelines);
    let mut commands = pipelines.flat_map(|pipeline| &pipeline.commands);
    commands.any(|command| {
        command.redirections.iter().any(|redirection| {
            let duplicates = redirection.operator == Operator::DuplicateOutput;
            let is_literal = redirection.target.pieces.iter().all(|piece| {
                matches!(piece, Piece::Bare(text) if text.bytes().all(|byte| byte.is_ascii_digit()))
            });
            duplicates
                && redirection.target.pieces != [Piece::Bare("-".to_owned())]
                && !is_literal
                && !matches!(
                    redirection.descriptor,
                    Descriptor::Default | Descriptor::Number(1)
                )
        })
    })
}

#[test]
fn bash_makes_the_files_that_the_tree_says_are_written() {
    let (count, seed) = cases_and_seed();
    let mut chance = Chance::new(seed.wrapping_add(1));
    let mut cases = Vec::new();
    let mut expected = Vec::new();
    let mut made = 0;
    while cases.len() < count {
        made += 1;
        let text = text(&mut chance);
        if let Some(script) = parse(&text).ok().filter(|script| !fails(script)) {
            let mut names = BTreeSet::new();
            written(&script, &mut names);
            cases.push(text);
            expected.push(names);
        }
    }
    let folder = bash::scratch("redirections");
    // Every case runs in a subshell, in a folder that holds nothing but `in`; what it made is told
    // by the names that a glob finds, then truncated names are given back by the next round.
    let each = "made=$((made + 1))\n\
                ( cd \"d$made\" && exec 3>&- && eval \"$text\" ) >/dev/null 2>&1 </dev/null\n\
                set +f; for name in \"d$made\"/*; do printf '%s\\0' \"${name##*/}\"; done; set -f";
    let mut wrong = Vec::new();
    for (cases, expected) in cases.chunks(2000).zip(expected.chunks(2000)) {
        for index in 1..=cases.len() {
            let path = folder.0.join(format!("d{index}"));
            let removed = std::fs::remove_dir_all(&path);
            drop(removed);
            std::fs::create_dir(&path).unwrap();
            std::fs::write(path.join("in"), "").unwrap();
        }
        let found = bash::for_each(cases, &folder.0, each);
        for ((case, expected), found) in cases.iter().zip(expected).zip(&found) {
            let names = bash::split(found, b"\0").into_iter();
            let mut found: BTreeSet<String> = names
                .map(|name| String::from_utf8_lossy(name).into_owned())
                .collect();
            found.remove("in");
            if found != *expected {
                wrong.push(format!("{case:?}\n  bash: {found:?}\n  tree: {expected:?}"));
            }
        }
    }
    println!(
        "redirections: {count} texts of {made} made, {} read otherwise",
        wrong.len()
    );
    let is_right = wrong.is_empty();
    bash::tell(wrong);
    assert!(is_right);
}

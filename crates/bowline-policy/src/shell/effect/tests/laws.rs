//! Laws that hold for every command: more arguments never take a hazard away, the order of options
//! and their spelling do not matter, every row is reached.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::catalogue::calls;
use super::*;
use crate::shell::effect::grammar::{Part, read};
use crate::shell::effect::rows::{Command, Fact, Style, Takes};

fn known(texts: &[&str]) -> Vec<Argument> {
    let argument = |text: &&str| Argument {
        value: Value::Known((*text).to_owned()),
        span: Span::default(),
    };
    texts.iter().map(argument).collect()
}

fn effect_of(words: &[&str]) -> Effect {
    effect(&known(words), Lines::Unknown)
}

/// Commands whose options the one reader judges.
fn by_rows() -> &'static [(&'static str, &'static Command)] {
    static COMMANDS: LazyLock<Vec<(&'static str, &'static Command)>> = LazyLock::new(commands);
    &COMMANDS
}

fn commands() -> Vec<(&'static str, &'static Command)> {
    let names = tables().names().filter(|name| !name.starts_with('@'));
    let mut all: Vec<_> = names
        .filter_map(|name| Some((name, tables().command(name)?)))
        .filter(|(_, command)| !command.is_own)
        .collect();
    all.sort_by_key(|(name, _)| *name);
    all
}

/// Every way to write an option with the value `v`.
fn spellings(command: &Command, name: &str, takes: Takes) -> Vec<Vec<String>> {
    let name = name.replace('#', "3");
    let name = if let Some(digits) = name.strip_prefix('+') {
        return vec![vec![format!("+{digits}")]];
    } else {
        name
    };
    let is_long = name.starts_with("--") || command.style == Style::Single;
    let is_odd = !is_long && name.len() > 2;
    match takes {
        Takes::Values(count) if is_odd => {
            let mut separate = vec![name];
            separate.extend(std::iter::repeat_n("v".to_owned(), count));
            vec![separate]
        }
        Takes::Nothing => vec![vec![name]],
        Takes::Joined if is_long => vec![vec![name.clone()], vec![format!("{name}=v")]],
        Takes::Joined => vec![vec![name.clone()], vec![format!("{name}v")]],
        Takes::Values(count) => {
            let mut separate = vec![name.clone()];
            separate.extend(std::iter::repeat_n("v".to_owned(), count));
            let mut joined = separate.clone();
            joined.remove(1);
            joined[0] = if is_long {
                format!("{name}=v")
            } else {
                format!("{name}v")
            };
            vec![separate, joined]
        }
    }
}

/// What of an effect a row's words decide.
fn told(effect: &Effect) -> (std::mem::Discriminant<Class>, bool, bool, usize, usize) {
    (
        std::mem::discriminant(&effect.class),
        effect.hazards.is_empty(),
        effect.publishes.is_some(),
        effect.reads.len(),
        effect.writes.len(),
    )
}

fn shows(effect: &Effect, fact: &Fact) -> bool {
    let hazard = !fact.is_hazard || effect.hazards.iter().any(|hazard| hazard.why == fact.why);
    let limit = !fact.limits || !matches!(effect.class, Class::ReadOnly { .. });
    let asks = !fact.asks || matches!(effect.class, Class::Asks { .. });
    let publishes = !fact.publishes || effect.publishes.is_some();
    let discloses = !fact.discloses || effect.discloses.is_some();
    hazard && limit && asks && publishes && discloses
}

#[test]
fn every_option_is_reached_in_every_spelling() {
    let (mut tried, mut wrong) = (0, Vec::new());
    for &(name, command) in by_rows() {
        let words: Vec<&str> = name.split(' ').collect();
        for (option, row) in tables().options(command) {
            let mut first = None;
            for spelling in spellings(command, option, row.takes) {
                let mut call = words.clone();
                call.extend(spelling.iter().map(String::as_str));
                if call.len() == 2 && call[1] == "--version" {
                    continue;
                }
                tried += 1;
                let effect = effect_of(&call);
                let expected = *first.get_or_insert_with(|| told(&effect));
                let is_same = row.takes == Takes::Joined || told(&effect) == expected;
                if !shows(&effect, &row.fact) || !is_same {
                    wrong.push(format!("{}: {effect:?}", call.join(" ")));
                }
            }
        }
    }
    println!("{tried} spellings of options tried");
    assert!(tried > 5_000);
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn every_abbreviation_of_a_safeguard_is_one() {
    let (mut tried, mut wrong) = (0, Vec::new());
    for &(name, command) in by_rows() {
        let words: Vec<&str> = name.split(' ').collect();
        let guards = tables()
            .options(command)
            .into_iter()
            .filter(|(option, row)| {
                let fact = &row.fact;
                option.starts_with("--") && (fact.is_hazard || fact.limits || fact.publishes)
            });
        for (option, row) in guards.filter(|_| command.style == Style::Gnu) {
            for end in 3..option.len() {
                let short = &option[..end];
                if tables().option(command, short).is_some() {
                    continue;
                }
                let mut call = words.clone();
                call.extend([short, "v"]);
                tried += 1;
                let effect = effect_of(&call);
                let is_guarded = !matches!(effect.class, Class::ReadOnly { .. })
                    && (!row.fact.is_hazard || !effect.hazards.is_empty());
                if !is_guarded {
                    wrong.push(format!("{}: {effect:?}", call.join(" ")));
                }
            }
        }
    }
    println!("{tried} abbreviations tried");
    assert!(tried > 300);
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// How strict a class is.
fn rank(class: &Class) -> u8 {
    match class {
        Class::ReadOnly { .. } => 0,
        Class::Limited { .. } => 1,
        Class::Other => 2,
        Class::Asks { .. } => 3,
    }
}

/// Arguments that are meant to take a limit away: they turn a call into another one.
const TURNS: [&str; 4] = ["--list", "-l", "-n", "{}"];

#[test]
fn another_argument_never_takes_a_hazard_away() {
    let added = [
        "x",
        "-x",
        "--xyz",
        "-v",
        "--",
        "-",
        "$1",
        "$*",
        "--output=x",
        "/etc/passwd",
    ];
    let mut wrong = Vec::new();
    for (_, call) in calls() {
        let before = of(&call);
        for word in added {
            let after = of(&format!("{call} {word}"));
            let is_turned = TURNS.contains(&word) || call.contains("-exec");
            let keeps = before
                .hazards
                .iter()
                .all(|hazard| after.hazards.contains(hazard));
            let keeps_publishing = before.publishes.is_none() || after.publishes.is_some();
            if !(is_turned || keeps && keeps_publishing) {
                wrong.push(format!("{call} + {word}: {before:?} {after:?}"));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Options in any order, before or after the operands, come to the same.
    #[test]
    fn order_does_not_matter(seed in any::<u64>(), picks in proptest::collection::vec(any::<prop::sample::Index>(), 1..5)) {
        static COMMANDS: LazyLock<Vec<(&'static str, &'static Command)>> = LazyLock::new(|| {
            let commands = by_rows().iter().copied();
            commands
                .filter(|(_, command)| !command.ends_at_operand && !command.has_children)
                .filter(|(_, command)| !tables().options(command).is_empty())
                .collect()
        });
        let commands = &*COMMANDS;
        let at = usize::try_from(seed % commands.len() as u64).unwrap_or(0);
        let (name, command) = commands[at];
        let options = tables().options(command);
        let chosen: Vec<Vec<String>> = picks
            .iter()
            .map(|pick| pick.get(&options))
            .filter(|(option, row)| row.takes != Takes::Joined && !option.starts_with('+'))
            .map(|(option, row)| spellings(command, option, row.takes).swap_remove(0))
            .collect();
        let words: Vec<String> = name.split(' ').map(str::to_owned).collect();
        let operand = vec!["operand".to_owned()];
        let mut forth = words.clone();
        forth.extend(chosen.iter().flatten().cloned());
        forth.extend(operand.clone());
        let mut back = words;
        back.extend(operand);
        back.extend(chosen.iter().rev().flatten().cloned());
        let [forth, back] = [&forth, &back].map(|words| {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            effect_of(&words)
        });
        prop_assert_eq!(rank(&forth.class), rank(&back.class), "{}", name);
        prop_assert_eq!(forth.hazards.len(), back.hazards.len(), "{}", name);
        prop_assert_eq!(forth.publishes.is_some(), back.publishes.is_some());
    }

    /// Any words at all give an answer, and what it names are arguments.
    #[test]
    fn any_words_are_judged(name in prop::sample::select(&NAMES[..]), words in proptest::collection::vec("[-=+:/.a-z@{}()!;$'\\\\| ]{0,8}", 0..6)) {
        let mut call = vec![name];
        call.extend(words.iter().map(String::as_str));
        let effect = effect_of(&call);
        let places = effect.hazards.iter().map(|hazard| hazard.at);
        let paths = effect.reads.iter().chain(&effect.writes).map(|path| path.at);
        for at in places.chain(paths).chain(effect.evaluates.iter().copied()) {
            prop_assert!(at < call.len());
        }
    }
}

/// Commands with a part in code, and some without.
const NAMES: [&str; 30] = [
    "awk", "cd", "chmod", "curl", "date", "dd", "env", "eval", "export", "find", "flock", "git",
    "jq", "kill", "make", "read", "unset", "ps", "sed", "set", "sh", "tar", "test", "trap",
    "watch", "xargs", "python3", "perl", "sort", "rsync",
];

#[test]
fn the_reader_keeps_data_apart() {
    let command = tables().command("sort").expect("a row");
    let parts = |words: &[&str]| read(tables(), command, &[], &known(words), 1);
    let options = |words: &[&str]| {
        let names = parts(words).into_iter().filter_map(|part| match part {
            Part::Option { name, .. } => Some(name),
            _ => None,
        });
        names.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(options(&["sort", "-k", "-o", "a"]), "-k");
    assert_eq!(options(&["sort", "--key", "-o", "a"]), "--key");
    assert_eq!(options(&["sort", "a", "-o", "b"]), "-o");
    assert_eq!(options(&["sort", "--", "-o", "b"]), "");
    assert_eq!(options(&["sort", "-k", "--", "-o", "b"]), "-k -o");
    assert_eq!(options(&["sort", "-ruo", "b", "-n"]), "-r -u -o -n");
    assert_eq!(options(&["sort", "-t-o", "a"]), "-t");
}

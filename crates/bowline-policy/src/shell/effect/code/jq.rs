//! Programs of `jq`.

use super::super::apply::Work;
use super::super::grammar::{Given, Part};

/// Judges a call of `jq`.
pub(super) fn judge(work: &mut Work<'_>) {
    let option = |wanted: &[&str]| {
        work.parts.iter().any(
            |part| matches!(part, Part::Option { name, .. } if wanted.contains(&name.as_str())),
        )
    };
    let from_file = option(&["-f", "--from-file"]);
    let data_from = work.parts.iter().find_map(|part| match part {
        Part::Option { at, name, .. } if name == "--args" || name == "--jsonargs" => Some(*at),
        _ => None,
    });
    let mut operands = work.operand_places().into_iter();
    let program = operands.next();
    let files: Vec<usize> = operands.collect();
    for at in files {
        if data_from.is_none_or(|from| at < from) {
            work.read_path(&Given { at, text: None }, false);
        }
    }
    let Some(at) = program else { return };
    if from_file {
        return work.read_path(&Given { at, text: None }, false);
    }
    let why = match work.texts(&Given { at, text: None }) {
        Some(texts) => texts.iter().find_map(|text| danger(text)),
        None => Some("is a program that is not known here"),
    };
    if let Some(why) = why {
        work.limit(at, why);
        work.hazard(at, why);
        if why == ENVIRONMENT {
            work.effect.discloses = Some("prints the environment".to_owned());
        }
    }
}

const ENVIRONMENT: &str = "shows the environment";

/// Why a program does more than compute and print, if it may.
pub(super) fn danger(program: &str) -> Option<&'static str> {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let mut rest = program;
    let mut before = ' ';
    while let Some(letter) = rest.chars().next() {
        let width = match letter {
            '"' => {
                let (width, is_plain) = text(rest);
                if !is_plain && rest[..width].to_ascii_lowercase().contains("env") {
                    return Some(ENVIRONMENT);
                }
                width
            }
            '#' => rest.find('\n').unwrap_or(rest.len()),
            _ if is_part(letter) => {
                let end = rest.find(|letter| !is_part(letter)).unwrap_or(rest.len());
                match &rest[..end] {
                    "env"
                        if before != '.'
                            && before != '$'
                            && !rest[end..].trim_start().starts_with(':') =>
                    {
                        return Some(ENVIRONMENT);
                    }
                    "ENV" if before == '$' => return Some(ENVIRONMENT),
                    "import" | "include" if before != '.' => return Some("loads a module"),
                    _ => {}
                }
                end
            }
            _ => letter.len_utf8(),
        };
        if !letter.is_ascii_whitespace() {
            before = rest[..width].chars().next_back().unwrap_or(letter);
        }
        rest = &rest[width..];
    }
    None
}

/// The length of a text in quotes, and whether nothing is computed in it. A text that computes is
/// taken to reach to the end of the program.
fn text(rest: &str) -> (usize, bool) {
    let mut letters = rest.char_indices().skip(1);
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => {
                if let Some((_, '(')) = letters.next() {
                    return (rest.len(), false);
                }
            }
            '"' => return (at + 1, true),
            _ => {}
        }
    }
    (rest.len(), false)
}

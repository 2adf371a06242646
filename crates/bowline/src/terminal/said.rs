//! What a typed line means as an answer.

use bowline_core::action::Question;

use crate::command::chosen;

#[cfg(test)]
mod tests;

/// An answer where allow or deny is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// Allow this call.
    Once,
    /// Allow this request for the session.
    Session,
    /// Deny it, with words for the model if any.
    No(Option<String>),
    /// Leave it open and end the run.
    Park,
}

/// An answer to a question of the model.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// The answer.
    Words(String),
    /// No answer will be given.
    Decline,
    /// Leave it open and end the run.
    Park,
}

/// Reads a verdict.
///
/// # Errors
/// How to answer.
pub(super) fn verdict(line: &str) -> Result<Said, String> {
    let line = line.trim();
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let rest = rest.trim();
    match (word.to_lowercase().as_str(), rest) {
        ("y" | "yes", "") => Ok(Said::Once),
        ("s" | "session", "") => Ok(Said::Session),
        ("n" | "no", "") => Ok(Said::No(None)),
        ("n" | "no", words) => Ok(Said::No(Some(words.to_owned()))),
        ("q" | "quit", "") => Ok(Said::Park),
        _ => Err("  answer y, s, n, n and words for the model, or q".to_owned()),
    }
}

/// Reads the answer to `question`: numbers of its choices, or words.
///
/// # Errors
/// What is wrong with the numbers, or that there are no words.
pub(super) fn reply(line: &str, question: &Question) -> Result<Reply, String> {
    let line = line.trim();
    match line {
        "" => return Err("  type an answer; /no declines, /park parks".to_owned()),
        "/no" => return Ok(Reply::Decline),
        "/park" => return Ok(Reply::Park),
        _ => {}
    }
    let numbers: Result<Vec<usize>, _> = line
        .split([',', ' '])
        .filter(|part| !part.is_empty())
        .map(str::parse)
        .collect();
    match numbers {
        Ok(numbers) if !question.choices.is_empty() => chosen(question, &numbers)
            .map(Reply::Words)
            .map_err(|why| format!("  {why}")),
        _ => Ok(Reply::Words(line.to_owned())),
    }
}

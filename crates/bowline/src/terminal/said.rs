//! What a typed line means as an answer.

use bowline_core::action::Question;

use crate::command::chosen;

#[cfg(test)]
mod tests;

/// An answer where allow or deny is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Said {
    /// Allow this call.
    Once,
    /// Allow this request for the session.
    Session,
    /// Allow it from now on, as the rule that was shown.
    Always,
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
        ("a" | "always", "") => Ok(Said::Always),
        ("n" | "no", "") => Ok(Said::No(None)),
        ("n" | "no", words) => Ok(Said::No(Some(words.to_owned()))),
        ("q" | "quit", "") => Ok(Said::Park),
        _ => Err("  answer y, s, a, n, n and words for the model, or q".to_owned()),
    }
}

/// Reads the answer to `count` calls asked about together: a verdict after the numbers it is for,
/// or after `all`. Without numbers it is for the only one; to park is for all.
///
/// # Errors
/// How to answer.
pub(super) fn verdicts(line: &str, count: usize) -> Result<Vec<(usize, Said)>, String> {
    let line = line.trim();
    let all = || 0..count;
    if matches!(verdict(line), Ok(Said::Park)) {
        return Ok(all().map(|at| (at, Said::Park)).collect());
    }
    if count == 1 {
        return verdict(line).map(|said| vec![(0, said)]);
    }
    let how = || format!("  say which: `all y`, `1 y`, `2,{count} n WORDS`, or q");
    let (which, rest) = line.split_once(char::is_whitespace).ok_or_else(how)?;
    let numbers: Vec<usize> = if which.eq_ignore_ascii_case("all") {
        all().collect()
    } else {
        let number = |part: &str| {
            let number = part.parse::<usize>().ok()?.checked_sub(1)?;
            (number < count).then_some(number)
        };
        let numbers: Option<Vec<usize>> = which.split(',').map(number).collect();
        numbers.ok_or_else(how)?
    };
    let said = verdict(rest)?;
    Ok(numbers.into_iter().map(|at| (at, said.clone())).collect())
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

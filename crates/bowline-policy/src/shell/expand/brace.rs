//! Brace expansion: `a{b,c}d`, `{1..9}`, `{a..e..2}`.

use crate::shell::tree::Piece;

/// One part of a word while braces are looked for.
#[derive(Debug, Clone)]
enum Part {
    Bare(char),
    Other(Piece),
}

/// The words that a word's braces come to; `None` if they are more than `most`.
pub(super) fn expand(pieces: &[Piece], most: usize) -> Option<Vec<Vec<Piece>>> {
    let has_brace = |piece: &Piece| matches!(piece, Piece::Bare(text) if text.contains('{'));
    if !pieces.iter().any(has_brace) {
        return Some(vec![pieces.to_vec()]);
    }
    let mut parts = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Bare(text) => parts.extend(text.chars().map(Part::Bare)),
            other => parts.push(Part::Other(other.clone())),
        }
    }
    let mut budget = most.saturating_mul(64);
    let words = words(&parts, most, &mut budget, 0)?;
    Some(words.iter().map(|word| joined(word)).collect())
}

fn joined(parts: &[Part]) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    for part in parts {
        match (part, pieces.last_mut()) {
            (Part::Bare(character), Some(Piece::Bare(text))) => text.push(*character),
            (Part::Bare(character), _) => pieces.push(Piece::Bare(character.to_string())),
            (Part::Other(piece), _) => pieces.push(piece.clone()),
        }
    }
    pieces
}

fn words(parts: &[Part], most: usize, budget: &mut usize, depth: usize) -> Option<Vec<Vec<Part>>> {
    if depth > 32 {
        return None;
    }
    let Some((open, close, cuts)) = first_brace(parts) else {
        *budget = budget.checked_sub(1)?;
        return Some(vec![parts.to_vec()]);
    };
    let inside = &parts[open + 1..close];
    let middles = if cuts.is_empty() {
        sequence(inside, most)?
    } else {
        let mut all = Vec::new();
        let mut start = 0;
        for cut in cuts.iter().copied().chain([inside.len()]) {
            all.extend(words(&inside[start..cut], most, budget, depth + 1)?);
            start = cut + 1;
        }
        all
    };
    let ends = words(&parts[close + 1..], most, budget, depth + 1)?;
    if middles.len().saturating_mul(ends.len()) > most {
        return None;
    }
    let mut all = Vec::new();
    for middle in &middles {
        for end in &ends {
            let size = open + middle.len() + end.len();
            *budget = budget.checked_sub(1 + size / 64)?;
            let mut word = parts[..open].to_vec();
            word.extend_from_slice(middle);
            word.extend_from_slice(end);
            all.push(word);
        }
    }
    Some(all)
}

/// The first brace that expands: where it opens, where it closes, where its commas stand inside
/// (none for a sequence). Linear.
fn first_brace(parts: &[Part]) -> Option<(usize, usize, Vec<usize>)> {
    let mut open: Vec<(usize, Vec<usize>)> = Vec::new();
    let mut first: Option<(usize, usize, Vec<usize>)> = None;
    for (at, part) in parts.iter().enumerate() {
        match part {
            Part::Bare('{') => open.push((at, Vec::new())),
            Part::Bare(',') => {
                if let Some((start, cuts)) = open.last_mut() {
                    cuts.push(at - *start - 1);
                }
            }
            Part::Bare('}') => {
                let Some((start, cuts)) = open.pop() else {
                    continue;
                };
                let is_sequence = || {
                    let inside = &parts[start + 1..at];
                    inside.len() <= 64
                        && sequence(inside, usize::MAX).is_some_and(|all| !all.is_empty())
                };
                let is_earlier = first.as_ref().is_none_or(|(known, ..)| start < *known);
                if is_earlier && (!cuts.is_empty() || is_sequence()) {
                    first = Some((start, at, cuts));
                }
            }
            _ => {}
        }
    }
    first
}

/// What `1..5` or `a..e` between braces comes to: empty if it is no sequence, `None` if it is too
/// long.
fn sequence(inside: &[Part], most: usize) -> Option<Vec<Vec<Part>>> {
    let mut text = String::new();
    for part in inside {
        match part {
            Part::Bare(character) => text.push(*character),
            Part::Other(_) => return Some(Vec::new()),
        }
    }
    let ends: Vec<&str> = text.split("..").collect();
    let (from, to, step) = match &ends[..] {
        [from, to] => (*from, *to, 1),
        [from, to, step] => match step.parse::<i64>() {
            Ok(step) => (*from, *to, step.unsigned_abs().max(1)),
            Err(_) => return Some(Vec::new()),
        },
        _ => return Some(Vec::new()),
    };
    let letter = |text: &str| {
        let mut characters = text.chars();
        let first = characters.next().filter(char::is_ascii_alphabetic);
        first.filter(|_| characters.next().is_none())
    };
    if let (Some(first), Some(last)) = (letter(from), letter(to)) {
        let (first, last) = (i64::from(first as u32), i64::from(last as u32));
        let codes = numbers(first, last, step, most)?;
        let characters = codes.into_iter().filter_map(|code| {
            let code = u32::try_from(code).ok()?;
            char::from_u32(code)
        });
        return Some(characters.map(|one| vec![Part::Bare(one)]).collect());
    }
    let (Ok(first), Ok(last)) = (from.parse::<i64>(), to.parse::<i64>()) else {
        return Some(Vec::new());
    };
    let is_padded = |text: &str| text.trim_start_matches('-').starts_with('0') && text.len() > 1;
    let width = if is_padded(from) || is_padded(to) {
        from.len().max(to.len())
    } else {
        0
    };
    let all = numbers(first, last, step, most)?;
    let texts = all.into_iter().map(|number| format!("{number:0width$}"));
    Some(
        texts
            .map(|text| text.chars().map(Part::Bare).collect())
            .collect(),
    )
}

fn numbers(from: i64, to: i64, step: u64, most: usize) -> Option<Vec<i64>> {
    let count = from.abs_diff(to) / step;
    // Whether it is a sequence at all is asked with no limit: one number then stands for all.
    if most == usize::MAX {
        return Some(vec![from]);
    }
    if count >= most as u64 {
        return None;
    }
    let step = i64::try_from(step).ok()?;
    let mut all = Vec::new();
    let mut at = from;
    for _ in 0..=count {
        all.push(at);
        at = if from <= to {
            at.checked_add(step)?
        } else {
            at.checked_sub(step)?
        };
    }
    Some(all)
}

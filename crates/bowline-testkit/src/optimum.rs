//! What the input of a session cost, held against the least that any placement of cache marks could
//! have cost. Computed from the log of the requests alone: it knows neither who wrote them nor how
//! the server counts.
//!
//! A request is cut into pieces: tools, parts of the system text, parameters of thinking, parts of
//! messages. Two pieces are the same if everything up to their ends is. What a piece comes to in
//! tokens follows from what the provider reported for the first request that holds it: what is new
//! in a request is its input less what was there before, shared out by bytes.
//!
//! With the price of plain input as 1:
//!
//! ```text
//! paid  = sum over requests of plain + 0.1 read + 1.25 written + 2 written for an hour
//! least = sum over pieces of tokens x f(times at which a request held the piece)
//! f     = the cheapest way to pay for the piece at each of these times: 1 plainly, 1.25 to have it
//!         for 5 minutes, 2 to have it for an hour, 0.1 where one of these still holds; reading
//!         renews it
//! ```
//!
//! `least` pays for each piece by itself, as if there could be a mark at its end whenever that is
//! cheapest, with all times known beforehand. No placement of marks within the API's rules (4 marks,
//! prefixes only, at least 1,024 tokens) costs less; most cost more. Where everything is kept
//! without marks, `f` is 1 at first and whenever 5 minutes have passed, else 0.1.
//!
//! `repeatable` are the tokens of the longest run of pieces, from the beginning on, that an earlier
//! request of the last hour began with, too: an hour is the longest that any mark holds. `covered`
//! are those of them that were read from the cache.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::{Value, json};

/// Prices in hundredths of the price of plain input: read, written, written for an hour.
const READ: u64 = 10;
const PLAIN: u64 = 100;
const WRITTEN: u64 = 125;
const WRITTEN_HOUR: u64 = 200;
/// How long what was written holds.
const LIFE_MS: u64 = 5 * 60_000;
const HOUR_MS: u64 = 60 * 60_000;

/// What a log comes to.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Report {
    /// Requests that were answered.
    pub requests: u64,
    /// Their input tokens.
    pub input_tokens: u64,
    /// Of those, tokens that could have been read from a cache.
    pub repeatable_tokens: u64,
    /// Of those, tokens that were.
    pub covered_tokens: u64,
    /// What was paid, in hundredths of a plain input token.
    pub paid: u64,
    /// The least that could have been paid, likewise.
    pub least: u64,
    /// Requests that do not begin with the request before them, by number from 0, with the place
    /// of the first piece that differs.
    pub breaks: Vec<(u64, String)>,
}

/// A piece of a request.
struct Piece {
    /// Of everything up to its end.
    prefix: u64,
    place: String,
    bytes: u64,
}

/// When requests held a piece.
struct Held {
    tokens: u64,
    end_tokens: u64,
    at_ms: Vec<u64>,
}

impl Report {
    /// Reads a log: one JSON object a line, with `path`, `at_ms`, `body` and the `usage` of its
    /// reply (`input_tokens`, all of them; `read_tokens`, `written_tokens`, `written_hour_tokens`).
    ///
    /// # Errors
    /// What is wrong with a line.
    pub fn of_log(log: &str) -> Result<Self, String> {
        let mut sum = Self::default();
        let mut held: HashMap<u64, Held> = HashMap::new();
        let mut before: Vec<Piece> = Vec::new();
        let mut keeps_all = false;
        for (number, line) in log.lines().enumerate() {
            let line: Value = serde_json::from_str(line)
                .map_err(|error| format!("line {}: {error}", number + 1))?;
            keeps_all = !line["path"]
                .as_str()
                .unwrap_or_default()
                .contains("messages");
            let pieces = pieces(&line["body"]);
            let shared = before.iter().zip(&pieces);
            let shared = shared.take_while(|(one, other)| one.prefix == other.prefix);
            let shared = shared.count();
            if shared < before.len() {
                sum.breaks
                    .push((number as u64, before[shared].place.clone()));
            }
            sum.add(&line, &pieces, &mut held);
            before = pieces;
        }
        let mut least = 0;
        for piece in held.values() {
            least += piece.tokens * least_price(&piece.at_ms, keeps_all);
        }
        sum.least = least;
        Ok(sum)
    }

    fn add(&mut self, line: &Value, pieces: &[Piece], held: &mut HashMap<u64, Held>) {
        let count = |name: &str| line["usage"][name].as_u64().unwrap_or_default();
        let at_ms = line["at_ms"].as_u64().unwrap_or_default();
        let (input, read) = (count("input_tokens"), count("read_tokens"));
        let (written, hour) = (count("written_tokens"), count("written_hour_tokens"));
        let known = pieces
            .iter()
            .take_while(|piece| held.contains_key(&piece.prefix));
        let known = known.count();
        let alive = pieces[..known].iter().rev().find(|piece| {
            let last = held.get(&piece.prefix).and_then(|held| held.at_ms.last());
            last.is_some_and(|last| at_ms - last <= HOUR_MS)
        });
        let end_of = |piece: &Piece| held.get(&piece.prefix).map_or(0, |held| held.end_tokens);
        let repeatable = alive.map_or(0, end_of);
        let mut end = pieces[..known].last().map_or(0, end_of);
        let mut left_tokens = input.saturating_sub(end);
        let mut left_bytes: u64 = pieces[known..].iter().map(|piece| piece.bytes).sum();
        for piece in &pieces[known..] {
            let tokens = (left_tokens * piece.bytes).checked_div(left_bytes);
            let tokens = tokens.unwrap_or_default();
            left_tokens -= tokens;
            left_bytes -= piece.bytes;
            end += tokens;
            held.insert(
                piece.prefix,
                Held {
                    tokens,
                    end_tokens: end,
                    at_ms: Vec::new(),
                },
            );
        }
        for piece in pieces {
            if let Some(held) = held.get_mut(&piece.prefix) {
                held.at_ms.push(at_ms);
            }
        }
        self.requests += 1;
        self.input_tokens += input;
        self.repeatable_tokens += repeatable;
        self.covered_tokens += read.min(repeatable);
        let plain = input.saturating_sub(read + written + hour);
        self.paid += plain * PLAIN + read * READ + written * WRITTEN + hour * WRITTEN_HOUR;
    }

    /// Covered tokens for each thousand repeatable ones.
    #[must_use]
    pub fn covered_permille(&self) -> u64 {
        let share = (self.covered_tokens * 1_000).checked_div(self.repeatable_tokens);
        share.unwrap_or(1_000)
    }

    /// What was paid for each thousand of the least.
    #[must_use]
    pub fn paid_permille(&self) -> u64 {
        (self.paid * 1_000).checked_div(self.least).unwrap_or(1_000)
    }

    /// All of it as JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "requests": self.requests,
            "input_tokens": self.input_tokens,
            "repeatable_tokens": self.repeatable_tokens,
            "covered_tokens": self.covered_tokens,
            "covered_permille": self.covered_permille(),
            "paid_tokens": self.paid / PLAIN,
            "least_tokens": self.least / PLAIN,
            "paid_permille_of_least": self.paid_permille(),
            "breaks": self.breaks,
        })
    }
}

/// The cheapest way to pay for a token at each of some times, in hundredths of a plain one.
fn least_price(at_ms: &[u64], keeps_all: bool) -> u64 {
    // The least that was paid so far if nothing is held, if it is for 5 minutes, for an hour.
    let (mut none, mut short, mut hour) = (0, u64::MAX / 2, u64::MAX / 2);
    let mut last = None;
    for &now in at_ms {
        let gap = last.map_or(u64::MAX, |last| now - last);
        let holds = |life: u64, paid: u64| {
            if gap <= life {
                paid + READ
            } else {
                u64::MAX / 2
            }
        };
        let all = none.min(short).min(hour);
        (none, short, hour) = if keeps_all {
            let kept = if gap <= LIFE_MS { READ } else { PLAIN };
            (u64::MAX / 2, all + kept, u64::MAX / 2)
        } else {
            (
                all + PLAIN,
                (all + WRITTEN).min(holds(LIFE_MS, short)),
                (all + WRITTEN_HOUR).min(holds(HOUR_MS, hour)),
            )
        };
        last = Some(now);
    }
    none.min(short).min(hour)
}

/// Cuts a request of any dialect into its pieces, cache marks left out.
fn pieces(body: &Value) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut prefix = DefaultHasher::new();
    let mut push = |place: String, value: &Value, weighs: bool| {
        let mut plain = value.clone();
        if let Some(fields) = plain.as_object_mut() {
            fields.remove("cache_control");
        }
        let text = plain.to_string();
        (&place, &text).hash(&mut prefix);
        pieces.push(Piece {
            prefix: prefix.finish(),
            place,
            bytes: if weighs { text.len() as u64 } else { 0 },
        });
    };
    push("model".to_owned(), &body["model"], false);
    for list in ["tools", "system", "instructions", "input"] {
        if list == "input" {
            for name in ["thinking", "output_config", "tool_choice"] {
                push(name.to_owned(), &body[name], false);
            }
        }
        match &body[list] {
            Value::Array(parts) => {
                for (at, part) in parts.iter().enumerate() {
                    push(format!("{list}[{at}]"), part, true);
                }
            }
            Value::Null => {}
            whole => push(list.to_owned(), whole, true),
        }
    }
    for (at, message) in body["messages"]
        .as_array()
        .into_iter()
        .flatten()
        .enumerate()
    {
        let place = format!("messages[{at}].{}", message["role"].as_str().unwrap_or("?"));
        match &message["content"] {
            Value::Array(parts) if message.get("tool_calls").is_none() => {
                for (at, part) in parts.iter().enumerate() {
                    push(format!("{place}[{at}]"), part, true);
                }
            }
            _ => push(place, message, true),
        }
    }
    pieces
}

#[cfg(test)]
mod tests;

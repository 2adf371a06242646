//! Provider tokens that have a shape instead of a beginning.

use crate::base64;
use crate::block::{self, LEAST_MATTER, Opening};
use crate::bytes::{Alphabet, before, byte_at, find, is_blank, is_quote, is_word};
use crate::formats::Hit;
use crate::likeness::is_random;
use crate::placeholder::{SAMPLE_SIGNATURE, is_fake_token};

/// Longest JSON Web Token, in bytes: HTTP servers take no longer headers either.
const LONGEST_JWT: usize = 8 * 1024;

/// No part of the shorter shapes is longer, in bytes.
const LONGEST_TAIL: usize = 128;

/// Longest private key on one line, in bytes: RSA of 8192 bits takes half of it.
const LONGEST_KEY: usize = 16 * 1024;

/// Where a shape is looked for: a run of identifier characters within a line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Word<'a> {
    /// The line.
    pub(crate) text: &'a [u8],
    /// Where the run begins.
    pub(crate) start: usize,
    /// Where the run ends.
    pub(crate) end: usize,
    /// Nothing before this place may be part of a finding.
    pub(crate) floor: usize,
}

/// Returns the shaped token that begins in this word or, for shapes with a marker inside, around
/// it.
pub(crate) fn token_at(word: &Word<'_>) -> Option<Hit> {
    let run = &word.text[word.start..word.end];
    match run.first()? {
        b'e' if run.starts_with(b"eyJ") => json_web_token(word),
        b'0'..=b'9' => telegram_token(word),
        b'b' if run.starts_with(b"bot") && run.len() > 3 => telegram_token(&Word {
            start: word.start + 3,
            ..*word
        }),
        b'A' if run.starts_with(b"AC") && run.len() == 34 => twilio_token(word),
        b'M' | b'N' | b'O' if run.len() >= 6 => discord_token(word),
        b'p' if run.len() == 17 && run.starts_with(b"pat") => airtable_token(word),
        b's' | b'b' if run.len() == 1 => old_vault_token(word),
        b'a' if run == b"atlasv1" => terraform_token(word),
        b't' if run == b"token" => rancher_token(word),
        _ => None,
    }
    .or_else(|| mailchimp_key(word))
    .or_else(|| azure_client_secret(word))
}

fn hit(kind: &'static str, start: usize, end: usize) -> Option<Hit> {
    Some(Hit {
        range: start..end,
        kind,
    })
}

/// RFC 7515 and 7516: base64url parts joined by dots, the first a JSON header.
fn json_web_token(word: &Word<'_>) -> Option<Hit> {
    let mut ends = [word.start; 5];
    let mut parts = 0;
    let mut at = word.start;
    while parts < 5 {
        let end = Alphabet::URL.run_within(word.text, at, LONGEST_JWT);
        ends[parts] = end;
        parts += 1;
        if byte_at(word.text, end) != b'.' {
            break;
        }
        at = end + 1;
    }
    if parts < 3
        || !is_header(
            &word.text[word.start..ends[0]],
            &word.text[ends[0]..ends[1]],
        )
    {
        return None;
    }
    let end = ends[if parts == 5 { 4 } else { 2 }];
    let signature = &word.text[ends[1] + 1..end];
    let signed = signature.len() >= 16 && !signature.ends_with(SAMPLE_SIGNATURE);
    (signed && end - word.start <= LONGEST_JWT).then(|| hit("jwt", word.start, end))?
}

/// Whether these are the first parts of a token: a header that decodes, or one that is garbled in
/// front of claims.
fn is_header(header: &[u8], claims: &[u8]) -> bool {
    let decoded = base64::decode_text(header)
        .is_some_and(|text| text.starts_with(b"{\"") && text.last() == Some(&b'}'));
    decoded || header.len() >= 20 && claims.starts_with(b".eyJ") && claims.len() >= 20
}

/// Rancher API tokens: `token-`, five characters, a colon, 54 characters.
fn rancher_token(word: &Word<'_>) -> Option<Hit> {
    let name = Alphabet::LOWER.run_within(word.text, word.end + 1, LONGEST_TAIL);
    let end = Alphabet::LOWER.run_within(word.text, name + 1, LONGEST_TAIL);
    let shaped = byte_at(word.text, word.end) == b'-'
        && byte_at(word.text, name) == b':'
        && name - word.end == 6
        && end - name == 55;
    (shaped && is_random(&word.text[name + 1..end]))
        .then(|| hit("rancher-token", word.start, end))?
}

/// Telegram Bot API: the bot's number, a colon, 35 characters.
fn telegram_token(word: &Word<'_>) -> Option<Hit> {
    let run = &word.text[word.start..word.end];
    if !(8..=10).contains(&run.len())
        || !run.iter().all(u8::is_ascii_digit)
        || byte_at(word.text, word.end) != b':'
    {
        return None;
    }
    let end = Alphabet::URL.run_within(word.text, word.end + 1, LONGEST_TAIL);
    let tail = &word.text[word.end + 1..end];
    ((34..=36).contains(&tail.len()) && is_random(tail) && !is_fake_token(tail))
        .then(|| hit("telegram-token", word.start, end))?
}

/// Twilio: 32 hexadecimal digits that follow the id of an account, as arguments do.
fn twilio_token(word: &Word<'_>) -> Option<Hit> {
    const REACH: usize = 16;
    let text = word.text;
    let hex = |start: usize, end: usize| {
        text[start..end]
            .iter()
            .all(|byte| Alphabet::HEX.holds(*byte))
    };
    let between = text[word.end..text.len().min(word.end + REACH)].iter();
    let between =
        between.take_while(|byte| matches!(byte, b'"' | b'\'' | b',' | b':' | b'/' | b' '));
    let start = word.end + between.count();
    let end = Alphabet::WORD.run_within(text, start, LONGEST_TAIL);
    let token = end - start == 32 && hex(word.start + 2, word.end) && hex(start, end);
    (token && start > word.end && is_random(&text[start..end]))
        .then(|| hit("twilio-token", start, end))?
}

/// Discord bot tokens: the bot's number in base64, a time stamp, an HMAC.
fn discord_token(word: &Word<'_>) -> Option<Hit> {
    let text = word.text;
    let number = Alphabet::URL.run_within(text, word.start, LONGEST_TAIL);
    let time = Alphabet::URL.run_within(text, number + 1, LONGEST_TAIL);
    let end = Alphabet::URL.run(text, (time + 1).min(text.len()));
    let shaped = byte_at(text, number) == b'.'
        && byte_at(text, time) == b'.'
        && (22..=30).contains(&(number - word.start))
        && (5..=7).contains(&(time - number - 1))
        && (27..=45).contains(&(end - time - 1));
    let tail = text.get(time + 1..end)?;
    (shaped && is_random(tail) && !is_fake_token(tail))
        .then(|| hit("discord-token", word.start, end))?
}

/// Airtable personal access tokens: `pat`, 14 characters, a dot, 64 hexadecimal digits.
fn airtable_token(word: &Word<'_>) -> Option<Hit> {
    let end = Alphabet::HEX.run_within(word.text, word.end + 1, LONGEST_TAIL);
    let tail = word.text.get(word.end + 1..end)?;
    (byte_at(word.text, word.end) == b'.' && tail.len() == 64 && !is_fake_token(tail))
        .then(|| hit("airtable-token", word.start, end))?
}

/// Vault tokens before 1.10: `s.` or `b.` and 24 characters of both cases and digits.
fn old_vault_token(word: &Word<'_>) -> Option<Hit> {
    if byte_at(word.text, word.end) != b'.' || before(word.text, word.start) == b'.' {
        return None;
    }
    let end = Alphabet::ALNUM.run_within(word.text, word.end + 1, LONGEST_TAIL);
    let tail = &word.text[word.end + 1..end];
    let mixed = tail.iter().any(u8::is_ascii_digit)
        && tail.iter().any(u8::is_ascii_uppercase)
        && tail.iter().any(u8::is_ascii_lowercase);
    let field = byte_at(word.text, end) == b'.' && is_word(byte_at(word.text, end + 1));
    let ends = !field && !matches!(byte_at(word.text, end), b'(' | b'_');
    (tail.len() == 24 && mixed && ends && is_random(tail) && !is_fake_token(tail))
        .then(|| hit("vault-token", word.start, end))?
}

/// HCP Terraform tokens: 14 characters, `.atlasv1.`, some 67 characters.
fn terraform_token(word: &Word<'_>) -> Option<Hit> {
    let marked = before(word.text, word.start) == b'.' && byte_at(word.text, word.end) == b'.';
    let start = Alphabet::URL
        .run_back(word.text, word.start.checked_sub(1)?)
        .max(word.floor);
    let end = Alphabet::URL.run_within(word.text, word.end + 1, LONGEST_TAIL);
    let tail = word.text.get(word.end + 1..end)?;
    (marked
        && (10..=20).contains(&(word.start - 1 - start))
        && tail.len() >= 50
        && !is_fake_token(tail))
    .then(|| hit("terraform-token", start, end))?
}

/// Mailchimp Marketing keys: 32 hexadecimal digits and the data centre.
fn mailchimp_key(word: &Word<'_>) -> Option<Hit> {
    let run = &word.text[word.start..word.end];
    if run.len() != 32 || !word.text[word.end..].starts_with(b"-us") {
        return None;
    }
    let end = Alphabet::ALNUM.run_within(word.text, word.end + 3, LONGEST_TAIL);
    let centre = &word.text[word.end + 3..end];
    ((1..=2).contains(&centre.len())
        && centre.iter().all(u8::is_ascii_digit)
        && run.iter().all(|byte| Alphabet::HEX.holds(*byte))
        && !is_fake_token(run))
    .then(|| hit("mailchimp-key", word.start, end))?
}

/// Microsoft Entra client secrets: three characters, a digit, `Q~`, 31 to 34 characters.
fn azure_client_secret(word: &Word<'_>) -> Option<Hit> {
    if byte_at(word.text, word.end) != b'~' {
        return None;
    }
    let [.., digit, b'Q'] = &word.text[word.start..word.end] else {
        return None;
    };
    let start = word.end.checked_sub(5)?;
    let end = Alphabet::TILDED.run_within(word.text, word.end + 1, LONGEST_TAIL);
    let tail = &word.text[word.end + 1..end];
    let head = &word.text[start..word.end - 2];
    (digit.is_ascii_digit()
        && start >= word.floor
        && head.iter().all(|byte| Alphabet::TILDED.holds(*byte))
        && (30..=40).contains(&tail.len())
        && is_random(tail)
        && !is_fake_token(tail))
    .then(|| hit("azure-client-secret", start, end))?
}

/// Returns the secret access key of 40 characters beside an access key id that ends at `from`,
/// as in the CSV files and consoles of AWS.
pub(crate) fn aws_secret_after(text: &[u8], from: usize) -> Option<Hit> {
    const REACH: usize = 120;
    let mut at = from;
    while at < text.len() && at - from < REACH {
        let end = Alphabet::BASE64.run_within(text, at, 40);
        let run = &text[at..end];
        let stands_alone = |byte: u8| {
            is_blank(byte)
                || is_quote(byte)
                || matches!(byte, b',' | b':' | b';' | b'|' | b'\\' | b'\r' | b'\n')
        };
        if run.len() == 40
            && stands_alone(before(text, at))
            && stands_alone(byte_at(text, end))
            && !run.iter().all(|byte| Alphabet::ANY_HEX.holds(*byte))
            && is_random(run)
            && !is_fake_token(run)
        {
            return hit("aws-secret-access-key", at, end);
        }
        at = end + 1;
    }
    None
}

/// Returns a private key that is written on one line, with `\n` for its line ends. `word` is the
/// `BEGIN` of its first line.
pub(crate) fn one_line_private_key(word: &Word<'_>) -> Option<Hit> {
    let text = &word.text[..word.text.len().min(word.start + LONGEST_KEY)];
    let opening = Opening::find(text, word.start)?;
    let follows = byte_at(text, opening.end);
    if !matches!(follows, b'\\' | b' ') && !Alphabet::BASE64.holds(follows) {
        return None;
    }
    let closing = find(text, b"-----END ", opening.end)
        .and_then(|at| find(text, b"PRIVATE KEY", at))
        .and_then(|at| find(text, b"-----", at))
        .map(|at| at + 5);
    let mut end = opening.end;
    while let Some(&byte) = text.get(end) {
        let escape = byte == b'\\' && matches!(text.get(end + 1), Some(b'n' | b'r' | b'\\'));
        if !escape && !Alphabet::BASE64.holds(byte) && byte != b' ' {
            break;
        }
        end += if escape { 2 } else { 1 };
    }
    let end = closing.unwrap_or(end);
    let matter = text[opening.end..end]
        .chunk_by(|a, b| Alphabet::BASE64.holds(*a) == Alphabet::BASE64.holds(*b));
    let longest = matter
        .filter(|run| Alphabet::BASE64.holds(run[0]))
        .map(<[u8]>::len)
        .max()?;
    (longest >= LEAST_MATTER).then(|| hit(block::KIND, opening.start, end))?
}

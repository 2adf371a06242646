//! Names that say their value is a secret: `DB_PASSWORD`, `clientSecret`, `x-api-key`.

use crate::bytes::{Alphabet, before, holds_any_case, is_blank};

/// What a name promises of its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Promise {
    /// A password: people make these up, so it need not look random.
    Password,
    /// A token, key or other secret that a machine drew.
    Random,
}

/// A sensitive name within a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Name {
    /// Where it begins.
    pub(crate) start: usize,
    /// What it promises.
    pub(crate) promise: Promise,
    /// What its value is called.
    pub(crate) kind: &'static str,
}

/// How the last word of a password's name ends.
const PASSWORD_ENDINGS: &[&str] = &["password", "passwd", "passphrase", "passcode", "passwort"];

/// Last words of a password's name that are too short to be looked for inside longer words.
const PASSWORD_WORDS: &[&str] = &[
    "pass",
    "pwd",
    "pw",
    "psw",
    "userpass",
    "dbpass",
    "storepass",
    "keypass",
    "smtppass",
    "rootpass",
    "adminpass",
    "passw",
    "dbpwd",
    "rootpw",
    "bindpw",
    "requirepass",
    "identified",
];

/// How the last word of a machine secret's name ends.
const SECRET_ENDINGS: &[&str] = &[
    "secret",
    "token",
    "apikey",
    "secretkey",
    "accesskey",
    "privatekey",
    "authkey",
    "masterkey",
    "credential",
    "credentials",
    "accountkey",
];

/// Last words of a machine secret's name that stand for themselves.
const SECRET_WORDS: &[&str] = &["creds", "cred", "auth", "authorization"];

/// Words that make a following `key` a secret.
const BEFORE_KEY: &[&str] = &[
    "api",
    "app",
    "application",
    "access",
    "account",
    "admin",
    "auth",
    "secret",
    "private",
    "signing",
    "sign",
    "signature",
    "encryption",
    "encrypt",
    "master",
    "service",
    "shared",
    "session",
    "client",
    "consumer",
    "license",
    "subscription",
    "ingest",
    "ingestion",
    "deploy",
    "webhook",
    "hmac",
    "jwt",
    "cookie",
    "cipher",
    "crypto",
    "aes",
    "write",
    "root",
    "token",
    "integration",
    "function",
    "functions",
    "management",
    "personal",
    "developer",
    "preshared",
    "psk",
    "security",
    "storage",
    "role",
    "restricted",
];

/// Providers whose name before `key` or `pat` makes it a secret.
const PROVIDERS: &[&str] = &[
    "airtable",
    "algolia",
    "amplitude",
    "anthropic",
    "azure",
    "cloudflare",
    "cohere",
    "datadog",
    "dd",
    "deepgram",
    "deepseek",
    "elevenlabs",
    "fastly",
    "gemini",
    "github",
    "gitlab",
    "google",
    "groq",
    "heroku",
    "hetzner",
    "linear",
    "linode",
    "mailchimp",
    "mailgun",
    "mapbox",
    "mistral",
    "newrelic",
    "npm",
    "openai",
    "openrouter",
    "pagerduty",
    "perplexity",
    "pinecone",
    "postmark",
    "posthog",
    "resend",
    "segment",
    "sendgrid",
    "sentry",
    "shodan",
    "slack",
    "square",
    "stripe",
    "supabase",
    "tavily",
    "together",
    "twilio",
    "vultr",
    "wandb",
    "weather",
];

/// Words before `token` that make it a place in a list, a piece of text or a public value.
const BEFORE_NO_TOKEN: &[&str] = &[
    "page",
    "next",
    "continuation",
    "continue",
    "cursor",
    "sync",
    "resume",
    "cancel",
    "cancellation",
    "csrf",
    "xsrf",
    "sort",
    "stop",
    "start",
    "eos",
    "bos",
    "pad",
    "unk",
    "mask",
    "special",
    "max",
    "min",
    "sep",
    "cls",
    "text",
];

/// Words that make whatever is named public.
const PUBLIC: &[&str] = &["public", "publishable"];

/// Words after the telling one that do not change what the value is.
const QUALIFIERS: &[&str] = &[
    "b",
    "base",
    "value",
    "val",
    "plain",
    "plaintext",
    "raw",
    "old",
    "new",
    "prod",
    "live",
    "current",
];

/// Kinds for values whose provider is told by the name alone.
const KINDS: &[(&str, &str)] = &[
    ("aws_secret", "aws-secret-access-key"),
    ("awssecret", "aws-secret-access-key"),
    ("secretaccesskey", "aws-secret-access-key"),
    ("secret_access_key", "aws-secret-access-key"),
    ("session_token", "session-token"),
    ("hcloud", "hetzner-token"),
    ("accountkey", "azure-storage-key"),
    ("sharedaccesskey", "azure-shared-access-key"),
    ("heroku", "heroku-key"),
    ("cloudflare", "cloudflare-token"),
    ("cf_api", "cloudflare-token"),
    ("twilio", "twilio-token"),
    ("datadog", "datadog-key"),
    ("dd_api", "datadog-key"),
];

const MOST_WORDS: usize = 4;

/// Whether a run of identifier characters can end a sensitive name: a cheap test for every word
/// of a text.
#[inline]
pub(crate) fn may_end_name(word: &[u8]) -> bool {
    match word.iter().rposition(u8::is_ascii_alphabetic) {
        Some(last) => ENDINGS[usize::from(word[last].to_ascii_lowercase() - b'a')],
        None => false,
    }
}

/// The last letters of all words above that may end a name.
const ENDINGS: [bool; 26] = {
    let mut table = [false; 26];
    let letters = b"bdehlnstwy";
    let mut at = 0;
    while at < letters.len() {
        table[(letters[at] - b'a') as usize] = true;
        at += 1;
    }
    table
};

/// Returns the sensitive name that ends at `end`, where `start` is where its last run of
/// identifier characters begins.
pub(crate) fn name_at(text: &[u8], start: usize, end: usize) -> Option<Name> {
    let mut first = Alphabet::DOTTED.run_back(text, start);
    if matches!(text[first..end], [b'-', b'D' | b'P', _, ..]) && is_blank(before(text, first)) {
        first += 2;
    }
    let (words, count) = last_words(&text[first..end]);
    let mut words = &words[..count];
    while let [last, rest @ ..] = words {
        if rest.is_empty() || !one_of(QUALIFIERS, last) {
            break;
        }
        words = rest;
    }
    let (last, mut previous) = (*words.first()?, words.get(1).copied().unwrap_or(b""));
    let mut start = first;
    if previous.is_empty() && first > 1 && is_blank(text[first - 1]) {
        let begin = Alphabet::WORD.run_back(text, first - 1);
        if last.eq_ignore_ascii_case(b"key") || last.eq_ignore_ascii_case(b"token") {
            previous = &text[begin..first - 1];
            start = begin;
        }
    }
    if words.iter().any(|word| one_of(PUBLIC, word)) {
        return None;
    }
    let promise = promise_of(last, previous).or_else(|| session_of(last, &text[..first]))?;
    Some(Name {
        start,
        promise,
        kind: kind_of(&text[start..end], promise),
    })
}

fn promise_of(last: &[u8], previous: &[u8]) -> Option<Promise> {
    let ends = |endings: &[&str]| {
        endings.iter().any(|ending| {
            last.len()
                .checked_sub(ending.len())
                .is_some_and(|from| last[from..].eq_ignore_ascii_case(ending.as_bytes()))
        })
    };
    if ends(PASSWORD_ENDINGS) || one_of(PASSWORD_WORDS, last) {
        return Some(Promise::Password);
    }
    if last.eq_ignore_ascii_case(b"token") && one_of(BEFORE_NO_TOKEN, previous) {
        return None;
    }
    let key = last.eq_ignore_ascii_case(b"key")
        && (one_of(BEFORE_KEY, previous) || one_of(PROVIDERS, previous));
    let pat = last.eq_ignore_ascii_case(b"pat") && !previous.is_empty();
    (key || pat || ends(SECRET_ENDINGS) || one_of(SECRET_WORDS, last)).then_some(Promise::Random)
}

/// The names of session cookies count in a cookie header alone.
fn session_of(last: &[u8], line: &[u8]) -> Option<Promise> {
    const WORDS: &[&str] = &[
        "session",
        "sessionid",
        "sid",
        "phpsessid",
        "jsessionid",
        "id",
    ];
    let header = &line[line.len().saturating_sub(128)..];
    (one_of(WORDS, last) && holds_any_case(header, "cookie")).then_some(Promise::Random)
}

fn kind_of(name: &[u8], promise: Promise) -> &'static str {
    KINDS
        .iter()
        .find(|(part, _)| holds_any_case(name, part))
        .map(|(_, kind)| *kind)
        .unwrap_or(match promise {
            Promise::Password => "password",
            Promise::Random => "generic-secret",
        })
}

fn one_of(words: &[&str], word: &[u8]) -> bool {
    words
        .iter()
        .any(|known| word.eq_ignore_ascii_case(known.as_bytes()))
}

/// Returns the last words of a name, the last one first: it is split at signs, digits and
/// changes of case.
fn last_words(name: &[u8]) -> ([&[u8]; MOST_WORDS], usize) {
    let mut words = [&name[..0]; MOST_WORDS];
    let mut count = 0;
    let mut end = name.len();
    while end > 0 && count < MOST_WORDS {
        if !name[end - 1].is_ascii_alphabetic() {
            end -= 1;
            continue;
        }
        let mut start = end - 1;
        while start > 0 && !begins_word(name, start) {
            start -= 1;
        }
        words[count] = &name[start..end];
        count += 1;
        end = start;
    }
    (words, count)
}

/// Whether a word of a name begins at `at`.
fn begins_word(name: &[u8], at: usize) -> bool {
    let (last, this) = (name[at - 1], name[at]);
    let next = name.get(at + 1).copied().unwrap_or(b'_');
    if this.is_ascii_digit() {
        return false;
    }
    !last.is_ascii_alphabetic()
        || last.is_ascii_lowercase() && this.is_ascii_uppercase()
        || last.is_ascii_uppercase() && this.is_ascii_uppercase() && next.is_ascii_lowercase()
}

#[cfg(test)]
mod tests;

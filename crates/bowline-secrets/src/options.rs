//! Passwords that programs take through short options: `mysql -pVALUE`, `curl -u user:VALUE`.

use crate::assign::is_secret;
use crate::bytes::{Alphabet, byte_at, find, is_blank, is_quote, is_word, skip_blanks};
use crate::formats::{Hit, token_at};
use crate::names::Promise;
use crate::url::is_password;
use crate::value::{Extent, value_at};

/// What follows an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Takes {
    /// A password, as the next word.
    Password,
    /// A password, joined to the option.
    JoinedPassword,
    /// A user and a password, with this sign between.
    Pair(u8),
}

/// Programs, their option, and what it takes, after their manual pages.
const OPTIONS: &[(&str, &str, Takes)] = &[
    ("redis-cli", "a", Takes::Password),
    ("mysql", "p", Takes::JoinedPassword),
    ("mysqldump", "p", Takes::JoinedPassword),
    ("mysqladmin", "p", Takes::JoinedPassword),
    ("mysqlimport", "p", Takes::JoinedPassword),
    ("mariadb", "p", Takes::JoinedPassword),
    ("mariadb-dump", "p", Takes::JoinedPassword),
    ("sshpass", "p", Takes::Password),
    ("sshpass", "p", Takes::JoinedPassword),
    ("docker", "p", Takes::Password),
    ("podman", "p", Takes::Password),
    ("buildah", "p", Takes::Password),
    ("skopeo", "p", Takes::Password),
    ("nerdctl", "p", Takes::Password),
    ("helm", "p", Takes::Password),
    ("oras", "p", Takes::Password),
    ("crane", "p", Takes::Password),
    ("oc", "p", Takes::Password),
    ("az", "p", Takes::Password),
    ("cf", "p", Takes::Password),
    ("mongo", "p", Takes::Password),
    ("mongosh", "p", Takes::Password),
    ("mongodump", "p", Takes::Password),
    ("mongorestore", "p", Takes::Password),
    ("mongoexport", "p", Takes::Password),
    ("cqlsh", "p", Takes::Password),
    ("vncpasswd", "p", Takes::Password),
    ("rdesktop", "p", Takes::Password),
    ("ldapsearch", "w", Takes::Password),
    ("ldapadd", "w", Takes::Password),
    ("ldapmodify", "w", Takes::Password),
    ("ldapwhoami", "w", Takes::Password),
    ("ldapdelete", "w", Takes::Password),
    ("sqlcmd", "P", Takes::Password),
    ("bcp", "P", Takes::Password),
    ("isql", "P", Takes::Password),
    ("zip", "P", Takes::Password),
    ("unzip", "P", Takes::Password),
    ("7z", "p", Takes::JoinedPassword),
    ("ipmitool", "P", Takes::Password),
    ("mosquitto_pub", "P", Takes::Password),
    ("mosquitto_sub", "P", Takes::Password),
    ("curl", "u", Takes::Pair(b':')),
    ("curl", "U", Takes::Pair(b':')),
    ("http", "a", Takes::Pair(b':')),
    ("smbclient", "U", Takes::Pair(b'%')),
];

/// How far before an option its program is looked for, in bytes.
const LONGEST_COMMAND: usize = 1024;

/// Returns the secret of a short option whose letter stands at `at`, after a dash, in a word that
/// ends at `end`; curl takes other letters in front of the telling one.
pub(crate) fn short_option(text: &[u8], at: usize, end: usize) -> Option<Hit> {
    const LONGEST_CLUSTER: usize = 6;
    let dash = at.checked_sub(1)?;
    let cluster = &text[at..end];
    let clustered = (2..=LONGEST_CLUSTER).contains(&cluster.len())
        && matches!(cluster.last(), Some(b'u'))
        && cluster.iter().all(u8::is_ascii_alphabetic)
        && is_blank(byte_at(text, end));
    let joined = matches!(cluster.first(), Some(b'u' | b'U'));
    if clustered
        && !joined
        && text[dash] == b'-'
        && runs(&text[dash.saturating_sub(LONGEST_COMMAND)..dash], "curl")
    {
        return pair(text, end, b':');
    }
    let letter = byte_at(text, at);
    if !matches!(letter, b'a' | b'p' | b'P' | b'u' | b'U' | b'w')
        || text[dash] != b'-'
        || dash == 0
        || !is_blank(text[dash - 1])
    {
        return None;
    }
    let line = &text[dash.saturating_sub(LONGEST_COMMAND)..dash];
    let blank = is_blank(byte_at(text, at + 1));
    let password = password(text, at + 1);
    let mut options = OPTIONS
        .iter()
        .filter(|(_, option, _)| option.as_bytes() == [letter]);
    options.find_map(|(program, _, takes)| {
        let hit = match takes {
            Takes::Password if blank => password.clone(),
            Takes::JoinedPassword if !blank => password.clone(),
            Takes::Pair(sign) => pair(text, at + 1, *sign),
            _ => None,
        }?;
        runs(line, program).then_some(hit)
    })
}

/// Returns the word that `echo` or `printf` writes into a program that reads a password; `at` is
/// where its words begin.
pub(crate) fn piped(text: &[u8], at: usize) -> Option<Hit> {
    const READERS: [&str; 6] = [
        "password-stdin",
        "sudo -S",
        "--with-token",
        "passwd --stdin",
        "chpasswd",
        "login --stdin",
    ];
    let line = &text[at..text.len().min(at + LONGEST_COMMAND)];
    let pipe = find(line, b"|", 0)?;
    if !READERS
        .iter()
        .any(|reader| find(&line[pipe..], reader.as_bytes(), 0).is_some())
    {
        return None;
    }
    let mut from = skip_blanks(text, at);
    while byte_at(text, from) == b'-' {
        from = skip_blanks(text, Alphabet::URL.run(text, from));
    }
    if let Some(found) = pair(text, from, b':') {
        return Some(found);
    }
    password(text, from)
}

/// Returns the password of `--user NAME:PASSWORD`; `at` is where the pair begins.
pub(crate) fn pair(text: &[u8], at: usize, sign: u8) -> Option<Hit> {
    let value = value_at(text, at, Extent::Word)?;
    if let Some(token) = token_at(text, value.start) {
        return Some(token);
    }
    let colon = value.start
        + text[value.start..value.end]
            .iter()
            .position(|byte| *byte == sign)?;
    let secret = &text[colon + 1..value.end];
    // Oracle's tools name the database behind.
    let host = secret.iter().position(|byte| sign == b'/' && *byte == b'@');
    let secret = &secret[..host.unwrap_or(secret.len())];
    is_password(&text[value.start..colon], secret, b"remote").then_some(Hit {
        range: colon + 1..colon + 1 + secret.len(),
        kind: "basic-auth",
    })
}

fn password(text: &[u8], at: usize) -> Option<Hit> {
    let value = value_at(text, skip_blanks(text, at), Extent::Word)?;
    if let Some(token) = token_at(text, value.start) {
        return Some(token);
    }
    is_secret(
        &text[value.start..value.end],
        Promise::Password,
        value.quoted,
    )
    .then_some(Hit {
        range: value.start..value.end,
        kind: "password",
    })
}

/// Whether the line names the program as a word of its own.
fn runs(line: &[u8], program: &str) -> bool {
    let mut from = 0;
    while let Some(at) = find(line, program.as_bytes(), from) {
        let end = at + program.len();
        let opens = at == 0 || !is_word(line[at - 1]) && line[at - 1] != b'-';
        if opens
            && line
                .get(end)
                .is_none_or(|byte| is_blank(*byte) || is_quote(*byte))
        {
            return true;
        }
        from = end;
    }
    false
}

//! Values that are known to be secret: credentials in this process's environment, and what the
//! configuration names.

use std::io::Read as _;
use std::path::Path;

use bowline_runtime::config::Effective;
use bowline_secrets::find;

use super::shell_env::is_credential;
use crate::failure::Failure;

#[cfg(test)]
mod tests;

/// Largest file of secrets, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Fewest characters of a value that is masked for its variable's name alone.
const SHORTEST: usize = 8;

/// Longest value of small letters alone that is taken for a word of everyday use.
const LONGEST_WORD: usize = 16;

/// The credentials in the environment of this process.
pub fn of_this_process() -> Vec<String> {
    let all = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    of(all)
}

/// What of these variables is secret.
fn of(all: impl Iterator<Item = (String, String)>) -> Vec<String> {
    let mut known = Vec::new();
    for (name, value) in all.filter(|(name, value)| is_credential(name, value)) {
        let line = format!("{name}={value}");
        let findings = find(&line);
        let found = findings
            .iter()
            .map(|finding| line[finding.range.clone()].to_owned());
        known.extend(found.filter(|text| text.len() >= SHORTEST));
        if findings.is_empty() && is_telling(&value) {
            known.push(value);
        }
    }
    known
}

/// Whether a value would occur nowhere else: no path, no number, no word such as `postgres`.
fn is_telling(value: &str) -> bool {
    let starts = ["/", "~", "./", "../", "http://", "https://", "file:"];
    let is_place = starts.iter().any(|start| value.starts_with(start));
    let is_number = value.bytes().all(|byte| byte.is_ascii_digit());
    let is_word =
        value.len() <= LONGEST_WORD && value.bytes().all(|byte| byte.is_ascii_lowercase());
    value.len() >= SHORTEST && !(is_place || is_number && value.len() < 12 || is_word)
}

/// What `secrets.env` and `secrets.file` name.
pub fn configured(config: &Effective) -> Result<Vec<String>, Failure> {
    let variables = config.names("secrets.env").iter();
    let mut known: Vec<String> = variables
        .filter_map(|name| std::env::var(name).ok())
        .collect();
    if let Some(path) = config.text("secrets.file") {
        let text = read(Path::new(path)).map_err(|error| {
            Failure::usage(format!(
                "secrets.file {path}: {error}. Nothing is run while it is not known what must be \
                 masked: mend the file or the key"
            ))
        })?;
        known.extend(text.lines().map(str::trim).map(str::to_owned));
    }
    Ok(known)
}

fn read(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    let file = std::fs::File::open(path)?;
    if !file.metadata()?.is_file() {
        return Err(std::io::Error::other("it is not a regular file"));
    }
    file.take(FILE_BYTES_MAX).read_to_string(&mut text)?;
    Ok(text)
}

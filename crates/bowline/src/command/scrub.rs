//! `bowline scrub`: a filter that masks secrets, of text as it comes or of described texts.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use bowline_secrets::{Kind, Masker, StreamMasker};
use serde_json::{Value, json};

use crate::args::Scrub;
use crate::failure::Failure;
use crate::print;

/// How much is read at once, in bytes.
const PIECE: usize = 64 * 1024;

/// Longest line of `--jsonl`, in bytes; a longer one is told and skipped.
const RECORD_BYTES_MAX: u64 = 64 << 20;

/// How many secrets of each kind were masked.
type Counts = BTreeMap<Kind, u64>;

/// Runs the command. Nothing of what is read goes to standard error.
pub fn run(args: &Scrub) -> Result<u8, Failure> {
    let standard = [PathBuf::from("-")];
    let files = if args.file.is_empty() {
        &standard[..]
    } else {
        &args.file
    };
    let mut counts = Counts::new();
    let mut code = 0;
    for file in files {
        let source = open(file)?;
        if args.jsonl {
            code = code.max(records(file, source, &mut counts)?);
        } else {
            text(file, source, &mut counts)?;
        }
    }
    if args.summary {
        let total: u64 = counts.values().sum();
        print::err_line(&format!("{total} masked"));
        for (kind, count) in &counts {
            print::err_line(&format!("{count:7} {kind}"));
        }
    }
    Ok(code)
}

fn open(file: &Path) -> Result<Box<dyn Read>, Failure> {
    if file == Path::new("-") {
        return Ok(Box::new(io::stdin()));
    }
    let opened = File::open(file).map_err(|error| unreadable(file, &error))?;
    Ok(Box::new(opened))
}

fn unreadable(file: &Path, error: &io::Error) -> Failure {
    Failure::stopped(format!("{}: {error}", file.display()))
}

/// Masks a text as it comes, whatever bytes it is made of.
fn text(file: &Path, mut source: Box<dyn Read>, counts: &mut Counts) -> Result<(), Failure> {
    let mut masker = StreamMasker::new(Masker::default());
    let mut piece = vec![0; PIECE];
    print::pieces::<Failure>(|out| match source.read(&mut piece) {
        Ok(0) => {
            masker.finish(out);
            Ok(false)
        }
        Ok(read) => {
            masker.push(&piece[..read], out);
            Ok(true)
        }
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(true),
        Err(error) => Err(unreadable(file, &error)),
    })?;
    for (kind, count) in masker.found() {
        *counts.entry(kind).or_default() += count;
    }
    Ok(())
}

/// Masks described texts, one a line. Lines that describe none are told by their number.
fn records(file: &Path, source: Box<dyn Read>, counts: &mut Counts) -> Result<u8, Failure> {
    let masker = Masker::default();
    let mut source = BufReader::with_capacity(PIECE, source);
    let mut line = Vec::new();
    let (mut number, mut unread) = (0u64, 0u64);
    print::pieces(|out| -> Result<bool, Failure> {
        line.clear();
        number += 1;
        let whole = next_line(&mut source, &mut line).map_err(|error| unreadable(file, &error))?;
        if line.is_empty() {
            return Ok(false);
        }
        if line.trim_ascii().is_empty() {
            return Ok(true);
        }
        let record: Value = serde_json::from_slice(&line).unwrap_or_default();
        match (record.get("id"), record["text"].as_str()) {
            (Some(id), Some(text)) if whole => answer(&masker, id, text, counts, out),
            _ => {
                unread += 1;
                print::err_line(&format!(
                    "bowline: {}: line {number} is no object with `id` and `text` of at most {} MiB",
                    file.display(),
                    RECORD_BYTES_MAX >> 20
                ));
            }
        }
        Ok(true)
    })?;
    Ok(if unread == 0 { 0 } else { 2 })
}

/// Reads a line, no more of it than is allowed, and skips the rest; says whether that was all.
fn next_line(source: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    source
        .by_ref()
        .take(RECORD_BYTES_MAX)
        .read_until(b'\n', line)?;
    if line.last() == Some(&b'\n') || (line.len() as u64) < RECORD_BYTES_MAX {
        return Ok(true);
    }
    source.skip_until(b'\n')?;
    Ok(false)
}

/// Appends a text, masked, with the places of what was masked, in characters of the original.
fn answer(masker: &Masker, id: &Value, text: &str, counts: &mut Counts, out: &mut Vec<u8>) {
    let masked = masker.mask(text);
    let (mut at, mut characters) = (0, 0);
    let mut position = |to: usize| {
        characters += text[at..to].chars().count();
        at = to;
        characters
    };
    let mut spans = Vec::with_capacity(masked.findings.len());
    for found in &masked.findings {
        *counts.entry(found.kind).or_default() += 1;
        let (start, end) = (position(found.range.start), position(found.range.end));
        spans.push(json!({ "start": start, "end": end, "type": found.kind.as_str() }));
    }
    let answer = json!({ "id": id, "text": masked.text, "spans": spans });
    out.extend_from_slice(answer.to_string().as_bytes());
    out.push(b'\n');
}

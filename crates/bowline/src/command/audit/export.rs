//! `bowline audit export`, and the check of what it wrote.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{BufReader, BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use bowline_core::SessionId;
use bowline_journal::{
    Anchor, AnchorHeld, AuditFilter, Disclosed, DisclosedChain, Store, verify_disclosed,
};
use bowline_runtime::{Clock, date_and_time};
use serde_json::json;

use super::span;
use super::verify::counted;
use crate::args::AuditExport;
use crate::failure::Failure;
use crate::print::{self, clean};

pub fn run(store: &Store, args: &AuditExport) -> Result<u8, Failure> {
    let when = span(args.since.as_deref(), args.until.as_deref())?;
    let session = match &args.session {
        Some(id) => Some(store.resolve(id)?),
        None => None,
    };
    let filter = AuditFilter {
        when: when.clone(),
        session,
        ..AuditFilter::default()
    };
    let rows = store.view()?.audit(&filter)?;
    let sessions: BTreeSet<SessionId> = rows.iter().map(|row| row.session).collect();
    if sessions.is_empty() {
        return Err(Failure::usage("nothing was decided that fits"));
    }
    let sessions: Vec<SessionId> = sessions.into_iter().collect();
    let now_ms = Clock::system().now_ms();
    let done = if args.out.as_os_str() == "-" {
        print::through(|out| store.disclose(&sessions, &when, now_ms, out))?
    } else {
        let path = file(&args.out, now_ms);
        let cannot = |error: std::io::Error| {
            Failure::stopped(format!("cannot write {}: {error}", path.display()))
        };
        let made = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&path);
        let mut out = BufWriter::new(made.map_err(cannot)?);
        let done = store.disclose(&sessions, &when, now_ms, &mut out)?;
        out.flush().map_err(cannot)?;
        print::err_line(&format!("written to {}", path.display()));
        done
    };
    Ok(say(&done))
}

/// The file that is written: in a folder one with the day in its name.
fn file(out: &Path, now_ms: u64) -> PathBuf {
    if !out.is_dir() {
        return out.to_owned();
    }
    let when = date_and_time(now_ms);
    let day = when.split(' ').next().unwrap_or_default();
    out.join(format!("bowline-audit-{day}.jsonl"))
}

fn say(done: &Disclosed) -> u8 {
    print::err_line(&format!(
        "{} decisions of {}, with the chain of all {} records",
        done.decisions,
        counted(
            usize::try_from(done.sessions).unwrap_or(usize::MAX),
            "session"
        ),
        done.records
    ));
    for (session, why) in &done.damaged {
        let session = session.short();
        print::err_line(&clean(&format!(
            "bowline: session {session} is damaged, only what is intact was written: {why}"
        )));
    }
    u8::from(!done.damaged.is_empty())
}

/// Checks a file, standing alone.
pub(super) fn verify(path: &Path, anchor: Option<&Anchor>, as_json: bool) -> Result<u8, Failure> {
    let cannot =
        |error: std::io::Error| Failure::usage(format!("the export {}: {error}", path.display()));
    let mut input = BufReader::new(File::open(path).map_err(cannot)?);
    let chains = match verify_disclosed(&mut input, anchor) {
        Ok(chains) => chains,
        Err(error) => {
            if as_json {
                let object = json!({ "sound": false, "line": error.line, "why": error.why });
                print::line(&object.to_string());
            } else {
                let place = format!("{}:{}", path.display(), error.line);
                print::line(&clean(&format!("{place}: {}", error.why)));
            }
            return Ok(1);
        }
    };
    let against = |chain: &&DisclosedChain| {
        matches!(
            chain.anchored,
            Some(AnchorHeld::Rewritten | AnchorHeld::Cut)
        )
    };
    let bad: Vec<&DisclosedChain> = chains.iter().filter(against).collect();
    if as_json {
        let object = json!({ "sound": bad.is_empty(), "chains": chains });
        print::line(&object.to_string());
        return Ok(u8::from(!bad.is_empty()));
    }
    for chain in &bad {
        print::line(&format!(
            "session {}: it is not the chain that the anchor names, or it ends before the record \
             that the anchor names",
            chain.session
        ));
    }
    let decisions: u64 = chains.iter().map(|chain| chain.decisions).sum();
    let records: u64 = chains.iter().map(|chain| chain.records).sum();
    let what = match bad.len() {
        0 => "nothing is wrong",
        _ => "it cannot be trusted",
    };
    print::line(&format!(
        "{}, {} decisions in {} records: {what}",
        counted(chains.len(), "session"),
        print::grouped(decisions),
        print::grouped(records)
    ));
    if anchor.is_none() {
        print::line(
            "the file agrees with itself; that it is about what really happened, an anchor shows: \
             --anchor FILE",
        );
    }
    Ok(u8::from(!bad.is_empty()))
}

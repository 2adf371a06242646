//! `bowline audit verify`: whether every chain holds, by itself and against an anchor.

use std::path::Path;

use bowline_journal::{Anchor, AnchorHeld, AnchorKey, ChainReport, Store, Stream};
use bowline_runtime::date_and_time;
use serde_json::{Value, json};

use super::anchor;
use crate::args::AuditVerify;
use crate::failure::Failure;
use crate::places::Places;
use crate::print::{self, Colour, Look, clean};

/// Whose key an anchor is signed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    /// The key that was named.
    Named,
    /// This installation's own.
    Own,
    /// Nobody said.
    Unknown,
}

pub fn run(store: &Store, places: &Places, args: &AuditVerify) -> Result<u8, Failure> {
    let anchor = match &args.anchor {
        Some(file) => Some(read(file, places, args.public_key.as_deref())?),
        None => None,
    };
    if let Some(file) = &args.export {
        let anchor = anchor.as_ref().map(|(anchor, _)| anchor);
        return super::export::verify(file, anchor, args.json);
    }
    let only = match &args.session {
        Some(id) => Some(Stream::Session(store.resolve(id)?)),
        None => None,
    };
    let held_to = anchor.as_ref().map(|(anchor, _)| anchor);
    let reports = store.verify_chains(only, held_to)?;
    if args.json {
        print::line(&object(&reports, anchor.as_ref()).to_string());
    } else {
        say(&reports, anchor.as_ref());
    }
    let is_sound = reports.iter().all(ChainReport::is_sound);
    Ok(u8::from(!is_sound))
}

/// Reads an anchor; it must bear the signature of whom it should.
fn read(
    file: &Path,
    places: &Places,
    public_key: Option<&str>,
) -> Result<(Anchor, Whose), Failure> {
    let failed = |why: String| Failure::usage(format!("the anchor {}: {why}", file.display()));
    let bytes = std::fs::read(file).map_err(|error| failed(error.to_string()))?;
    let anchor = Anchor::read(&bytes).map_err(|error| failed(error.to_string()))?;
    let own = anchor::own_file(places);
    let (key, whose) = match public_key {
        Some(key) => {
            let key = key.parse::<AnchorKey>();
            let key = key.map_err(|error| Failure::usage(format!("--public-key: {error}")))?;
            (key, Whose::Named)
        }
        None if own.exists() => (anchor::read(&own)?.public(), Whose::Own),
        None => (anchor.key(), Whose::Unknown),
    };
    if anchor.key() != key {
        return Err(failed(format!(
            "it is signed with {}, not with {key}; if that is the key you trust, name it with \
             --public-key",
            anchor.key()
        )));
    }
    Ok((anchor, whose))
}

fn object(reports: &[ChainReport], anchor: Option<&(Anchor, Whose)>) -> Value {
    let anchor = anchor.map(|(anchor, whose)| {
        json!({
            "at_ms": anchor.at_ms(),
            "public_key": anchor.key().to_string(),
            "key_is_known": *whose != Whose::Unknown,
        })
    });
    json!({
        "sound": reports.iter().all(ChainReport::is_sound),
        "records": reports.iter().map(|it| it.records).sum::<u64>(),
        "chains": reports,
        "anchor": anchor,
    })
}

fn say(reports: &[ChainReport], anchor: Option<&(Anchor, Whose)>) {
    let look = Look::of_stdout();
    let bad = reports.iter().filter(|report| !report.is_sound());
    for report in bad.clone() {
        for line in damaged(&look, report) {
            print::line(&line);
        }
    }
    let records: u64 = reports.iter().map(|report| report.records).sum();
    let summary = format!(
        "{}, {} records: {}",
        counted(reports.len(), "chain"),
        print::grouped(records),
        match bad.count() {
            0 => "nothing is wrong".to_owned(),
            1 => "1 chain cannot be trusted".to_owned(),
            bad => format!("{bad} chains cannot be trusted"),
        }
    );
    print::line(&summary);
    let unseen: Vec<String> = reports
        .iter()
        .filter(|it| !it.witnesses.head && !it.witnesses.index && it.anchored.is_none())
        .map(|it| it.stream.to_string())
        .collect();
    if let Some(first) = unseen.first() {
        let more = match unseen.len() {
            1 => String::new(),
            count => format!(" and {} more", count - 1),
        };
        let what = format!(
            "{first}{more}: nothing here tells where the end should be, so a cut there could be \
             seen by an anchor only"
        );
        for line in look.wrap(&what, 0) {
            print::line(&look.paint(Colour::Dim, &line));
        }
    }
    if let Some((anchor, whose)) = anchor {
        held(&look, reports, anchor, *whose);
    }
}

fn damaged(look: &Look, report: &ChainReport) -> Vec<String> {
    let mut lines = Vec::new();
    for finding in &report.findings {
        let place = format!(
            "{}:{}",
            clean(&finding.file.to_string_lossy()),
            finding.line
        );
        let kind = look.paint(Colour::Red, finding.kind.name());
        lines.push(format!("{place}: {kind}"));
        let what = format!(
            "{}, record {}: {}",
            report.stream, finding.seq, finding.what
        );
        lines.extend(
            look.wrap(&what, 2)
                .into_iter()
                .map(|line| format!("  {line}")),
        );
    }
    if let Some(what) = report.anchored.and_then(against_anchor) {
        let what = format!("{}: {what}", report.stream);
        let wrapped = look.wrap(&what, 0);
        lines.extend(wrapped.iter().map(|line| look.paint(Colour::Red, line)));
    }
    lines
}

const fn against_anchor(held: AnchorHeld) -> Option<&'static str> {
    match held {
        AnchorHeld::Rewritten => Some(
            "the anchor names another record in the place of one of these: the chain was written \
             anew",
        ),
        AnchorHeld::Cut => Some("the anchor names a record beyond its end: it was cut"),
        AnchorHeld::Missing => Some("the anchor names it, and it is not there: it was removed"),
        AnchorHeld::Holds | AnchorHeld::KeptNoLonger => None,
    }
}

fn held(look: &Look, reports: &[ChainReport], anchor: &Anchor, whose: Whose) {
    let count = |held| {
        let those = reports.iter().filter(|it| it.anchored == Some(held));
        those.count()
    };
    let when = date_and_time(anchor.at_ms());
    let mut lines = vec![format!(
        "the anchor of {when} holds for {}",
        counted(count(AnchorHeld::Holds), "chain")
    )];
    let gone: Vec<String> = reports
        .iter()
        .filter(|it| it.anchored == Some(AnchorHeld::KeptNoLonger))
        .map(|it| it.stream.to_string())
        .collect();
    if !gone.is_empty() {
        lines.push(format!(
            "not proven: {} keeps only its newest records, and what was anchored is older",
            gone.join(", ")
        ));
    }
    lines.push(match whose {
        Whose::Named => format!("signed with the key you named, {}", anchor.key()),
        Whose::Own => format!("signed with this installation's own key, {}", anchor.key()),
        Whose::Unknown => format!(
            "signed with {}; whose key that is, nothing here says: name the one you trust with \
             --public-key",
            anchor.key()
        ),
    });
    for line in lines.iter().flat_map(|line| look.wrap(line, 0)) {
        print::line(&line);
    }
}

/// `1 chain`, `3 chains`.
pub(super) fn counted(count: usize, thing: &str) -> String {
    match count {
        1 => format!("1 {thing}"),
        many => format!("{many} {thing}s"),
    }
}

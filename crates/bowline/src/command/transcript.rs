//! `bowline transcript ID`: a session as a conversation, whole; or what the model was sent at a step.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal as _};
use std::sync::Arc;

use bowline_core::message::ResultKind;
use bowline_core::plan::BlockKind;
use bowline_core::{Digest, Origin, SessionId};
use bowline_journal::Store;
use bowline_runtime::plan::Planned;
use bowline_runtime::transcript::{Called, Said, transcript};

use super::context::{Spoken, planned, sentence};
use crate::args;
use crate::failure::Failure;
use crate::places::Places;
use crate::print::{self, Colour, Look, grouped};

/// Lines of a result that are shown to a person.
const RESULT_LINES: usize = 8;

/// Runs the command.
pub fn run(args: &args::Transcript) -> Result<u8, Failure> {
    let places = Places::find()?;
    let store = Store::at(&places.state);
    let session = store.resolve(&args.id)?;
    if let Some(step) = args.as_sent {
        let mut planned = planned(&store, session, Some(step))?;
        planned.request.images = Arc::new(images(&store, session, &planned)?);
        let spoken = Spoken::of(&planned, &places)?;
        let body = spoken
            .dialect
            .body(&spoken.base_url, session, &planned.request);
        as_sent(&body)?;
        return Ok(0);
    }
    let intact = store.read_only(session)?.read_intact()?;
    let events: Vec<_> = intact.events.into_iter().map(|one| one.event).collect();
    let entries = transcript(&events);
    if args.json {
        let text = serde_json::to_string(&entries).map_err(anyhow::Error::from)?;
        print::line(&text);
    } else {
        let look = Look::of_stdout();
        let lines = entries.iter().flat_map(|entry| lines(&look, &entry.said));
        for line in lines {
            print::line(&line);
        }
    }
    match intact.finding {
        Some(error) => Err(error.into()),
        None => Ok(0),
    }
}

/// The bytes of a request's images, as they are stored; one that is gone is left out, as it was
/// when it was gone at that time.
fn images(
    store: &Store,
    session: SessionId,
    planned: &Planned,
) -> Result<BTreeMap<Digest, Vec<u8>>, Failure> {
    let reader = store.read_only(session)?;
    let mut found = BTreeMap::new();
    for image in planned.state.images() {
        let digest = image.blob.digest;
        let path = reader.find_blob(&digest.to_hex())?.map(|(path, _)| path);
        if let Some(bytes) = path.and_then(|path| std::fs::read(path).ok()) {
            found.insert(digest, bytes);
        }
    }
    Ok(found)
}

/// Prints a body: as it is through a pipe, and to a terminal without what could move its cursor.
fn as_sent(body: &[u8]) -> Result<(), Failure> {
    if io::stdout().is_terminal() {
        print::line(&print::clean(&String::from_utf8_lossy(body)));
        return Ok(());
    }
    print::through(|out| {
        out.write_all(body)?;
        out.write_all(b"\n")
    })
    .map_err(|error: io::Error| Failure::stopped(format!("cannot print: {error}")))
}

/// One entry in lines.
fn lines(look: &Look, said: &Said) -> Vec<String> {
    let marked = |text: &str| {
        let text = look.fit(&format!("── {text}"), 0);
        vec![String::new(), look.paint(Colour::Dim, &text)]
    };
    match said {
        Said::TurnStarted { turn } => marked(&format!("turn {}", turn.0)),
        Said::Words { kind, text, images } => {
            let images = match images {
                0 => String::new(),
                1 => " (with 1 image)".to_owned(),
                more => format!(" (with {more} images)"),
            };
            let who = look.paint(
                Colour::Bold,
                &format!("{}{images}:", who(*kind, text.origin())),
            );
            vec![
                String::new(),
                format!("{who} {}", print::clean(text.text()).trim_end()),
            ]
        }
        Said::Reply {
            step,
            text,
            reasoning_bytes,
            calls,
        } => reply(look, step.0, text, *reasoning_bytes, calls),
        Said::Compacted {
            exchanges,
            shortened,
            before_tokens,
            after_tokens,
            strategies,
            summary,
        } => {
            let how: Vec<&str> = strategies.iter().map(|one| one.name()).collect();
            let mut lines = marked(&format!(
                "compacted: {}; {exchanges} exchanges taken out, {shortened} texts shortened, about \
                 {} tokens became {}; the model sees what stands above no more",
                how.join(", "),
                grouped(*before_tokens),
                grouped(*after_tokens)
            ));
            lines.extend(summary.iter().map(|text| print::clean(text)));
            lines
        }
        Said::CompactionFailed { why } => marked(&format!("not compacted: {why}")),
        Said::PrefixBroken(broken) => marked(&format!("prefix broken: {}", sentence(broken))),
        Said::PromptChanged { why, by } => {
            marked(&format!("tools and system text changed by {by}: {why}"))
        }
        Said::SettingsChanged { model, mode, by } => {
            marked(&format!("{model} · mode {mode}, set by {by}"))
        }
        Said::TurnEnded { stop, detail } => {
            let detail = detail
                .as_deref()
                .map_or_else(String::new, |it| format!(" ({it})"));
            marked(&format!("turn ended: {}{detail}", stop.name()))
        }
    }
}

fn who(kind: BlockKind, origin: &Origin) -> String {
    let who = match (kind, origin) {
        (BlockKind::Summary | BlockKind::State, _) => kind.name().to_owned(),
        (_, Origin::Person) => "you".to_owned(),
        (_, Origin::Harness) => "bowline".to_owned(),
        (_, Origin::Tool(name)) => format!("tool {name}"),
        (_, Origin::File(path)) => format!("file {path}"),
        (_, Origin::Outside { tool, from }) => format!("{tool}, from {from}"),
    };
    print::visible(&who)
}

fn reply(
    look: &Look,
    step: u32,
    text: &str,
    reasoning_bytes: usize,
    calls: &[Called],
) -> Vec<String> {
    let thought = match reasoning_bytes {
        0 => String::new(),
        bytes => format!(" (after {} bytes of reasoning)", grouped(bytes as u64)),
    };
    let who = look.paint(Colour::Bold, &format!("step {step}{thought}:"));
    let mut lines = vec![
        String::new(),
        format!("{who} {}", print::clean(text).trim_end())
            .trim_end()
            .to_owned(),
    ];
    for called in calls {
        let line = format!("{} {}", called.tool, called.essence);
        lines.push(format!("▸ {}", look.fit(&line, 2)));
        let sign = match called.kind {
            Some(ResultKind::Ok) => "✓",
            Some(_) => "✗",
            None => "…",
        };
        let result = called.result.as_ref().map_or("", |text| text.text());
        let all: Vec<&str> = result.lines().collect();
        if all.is_empty() {
            let nothing = if called.kind.is_some() {
                "(nothing)"
            } else {
                "not answered yet"
            };
            lines.push(format!("  {sign} {nothing}"));
        }
        for (at, line) in all.iter().take(RESULT_LINES).enumerate() {
            let lead = if at == 0 { sign } else { " " };
            lines.push(format!("  {lead} {}", look.fit(line, 4)));
        }
        if all.len() > RESULT_LINES {
            lines.push(format!("    ... {} more lines", all.len() - RESULT_LINES));
        }
    }
    lines
}

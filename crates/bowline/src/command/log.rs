//! `bowline log`: system events, in order.

use std::time::Duration;

use bowline_core::system::{CATALOGUE, Level};
use bowline_core::{SessionId, SystemEvent};
use bowline_journal::{Installation, Store, SystemRecorded};
use bowline_runtime::{Clock, moment, since};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde_json::json;

use crate::args::Log;
use crate::failure::Failure;
use crate::places::Places;
use crate::print::{self, Colour, Look};

/// How often a followed log is looked at.
const FOLLOW_PAUSE: Duration = Duration::from_millis(100);

/// Runs the command.
pub fn run(args: &Log) -> Result<u8, Failure> {
    let places = Places::find()?;
    let installation = Store::at(&places.state).installation();
    let log = installation.read()?;
    let wanted = Wanted::read(args, &log.events)?;
    let look = Look::of_stdout();
    for recorded in log.events.iter().filter(|one| wanted.takes(&one.event)) {
        show(&look, recorded, args.json);
    }
    if log.torn_bytes > 0 {
        print::err_line(&format!(
            "bowline: {} bytes at the end are not acknowledged yet, or never will be",
            log.torn_bytes
        ));
    }
    for damage in &log.damage {
        print::err_line(&print::clean(&format!("bowline: {damage}")));
    }
    if args.follow {
        let last = log.events.last().map(|recorded| recorded.receipt.seq);
        return follow(&installation, last.unwrap_or_default(), |recorded| {
            if wanted.takes(&recorded.event) {
                show(&look, recorded, args.json);
            }
        });
    }
    if log.events.is_empty() && log.damage.is_empty() && !args.json {
        print::err_line("no system events yet: the first run records some");
    }
    Ok(u8::from(!log.damage.is_empty()))
}

/// Prints events as they become durable; ends when nobody reads standard output any more.
fn follow(
    installation: &Installation,
    after: bowline_core::Seq,
    show: impl Fn(&SystemRecorded),
) -> Result<u8, Failure> {
    let mut follower = installation.follow(after);
    while is_read() {
        for recorded in follower.poll()? {
            show(&recorded);
        }
        std::thread::sleep(FOLLOW_PAUSE);
    }
    Ok(0)
}

/// Whether somebody still holds the other end of standard output, if it has one.
fn is_read() -> bool {
    let out = std::io::stdout();
    let mut fds = [PollFd::new(&out, PollFlags::empty())];
    let at_once = Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    let asked = poll(&mut fds, Some(&at_once));
    asked.is_err() || !fds[0].revents().contains(PollFlags::ERR)
}

/// What is to be shown.
struct Wanted<'a> {
    since_ms: u64,
    level: Level,
    kinds: &'a [String],
    session: Option<SessionId>,
}

impl<'a> Wanted<'a> {
    fn read(args: &'a Log, events: &[SystemRecorded]) -> Result<Self, Failure> {
        let now_ms = Clock::system().now_ms();
        let since_ms = match &args.since {
            Some(text) => {
                since(text, now_ms).map_err(|why| Failure::usage(format!("--since: {why}")))?
            }
            None => 0,
        };
        let level = args.level.as_deref().unwrap_or("info").parse();
        let level = level.map_err(|why| Failure::usage(format!("--level: {why}")))?;
        for kind in &args.kind {
            known_kind(kind, events)?;
        }
        let session = args.session.as_deref().map(|id| find(id, events));
        Ok(Self {
            since_ms,
            level,
            kinds: &args.kind,
            session: session.transpose()?,
        })
    }

    fn takes(&self, event: &SystemEvent) -> bool {
        event.at_ms >= self.since_ms
            && event.level >= self.level
            && (self.kinds.is_empty() || self.kinds.iter().any(|kind| kind == event.fact.kind()))
            && (self.session.is_none() || self.session == event.session)
    }
}

/// A kind that this version knows, or that a newer one has recorded here.
fn known_kind(kind: &str, events: &[SystemRecorded]) -> Result<(), Failure> {
    let known = CATALOGUE.iter().any(|(name, _)| *name == kind);
    if known || events.iter().any(|one| one.event.fact.kind() == kind) {
        return Ok(());
    }
    let names: Vec<&str> = CATALOGUE.iter().map(|(name, _)| *name).collect();
    Err(Failure::usage(format!(
        "--kind: there is no kind `{kind}`. Kinds: {}",
        names.join(", ")
    )))
}

/// The session that the log speaks of whose id begins or ends with `text`; it may be deleted.
fn find(text: &str, events: &[SystemRecorded]) -> Result<SessionId, Failure> {
    let digits = text.replace('-', "").to_lowercase();
    let mut found: Vec<SessionId> = events
        .iter()
        .filter_map(|recorded| recorded.event.session)
        .filter(|session| {
            let id = session.uuid().simple().to_string();
            !digits.is_empty() && (id.starts_with(&digits) || id.ends_with(&digits))
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    match found.as_slice() {
        [one] => Ok(*one),
        [] => Err(Failure::usage(format!(
            "--session: the log holds nothing about a session `{text}`"
        ))),
        _ => Err(Failure::usage(format!(
            "--session: `{text}` fits several sessions: give more digits"
        ))),
    }
}

fn show(look: &Look, recorded: &SystemRecorded, json: bool) {
    let receipt = &recorded.receipt;
    if json {
        let object = json!({ "seq": receipt.seq, "hash": receipt.hash, "event": recorded.event });
        print::line(&object.to_string());
    } else {
        print::line(&line(look, &recorded.event));
    }
}

/// A system event in one line that fits.
pub fn line(look: &Look, event: &SystemEvent) -> String {
    let level = format!("{:<7}", event.level.name());
    let colour = match event.level {
        Level::Info => Colour::Dim,
        Level::Notice => Colour::Bold,
        Level::Warning => Colour::Yellow,
        Level::Error => Colour::Red,
    };
    let session = event
        .session
        .map_or_else(|| "-".to_owned(), |id| id.short());
    let rest = format!(
        "{session:<8}  {:<15}  {}",
        event.fact.kind(),
        event.fact.line()
    );
    format!(
        "{}  {}  {}",
        moment(event.at_ms),
        look.paint(colour, &level),
        look.fit(&rest, 30)
    )
}

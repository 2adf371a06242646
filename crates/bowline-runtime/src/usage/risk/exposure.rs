//! What of a workspace was sent where, by a journal.
//!
//! A result of a call that reads is content of what it read; one that reads several paths counts
//! whole for the most sensitive of them, and one that names none (a program that ran) for the class
//! that everything falls under. What a person or the model wrote is not content of the workspace.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use bowline_core::event::CallFinished;
use bowline_core::message::HistoryItem;
use bowline_core::{
    Action, CallId, Decision, Digest, Event, Fact, FailureKind, ModelPlace, Origin, State, Usage,
    apply,
};
use serde::Serialize;

use super::table::Figures;

/// How many bytes of a class were sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Sent {
    /// Each content counted once for each model and place.
    pub distinct_bytes: u64,
    /// Counted each time that it was part of a request.
    pub total_bytes: u64,
}

/// What went to one model at one place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Went {
    /// Requests that were sent.
    pub requests: u64,
    /// By class.
    pub sent: BTreeMap<String, Sent>,
    /// Secrets that were masked in it.
    pub masked_secrets: u64,
    /// Money spent, in millionths of a dollar.
    pub spent_micro_usd: u64,
    /// Requests that used tokens at an unknown price.
    pub unpriced: u64,
    /// What each request used.
    pub usages: Vec<Usage>,
    pub(super) known: BTreeSet<Digest>,
    pub(super) masks: BTreeSet<String>,
}

/// What went where, over any number of journals.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exposure {
    /// By model, as provider/model, and place.
    pub went: BTreeMap<(String, ModelPlace), Went>,
}

/// One piece of content in a conversation.
struct Piece {
    class: usize,
    bytes: u64,
    digest: Digest,
    masks: Vec<String>,
}

/// A journal on the way through.
struct Reader<'f> {
    figures: &'f Figures,
    state: State,
    decisions: BTreeMap<CallId, Vec<String>>,
    /// By call; results that are in the conversation are looked up here.
    pieces: BTreeMap<CallId, Rc<Piece>>,
    /// Bytes of the conversation by class, and how much of the history was looked at.
    sums: BTreeMap<usize, u64>,
    looked: usize,
    /// What is in the conversation, in order, and how much of it each receiver is known to have.
    shown: Vec<Rc<Piece>>,
    counted: BTreeMap<(String, ModelPlace), usize>,
    /// The request that is under way: to whom.
    open: Option<(String, ModelPlace)>,
}

impl Exposure {
    /// Adds what the requests of a journal held that were reserved within `when`, in milliseconds
    /// since 1970.
    pub fn add<'e>(
        &mut self,
        figures: &Figures,
        events: impl IntoIterator<Item = &'e Event>,
        when: &std::ops::Range<u64>,
    ) {
        let mut reader = Reader {
            figures,
            state: State::new(),
            decisions: BTreeMap::new(),
            pieces: BTreeMap::new(),
            sums: BTreeMap::new(),
            looked: 0,
            shown: Vec::new(),
            counted: BTreeMap::new(),
            open: None,
        };
        for event in events {
            reader.take(event, when, self);
        }
        reader.sent(self);
    }
}

impl Reader<'_> {
    fn take(&mut self, event: &Event, when: &std::ops::Range<u64>, to: &mut Exposure) {
        self.note(&event.fact);
        let spent = self.state.ledger().spent.cost_micro_usd;
        self.state = apply(std::mem::take(&mut self.state), event);
        let charged = self
            .state
            .ledger()
            .spent
            .cost_micro_usd
            .saturating_sub(spent);
        match &event.fact {
            Fact::HistoryCompacted(_) | Fact::BlocksDropped(_) => self.look_again(),
            Fact::AttemptReserved(_) => {
                self.look();
                // Of a request without an outcome nobody knows that it was not sent.
                self.sent(to);
                let settings = self
                    .state
                    .settings()
                    .filter(|_| when.contains(&event.at_ms));
                self.open =
                    settings.map(|settings| (settings.model.to_string(), ModelPlace::of(settings)));
            }
            Fact::AttemptFailed(failed) => {
                let kind = failed.failure.kind;
                if matches!(kind, FailureKind::Connect | FailureKind::Withheld) {
                    self.open = None;
                }
                self.settle(to, charged, failed.failure.usage);
            }
            Fact::ModelReplied(replied) => self.settle(to, charged, replied.usage),
            _ => {}
        }
    }

    /// Counts the request that is under way as sent and used so much.
    fn settle(&mut self, to: &mut Exposure, charged: u64, usage: Option<Usage>) {
        let Some(key) = self.open.clone() else {
            return;
        };
        self.sent(to);
        let is_priced = self.state.settings().is_some_and(|it| it.price().is_some());
        let went = to.went.entry(key).or_default();
        went.spent_micro_usd = went.spent_micro_usd.saturating_add(charged);
        went.unpriced += u64::from(!is_priced && usage.is_some());
        went.usages.extend(usage);
    }

    /// Counts what the request under way holds.
    fn sent(&mut self, to: &mut Exposure) {
        let Some(key) = self.open.take() else {
            return;
        };
        let counted = self.counted.insert(key.clone(), self.shown.len());
        let counted = counted.unwrap_or_default();
        let went = to.went.entry(key).or_default();
        went.requests += 1;
        for (class, bytes) in &self.sums {
            let name = self.figures.classes[*class].name.clone();
            let sent = went.sent.entry(name).or_default();
            sent.total_bytes = sent.total_bytes.saturating_add(*bytes);
        }
        for piece in &self.shown[counted..] {
            if went.known.insert(piece.digest) {
                let name = self.figures.classes[piece.class].name.clone();
                went.sent.entry(name).or_default().distinct_bytes += piece.bytes;
            }
            for mask in &piece.masks {
                went.masks.insert(mask.clone());
            }
        }
        went.masked_secrets = u64::try_from(went.masks.len()).unwrap_or(u64::MAX);
    }

    /// Notes what calls are about, before they are folded.
    fn note(&mut self, fact: &Fact) {
        match fact {
            Fact::Decided(decided) => {
                self.decisions
                    .insert(decided.call, paths(&decided.decision));
            }
            Fact::CallFinished(finished) => self.finish(finished),
            _ => {}
        }
    }

    fn finish(&mut self, finished: &CallFinished) {
        let outcome = &finished.outcome;
        let mut paths = self.decisions.remove(&finished.call).unwrap_or_default();
        paths.extend(outcome.effect.seen.iter().map(|seen| seen.path.clone()));
        let piece = self.piece(outcome.content.text(), &paths);
        self.pieces.insert(finished.call, Rc::new(piece));
    }

    fn piece(&self, text: &str, paths: &[String]) -> Piece {
        let roots = self.state.roots();
        let classes = paths.iter().map(|path| self.figures.class(path, roots));
        Piece {
            class: classes.min().unwrap_or_else(|| self.figures.unnamed()),
            bytes: text.len() as u64,
            digest: Digest::of(text.as_bytes()),
            masks: masks(text),
        }
    }

    fn look_again(&mut self) {
        self.sums.clear();
        self.shown.clear();
        self.counted.clear();
        self.looked = 0;
    }

    /// Looks at what came to the conversation since the last request.
    fn look(&mut self) {
        let history = self.state.history();
        if history.len() < self.looked {
            self.look_again();
        }
        let fresh = self.state.history()[self.looked..].to_vec();
        self.looked += fresh.len();
        for item in fresh {
            match item.as_ref() {
                HistoryItem::Exchange(exchange) => {
                    for result in exchange.results() {
                        if let Some(piece) = self.pieces.get(&result.call) {
                            let piece = left_of(piece, result.content.text());
                            *self.sums.entry(piece.class).or_default() += piece.bytes;
                            self.shown.push(piece);
                        }
                    }
                }
                HistoryItem::Input(input) => {
                    let Origin::File(name) = input.text.origin() else {
                        continue;
                    };
                    let cwd = std::path::Path::new(self.state.cwd());
                    let path = crate::instructions::place(cwd, name);
                    let piece = self.piece(input.text.text(), &[path.display().to_string()]);
                    *self.sums.entry(piece.class).or_default() += piece.bytes;
                    self.shown.push(Rc::new(piece));
                }
            }
        }
    }
}

/// What a compaction left of a result: that, and not the whole, is part of the requests after it.
fn left_of(piece: &Rc<Piece>, text: &str) -> Rc<Piece> {
    if text.len() as u64 >= piece.bytes {
        return Rc::clone(piece);
    }
    Rc::new(Piece {
        class: piece.class,
        bytes: text.len() as u64,
        digest: Digest::of(text.as_bytes()),
        masks: masks(text),
    })
}

/// The paths that a call reads or writes by name.
fn paths(decision: &Decision) -> Vec<String> {
    let paths = decision
        .actions
        .iter()
        .filter_map(|judged| match &judged.action {
            Action::ReadPath { path } | Action::WritePath { path } => Some(path.resolved.clone()),
            _ => None,
        });
    paths.collect()
}

/// The masks in a text: `[secret:KIND:ID]`.
fn masks(text: &str) -> Vec<String> {
    let begins = text.match_indices("[secret:");
    let whole = begins.filter_map(|(at, _)| Some(&text[at..=at + text[at..].find(']')?]));
    whole.map(str::to_owned).collect()
}

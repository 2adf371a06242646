//! What a session is right now: a fold of its facts, never stored as truth.

mod compaction;
mod ledger;
mod open;
mod pace;
mod told;
mod trail;
mod workflow;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

pub use compaction::{Compaction, CompactionCount, Shown, SummaryReply};
pub use ledger::{Gauge, Ledger, REQUEST_OVERHEAD_TOKENS, Share};
pub use open::{AnswerVerdict, CallPhase, CallState, Demand, OpenAttempt, OpenStep, Turn};
pub(crate) use pace::Pace;
pub use told::ToldFiles;
pub(crate) use trail::{Came, Mark, Trail};
pub use workflow::{Doubt, Party, Workflow};

use crate::Digest;
use crate::amounts::Amounts;
use crate::call::TodoItem;
use crate::decision::Decision;
use crate::event::SessionStarted;
use crate::id::{CallId, DecisionId, Epoch, SessionId, StepId, TurnId};
use crate::job::Job;
use crate::kept::Kept;
use crate::message::{HistoryItem, ImageRef, Input};
use crate::plan::Sent;
use crate::recap::Recap;
use crate::request::FrozenPrompt;
use crate::settings::{ModelRef, Settings};
use crate::usage::StopReason;
use crate::wait::Signal;

/// The state of one session. Fields are private: the only way to change one is
/// [`crate::apply`] with an event (I2).
///
/// ```compile_fail
/// let mut state = bowline_core::State::new();
/// state.epoch = bowline_core::Epoch(7);
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    pub(crate) begun: Option<Begun>,
    pub(crate) epoch: Epoch,
    pub(crate) history: Vec<Arc<HistoryItem>>,
    pub(crate) history_bytes: u64,
    pub(crate) queue: Vec<Input>,
    pub(crate) turn: Option<Turn>,
    pub(crate) last_turn: TurnId,
    pub(crate) last_step: StepId,
    pub(crate) step: Option<OpenStep>,
    pub(crate) attempt: Option<OpenAttempt>,
    pub(crate) ledger: Ledger,
    pub(crate) gauge: Gauge,
    pub(crate) shares: BTreeMap<SessionId, Share>,
    pub(crate) overrun: Option<String>,
    pub(crate) keys: BTreeSet<String>,
    pub(crate) grants: BTreeMap<Digest, DecisionId>,
    pub(crate) policies: BTreeSet<Digest>,
    pub(crate) outside: Option<Outside>,
    pub(crate) seen: Arc<BTreeMap<String, Digest>>,
    pub(crate) todo: Vec<TodoItem>,
    pub(crate) jobs: Arc<BTreeMap<String, Job>>,
    pub(crate) in_doubt: Vec<Doubt>,
    pub(crate) signals: BTreeMap<String, Vec<Signal>>,
    pub(crate) paused_by: Option<String>,
    pub(crate) next_schema: Option<Arc<Value>>,
    pub(crate) answer: Option<Value>,
    pub(crate) last_stop: Option<(StopReason, Option<String>)>,
    pub(crate) closing: Option<String>,
    pub(crate) misfits: u32,
    pub(crate) compaction: Option<Box<Compaction>>,
    pub(crate) compacted: CompactionCount,
    pub(crate) recap: Option<Arc<Recap>>,
    pub(crate) shown: Vec<Shown>,
    pub(crate) milestone: Option<StepId>,
    pub(crate) window_seen: Option<u64>,
    pub(crate) sent: Option<Sent>,
    pub(crate) said: Vec<String>,
    pub(crate) pace: Pace,
    pub(crate) kept: BTreeMap<String, Kept>,
    pub(crate) reads: Arc<BTreeSet<String>>,
    pub(crate) told: Arc<ToldFiles>,
}

/// That content came in which may speak to the model for somebody else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outside {
    /// Where the first of it came from.
    pub(crate) from: String,
    /// The answers with a wider scope that were given before.
    pub(crate) earlier: BTreeSet<DecisionId>,
}

/// What was frozen or set when the session began.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Begun {
    pub(crate) session: SessionId,
    pub(crate) cwd: String,
    pub(crate) roots: Vec<String>,
    pub(crate) settings: Settings,
    pub(crate) prompt: Arc<FrozenPrompt>,
    pub(crate) prompt_bytes: u64,
}

impl Begun {
    /// Puts other settings in force. What its parent lets it have is not a setting of its own.
    pub(crate) fn set(&mut self, settings: &Settings) {
        let share = self.settings.limits.share;
        self.settings = settings.clone();
        self.settings.limits.share = share;
    }
}

impl From<&SessionStarted> for Begun {
    fn from(started: &SessionStarted) -> Self {
        Self {
            session: started.session,
            cwd: started.cwd.clone(),
            roots: started.roots.clone(),
            settings: started.settings.clone(),
            prompt: Arc::new(started.prompt.clone()),
            prompt_bytes: started.prompt.weight_bytes(),
        }
    }
}

impl State {
    /// The state before any event.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The session's id, once it has begun.
    #[must_use]
    pub fn session(&self) -> Option<SessionId> {
        self.begun.as_ref().map(|begun| begun.session)
    }

    /// The absolute folder it works in; empty before it has begun.
    #[must_use]
    pub fn cwd(&self) -> &str {
        self.begun.as_ref().map_or("", |begun| &begun.cwd)
    }

    /// The absolute folders it may work in.
    #[must_use]
    pub fn roots(&self) -> &[String] {
        self.begun.as_ref().map_or(&[], |begun| &begun.roots)
    }

    /// What is in force, once it has begun.
    #[must_use]
    pub fn settings(&self) -> Option<&Settings> {
        self.begun.as_ref().map(|begun| &begun.settings)
    }

    /// System text and tools, once it has begun.
    #[must_use]
    pub fn prompt(&self) -> Option<&Arc<FrozenPrompt>> {
        self.begun.as_ref().map(|begun| &begun.prompt)
    }

    /// The owner's epoch.
    #[must_use]
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The conversation: inputs and complete exchanges.
    #[must_use]
    pub fn history(&self) -> &[Arc<HistoryItem>] {
        &self.history
    }

    /// The running turn.
    #[must_use]
    pub const fn turn(&self) -> Option<&Turn> {
        self.turn.as_ref()
    }

    /// The step whose calls are not all answered.
    #[must_use]
    pub const fn step(&self) -> Option<&OpenStep> {
        self.step.as_ref()
    }

    /// The model call under way.
    #[must_use]
    pub const fn attempt(&self) -> Option<&OpenAttempt> {
        self.attempt.as_ref()
    }

    /// The last turn begun; 0 before the first.
    #[must_use]
    pub const fn last_turn(&self) -> TurnId {
        self.last_turn
    }

    /// How many steps the session has had.
    #[must_use]
    pub const fn steps(&self) -> u32 {
        self.last_step.0
    }

    /// Tokens and counts.
    #[must_use]
    pub const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// What is set aside: for the model call under way, and for children.
    #[must_use]
    pub fn reserved(&self) -> Amounts {
        let attempt = self.attempt.as_ref();
        let asked = attempt.map_or(Amounts::ZERO, |attempt| Amounts {
            steps: 1,
            ..attempt.reserved.worst()
        });
        asked.plus(&self.shared_out())
    }

    /// What is set aside for children.
    pub(crate) fn shared_out(&self) -> Amounts {
        let shares = self.shares.values();
        shares.fold(Amounts::ZERO, |sum, share| sum.plus(&share.amounts))
    }

    /// Children that budget is set aside for.
    #[must_use]
    pub const fn shares(&self) -> &BTreeMap<SessionId, Share> {
        &self.shares
    }

    /// Whether a person must say that it may go on: another put it on hold, or a provider reported
    /// what could not be.
    #[must_use]
    pub const fn is_held(&self) -> bool {
        self.paused_by.is_some() || self.overrun.is_some()
    }

    /// What is known of how the model counts.
    #[must_use]
    pub const fn gauge(&self) -> &Gauge {
        &self.gauge
    }

    /// What a provider reported that could not be, if it did and no person has said since that
    /// the session may go on.
    #[must_use]
    pub fn overrun(&self) -> Option<&str> {
        self.overrun.as_deref()
    }

    /// Prompts accepted but not yet shown to the model.
    #[must_use]
    pub fn queued(&self) -> &[Input] {
        &self.queue
    }

    /// The todo list.
    #[must_use]
    pub fn todo(&self) -> &[TodoItem] {
        &self.todo
    }

    /// Commands in the background by their handles, those whose end was told included.
    #[must_use]
    pub const fn jobs(&self) -> &Arc<BTreeMap<String, Job>> {
        &self.jobs
    }

    /// The content hash of each file as the model last saw or wrote it.
    #[must_use]
    pub const fn seen(&self) -> &Arc<BTreeMap<String, Digest>> {
        &self.seen
    }

    /// The earlier answer that covers a request with this digest.
    #[must_use]
    pub fn grant(&self, digest: &Digest) -> Option<DecisionId> {
        self.grants.get(digest).copied()
    }

    /// Where the first content came from that may speak to the model for somebody else; `None` while
    /// there is none.
    #[must_use]
    pub fn outside(&self) -> Option<&str> {
        self.outside.as_ref().map(|outside| outside.from.as_str())
    }

    /// Content in the session that rules keep to local models, as the rules were when it came in: the
    /// first of each rule.
    pub fn kept(&self) -> impl Iterator<Item = &Kept> {
        self.kept.values()
    }

    /// Every path that calls read by name, links resolved and as named.
    #[must_use]
    pub const fn reads(&self) -> &Arc<BTreeSet<String>> {
        &self.reads
    }

    /// The instruction files that the model was given.
    #[must_use]
    pub const fn told(&self) -> &Arc<ToldFiles> {
        &self.told
    }

    /// Whether an answer was given before content from outside came in: who gave it did not know
    /// of that.
    #[must_use]
    pub fn precedes_outside(&self, grant: DecisionId) -> bool {
        let outside = self.outside.as_ref();
        outside.is_some_and(|outside| outside.earlier.contains(&grant))
    }

    /// Whether the policy of this hash was recorded.
    #[must_use]
    pub fn has_policy(&self, hash: &Digest) -> bool {
        self.policies.contains(hash)
    }

    /// Calls whose outcome is unknown and not yet settled.
    #[must_use]
    pub fn in_doubt(&self) -> &[Doubt] {
        &self.in_doubt
    }

    /// Why the last turn ended, with a line for people.
    #[must_use]
    pub fn last_stop(&self) -> Option<(StopReason, Option<&str>)> {
        self.last_stop
            .as_ref()
            .map(|(stop, detail)| (*stop, detail.as_deref()))
    }

    /// What was said in closing when a cap ended the last turn.
    #[must_use]
    pub fn closing(&self) -> Option<&str> {
        self.closing.as_deref()
    }

    /// What the session cost in millionths of a US dollar; `None` where no price is known.
    #[must_use]
    pub fn cost_micro_usd(&self) -> Option<u64> {
        let cost = self.ledger.spent.cost_micro_usd;
        (self.price().is_some() || cost > 0).then_some(cost)
    }

    /// The last turn's answer as JSON, if it was to fit a schema and does.
    #[must_use]
    pub const fn answer(&self) -> Option<&Value> {
        self.answer.as_ref()
    }

    /// Events that fitted nowhere; always 0 in a journal that Bowline wrote.
    #[must_use]
    pub const fn misfits(&self) -> u32 {
        self.misfits
    }

    /// Whether a command with this key was accepted before.
    #[must_use]
    pub fn knows_key(&self, key: &str) -> bool {
        self.keys.contains(key)
    }

    /// The decision that covers a call of the open step.
    #[must_use]
    pub fn call(&self, call: CallId) -> Option<&CallState> {
        self.step
            .as_ref()?
            .calls
            .iter()
            .find(|state| state.call.id == call)
    }

    /// Open questions, in the order of their calls.
    pub fn waiting(&self) -> impl Iterator<Item = (&CallState, &Decision)> {
        self.step
            .iter()
            .flat_map(|step| &step.calls)
            .filter_map(|call| match &call.phase {
                CallPhase::Waiting(decision) => Some((call, decision.as_ref())),
                _ => None,
            })
    }

    /// The text of the last reply, if its exchange is complete.
    #[must_use]
    pub fn last_text(&self) -> Option<String> {
        self.history
            .iter()
            .rev()
            .find_map(|item| match item.as_ref() {
                HistoryItem::Exchange(exchange) => Some(exchange.message().text()),
                HistoryItem::Input(_) => None,
            })
    }

    /// Words of the conversation so far, those that wait to be shown included.
    pub fn inputs(&self) -> impl Iterator<Item = &Input> {
        let shown = self.history.iter().filter_map(|item| match item.as_ref() {
            HistoryItem::Input(input) => Some(input),
            HistoryItem::Exchange(_) => None,
        });
        shown.chain(&self.queue)
    }

    /// The images of the conversation so far, in order; one that was shown twice comes twice.
    pub fn images(&self) -> impl Iterator<Item = &ImageRef> {
        self.history
            .iter()
            .filter_map(|item| match item.as_ref() {
                HistoryItem::Input(input) => Some(&input.images),
                HistoryItem::Exchange(_) => None,
            })
            .flatten()
    }

    /// What the provider was sent last; `None` before the first request, and where that was not
    /// recorded yet.
    #[must_use]
    pub const fn sent(&self) -> Option<&Sent> {
        self.sent.as_ref()
    }

    /// How many pieces of the conversation only another model than `model` understands.
    #[must_use]
    pub fn foreign_blocks(&self, model: &ModelRef) -> u32 {
        let closed = self.history.iter().filter_map(|item| match item.as_ref() {
            HistoryItem::Exchange(exchange) => Some(exchange.message()),
            HistoryItem::Input(_) => None,
        });
        let open = self.step.iter().map(|step| &step.message);
        closed
            .chain(open)
            .map(|message| message.foreign(model))
            .sum()
    }
}

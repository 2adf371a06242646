//! The one loop that awaits acts.
//!
//! Each round: take what others ask, stage everything that is due and needs no waiting, commit
//! it as one batch, start what the receipts permit, then wait for the first thing to happen.

mod acts;
mod alarms;
mod compact;
mod nested;
mod prefix;
mod round;
mod shares;
mod spend;
mod waits;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use bowline_core::plan::Hashes;
use bowline_core::protocol::WaitingItem;
use bowline_core::state::{Party, Turn, Workflow};
use bowline_core::{AttemptId, CallId, Command, State, StopReason, StreamEvent};
use bowline_journal::Ledger;
use bowline_model::Provider;
use bowline_policy::Policy;
use bowline_secrets::Masker;
use bowline_tools::confine::Confiner;
use bowline_tools::{Shares, Toolbox};
use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, JoinSet};

use crate::alarms::{Alarms, Said, Watch};
use crate::face::Face;
use crate::judge::Planned;
use crate::session::Session;
use crate::{Error, Probe};
use acts::{Done, Live};
use shares::{Granting, Upstream};
use spend::Stopwatch;
use waits::Deadlines;

pub use waits::WhileWaiting;

/// What a session is driven with. None of it is state: it can be built anew after a crash.
#[derive(Clone)]
pub struct Harness {
    /// Whom to ask.
    pub provider: Arc<dyn Provider>,
    /// What can act.
    pub toolbox: Arc<Toolbox>,
    /// Who judges.
    pub policy: Arc<Policy>,
    /// How shell commands are confined in mode `auto`.
    pub confiner: Confiner,
    /// What is kept out of everything.
    pub masker: Arc<Masker>,
    /// The version of Bowline, for those who watch.
    pub app_version: String,
    /// Told of every step between two acts; does nothing outside crash tests.
    pub probe: Arc<dyn Probe>,
    /// What all sessions of the state folder spend and set aside; `None` where nobody else spends.
    pub ledger: Option<Ledger>,
    /// What is done when everything outstanding waits.
    pub while_waiting: WhileWaiting,
    /// Set by whoever wants the driver to rest instead of staying.
    pub leave: Arc<AtomicBool>,
    /// What is watched for, and what is done then; `None` where nobody wants alarms.
    pub alarms: Option<Alarms>,
}

/// How often the mailbox is looked at while acts run.
const MAILBOX_POLL: Duration = Duration::from_millis(500);

/// Where a driven session came to rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rest {
    /// The turn ended, or there was nothing to do.
    Ended(StopReason, Option<String>),
    /// Something waits for a person.
    Waiting(Vec<WaitingItem>),
    /// Something outside is waited for, and nothing for a person.
    Awaiting(Vec<Party>),
    /// A person put the session on hold.
    Paused(String),
    /// Nothing was outstanding.
    Idle,
}

/// Drives a session until it rests.
///
/// `commands` brings what the owner's own person asks meanwhile (cancel, prompts); the mailbox
/// brings what others ask.
///
/// # Errors
/// [`Error::Storage`] when an append failed: running acts were stopped, nothing undecided was
/// begun, and what was durable before is safe.
pub async fn drive(
    session: &mut Session,
    harness: &Harness,
    face: &mut dyn Face,
    commands: &mut mpsc::UnboundedReceiver<Command>,
) -> Result<Rest, Error> {
    let mut loops = Loop::new(session, harness, face);
    loops.watch_for_alarms();
    let rest = loops.run(commands).await;
    loops.look_back().await;
    loops.acts.abort_all();
    rest
}

/// As [`drive`], for a child session: what its share lacks it asks of its parent.
///
/// # Errors
/// As [`drive`].
pub(crate) async fn drive_on_share(
    session: &mut Session,
    harness: &Harness,
    face: &mut dyn Face,
    commands: &mut mpsc::UnboundedReceiver<Command>,
    parent: Arc<dyn Shares>,
) -> Result<Rest, Error> {
    let mut loops = Loop::new(session, harness, face);
    loops.upstream = Some(Upstream::new(parent));
    let rest = loops.run(commands).await;
    loops.acts.abort_all();
    rest
}

pub(crate) struct Loop<'a> {
    session: &'a mut Session,
    harness: &'a Harness,
    face: &'a mut dyn Face,
    acts: JoinSet<Done>,
    live: mpsc::UnboundedSender<Live>,
    live_in: mpsc::UnboundedReceiver<Live>,
    prepared: BTreeMap<CallId, Planned>,
    stops: BTreeMap<CallId, watch::Sender<bool>>,
    asking: Option<(AttemptId, AbortHandle)>,
    reconciling: BTreeSet<CallId>,
    /// The end of the pause before the next try of a model call, by the clock of spans.
    pause: Option<Duration>,
    /// When something that waits is worth a look, by the clock of spans.
    wake: Option<Duration>,
    deadlines: Deadlines,
    looks: BTreeMap<CallId, Duration>,
    /// What was last said to be waited for while the process stays.
    stays_for: Option<Rest>,
    stopping: bool,
    announced: bool,
    work: Stopwatch,
    /// Since when the next model call waits for what other sessions have set aside.
    waits_for_others: Option<Duration>,
    /// What was last said to hold the next model call up.
    throttled_by: Option<String>,
    /// What running calls ask for their children.
    granting: Granting,
    /// Whom a child asks for more.
    upstream: Option<Upstream>,
    /// Time at work that was not counted over all sessions yet.
    work_over_all: Stopwatch,
    /// The blocks of the last request.
    hashes: Hashes,
    /// Watches for alarms.
    watch: Option<Watch>,
    /// What alarms say once the session is durable.
    alarmed: Vec<Said>,
}

impl<'a> Loop<'a> {
    fn new(session: &'a mut Session, harness: &'a Harness, face: &'a mut dyn Face) -> Self {
        let (live, live_in) = mpsc::unbounded_channel();
        Self {
            session,
            harness,
            face,
            acts: JoinSet::new(),
            live,
            live_in,
            prepared: BTreeMap::new(),
            stops: BTreeMap::new(),
            asking: None,
            reconciling: BTreeSet::new(),
            pause: None,
            wake: None,
            deadlines: Deadlines::default(),
            looks: BTreeMap::new(),
            stays_for: None,
            stopping: false,
            announced: false,
            work: Stopwatch::default(),
            waits_for_others: None,
            throttled_by: None,
            granting: Granting::default(),
            upstream: None,
            work_over_all: Stopwatch::default(),
            hashes: Hashes::default(),
            watch: None,
            alarmed: Vec::new(),
        }
    }

    async fn run(
        &mut self,
        commands: &mut mpsc::UnboundedReceiver<Command>,
    ) -> Result<Rest, Error> {
        self.settle_left_over().await;
        self.stage_late_findings().await?;
        loop {
            while let Ok(command) = commands.try_recv() {
                // A refused command (nothing to cancel, key known) changes nothing.
                let _refused = self.session.give(command);
            }
            let letters = self.session.drain_mailbox()?;
            self.stage_time_out();
            self.stop_if_asked();
            self.stage_due().await?;
            if self.stage_waits().await? {
                self.stage_due().await?;
            }
            self.stage_shares();
            if self.session.has_staged() {
                self.commit_and_start().await?;
                self.granting.answer();
                for letter in letters {
                    letter.done()?;
                }
                continue;
            }
            for letter in letters {
                letter.done()?;
            }
            if self.acts.is_empty() && self.pause.is_none() {
                let rest = rest(self.session.state());
                if !self.stays(&rest) {
                    return Ok(rest);
                }
                self.show_waiting(rest);
            }
            self.wait(commands).await?;
        }
    }

    /// Waits for the first thing to happen: an act is done, a piece of a reply arrives, somebody
    /// asks for something, a pause is over.
    async fn wait(&mut self, commands: &mut mpsc::UnboundedReceiver<Command>) -> Result<(), Error> {
        let now = self.session.clock().elapsed();
        let mut pause = self.wake.map_or(MAILBOX_POLL, |wake| {
            wake.saturating_sub(now).min(MAILBOX_POLL)
        });
        // Time at work is the time that something is under way or paused for.
        let works = !self.acts.is_empty() || self.pause.is_some();
        if works && let Some(left) = self.time_left() {
            pause = pause.min(left);
        }
        let woken = self.wait_for_first(commands, pause).await;
        if works {
            let span = self.session.clock().elapsed().saturating_sub(now);
            self.work.add(span);
            self.work_over_all.add(span);
        }
        woken
    }

    async fn wait_for_first(
        &mut self,
        commands: &mut mpsc::UnboundedReceiver<Command>,
        pause: Duration,
    ) -> Result<(), Error> {
        tokio::select! {
            biased;
            Some(live) = self.live_in.recv() => self.show_live(live),
            Some(done) = self.acts.join_next(), if !self.acts.is_empty() => {
                while let Ok(live) = self.live_in.try_recv() {
                    self.show_live(live);
                }
                self.take(done).await?;
            }
            Some(command) = commands.recv() => {
                let _refused = self.session.give(command);
            }
            () = tokio::time::sleep(pause) => {}
        }
        Ok(())
    }

    fn show_live(&mut self, live: Live) {
        let event = match live {
            Live::Text(attempt_id, text) => StreamEvent::TextDelta { attempt_id, text },
            Live::Reasoning(attempt_id, text) => StreamEvent::ReasoningDelta { attempt_id, text },
            Live::Output(call_id, total_bytes) => StreamEvent::CallOutput {
                call_id,
                total_bytes,
            },
            Live::Share(asked) => return self.granting.take(asked, self.session.state()),
        };
        self.face.show(&event);
    }

    /// When it is recorded that the turn is to stop, running acts are told once.
    fn stop_if_asked(&mut self) {
        let turn = self.session.state().turn();
        let asked = turn.is_some_and(Turn::is_stopping);
        if !asked || std::mem::replace(&mut self.stopping, true) {
            return;
        }
        self.pause = None;
        for stop in self.stops.values() {
            let _gone = stop.send(true);
        }
        if let Some((_, handle)) = &self.asking {
            handle.abort();
        }
        if let Some(upstream) = &self.upstream {
            upstream.give_up();
        }
    }
}

/// Where the state rests when nothing is due or under way.
fn rest(state: &State) -> Rest {
    match state.workflow() {
        Workflow::AwaitingDecision { .. } => return Rest::Waiting(waiting(state)),
        Workflow::AwaitingParty { parties } => return Rest::Awaiting(parties),
        Workflow::Paused { by } => return Rest::Paused(by),
        Workflow::Running | Workflow::Ended { .. } => {}
    }
    match state.last_stop() {
        Some((stop, detail)) => Rest::Ended(stop, detail.map(str::to_owned)),
        None => Rest::Idle,
    }
}

/// The open questions of a session, as faces show them.
#[must_use]
pub fn waiting(state: &State) -> Vec<WaitingItem> {
    state
        .waiting()
        .map(|(open, decision)| WaitingItem {
            decision_id: decision.id,
            call_id: open.call.id,
            tool: open.call.name.clone(),
            essence: decision.essence.clone(),
            reason: decision.reason.clone(),
            question: decision.question().cloned(),
        })
        .collect()
}

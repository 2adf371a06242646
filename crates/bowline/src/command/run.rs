//! Runs one session in this process: opens it, drives it, tells how it came out.

#[cfg(feature = "crash-points")]
pub mod crash;
mod errand;
mod open;
#[cfg(all(debug_assertions, not(feature = "crash-points")))]
pub mod panic_point;
mod watch;

pub use errand::run_errand;
pub use open::{owner, split};

use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use bowline_core::command::Ask;
use bowline_core::event::SessionAdopted;
use bowline_core::protocol::RunResult;
use bowline_core::state::Party;
use bowline_core::{Command, Fact, RuleInForce, SessionId, Settings, StopReason, StreamEvent};
use bowline_journal::{Edges, Store};
use bowline_runtime::config::Effective;
use bowline_runtime::{
    Clock, Face, Harness, Image, Rest, RunLog, Session, Silent, Watched, WhileWaiting, keep, prompt,
};
use tokio::sync::mpsc;

use super::exec::Change;
use crate::args::Output;
use crate::face::{self, Asker};
use crate::failure::Failure;
use crate::places::Places;
use crate::terminal::{Interrupts, Terminal};

/// What to run.
pub struct Task<'a> {
    pub start: Start<'a>,
    pub prompt: Option<Prompt>,
    pub output: Output,
    /// Who asks a person what the session waits for.
    pub asker: Asker,
    /// Whether the process stays while something waits.
    pub stay: bool,
    /// Whether the prompt takes the place of what waits.
    pub supersede: bool,
}

/// What the agent is given to do.
pub struct Prompt {
    /// The words.
    pub text: String,
    /// Images that go with them.
    pub images: Vec<Image>,
    /// The files that they are from.
    pub image_files: Vec<PathBuf>,
    /// What the final answer must fit, a valid JSON Schema.
    pub output_schema: Option<serde_json::Value>,
}

impl Prompt {
    /// Words alone.
    pub const fn text(text: String) -> Self {
        Self {
            text,
            images: Vec::new(),
            image_files: Vec::new(),
            output_schema: None,
        }
    }
}

/// Where to begin.
pub enum Start<'a> {
    /// A new session, under this configuration.
    New {
        config: &'a Effective,
        settings: Settings,
        cwd: PathBuf,
        roots: Vec<PathBuf>,
    },
    /// An existing one: its record is in force, with this change.
    GoOn { session: SessionId, change: Change },
    /// One that came from elsewhere, under this configuration.
    TakeOn {
        config: &'a Effective,
        session: SessionId,
        adopted: SessionAdopted,
    },
}

/// A session that is run without being shown: `tools call`.
pub struct Quiet<'a> {
    pub config: &'a Effective,
    pub settings: Settings,
    pub cwd: PathBuf,
    pub roots: Vec<PathBuf>,
    pub rules: Vec<RuleInForce>,
    pub scenario: bowline_model::scenario::Scenario,
    pub prompt: String,
}

/// The version that is recorded and shown.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A store with the edges of this build.
pub fn store(places: &Places) -> Store {
    let edges = Edges {
        probe: super::probe(),
        #[cfg(feature = "crash-points")]
        salts: crash::salts(),
        ..Edges::default()
    };
    Store::at(&places.state).with_edges(edges)
}

/// Runs asynchronous work to its end on this thread.
pub fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::stopped(format!("cannot start: {error}")))?;
    let result = runtime.block_on(work);
    // A keeper outlives this process by design; nothing else may hold its end up.
    runtime.shutdown_background();
    result
}

/// The same for a run: should it break, that is its recorded end, and the exit code is 1.
fn run_on<T>(log: &RunLog, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    // Nothing of what `work` held is used after it broke: it is dropped on the way here.
    let work = AssertUnwindSafe(|| block_on(work));
    std::panic::catch_unwind(work).unwrap_or_else(|_broken| {
        watch::quit(log, 1, None, "it broke");
        Err(Failure::told())
    })
}

/// Runs a task to its rest and gives the exit code.
pub fn run(places: &Places, task: Task<'_>) -> Result<u8, Failure> {
    let began = Instant::now();
    let store = store(places);
    let clock = super::clock();
    let log = watch::log(&store, &clock);
    run_on(&log, async {
        let opener = open::Opener {
            places,
            store: &store,
            clock: &clock,
            log: &log,
        };
        let (mut session, mut harness) = match task.start {
            Start::New {
                config,
                settings,
                cwd,
                roots,
            } => opener.begin(open::New {
                config,
                settings,
                cwd,
                roots,
                rules: Vec::new(),
                scenario: None,
            })?,
            Start::GoOn { session, change } => opener.go_on(session, change).await?,
            Start::TakeOn {
                config,
                session,
                adopted,
            } => opener.take_on(session, config, adopted).await?,
        };
        let (mut face, outlet) = face::make(task.output, task.asker, session.state())?;
        harness.while_waiting = while_waiting(task.asker, task.stay);
        let supersede = task.supersede;
        prompt_or_outstanding(&mut session, &harness, task.prompt, supersede).await?;
        watch::begun(&log, &store, places, &session);
        let rest = drive(
            &mut session,
            &harness,
            face.as_mut(),
            &log,
            (task.asker, places),
        )
        .await;
        let rested = watch::rested(&log, &rest);
        let result = conclude(&session, rest, began);
        let code = result.exit_code;
        watch::ended(&log, rested, code);
        face.show(&StreamEvent::Result(result));
        index(&store, &session);
        // Whoever wants to go on with the session need not wait for a slow reader of this run.
        drop(session);
        face::settle(outlet).await;
        Ok(code)
    })
}

/// Runs one prompt to its rest without showing it; `tell` shows how it came out and gives the exit
/// code.
pub fn quietly(
    places: &Places,
    quiet: Quiet<'_>,
    tell: impl FnOnce(&Session, &Rest) -> u8,
) -> Result<u8, Failure> {
    let store = store(places);
    let clock = super::clock();
    let log = watch::log(&store, &clock);
    run_on(&log, async {
        let opener = open::Opener {
            places,
            store: &store,
            clock: &clock,
            log: &log,
        };
        let Quiet {
            config,
            settings,
            cwd,
            roots,
            rules,
            scenario,
            prompt,
        } = quiet;
        let new = open::New {
            config,
            settings,
            cwd,
            roots,
            rules,
            scenario: Some(scenario),
        };
        let (mut session, mut harness) = opener.begin(new)?;
        // One call by hand is no work that could be far from usual.
        harness.alarms = None;
        let prompt = Some(Prompt::text(prompt));
        prompt_or_outstanding(&mut session, &harness, prompt, false).await?;
        rest_and_tell(&opener, &mut session, &harness, &mut Silent, tell).await
    })
}

/// Drives a session to its rest where nobody answers, and gives the exit code that `tell` says.
async fn rest_and_tell(
    opener: &open::Opener<'_>,
    session: &mut Session,
    harness: &Harness,
    face: &mut dyn Face,
    tell: impl FnOnce(&Session, &Rest) -> u8,
) -> Result<u8, Failure> {
    let (log, store, places) = (opener.log, opener.store, opener.places);
    watch::begun(log, store, places, session);
    let rest = drive(session, harness, face, log, (Asker::Face, places)).await;
    let rested = watch::rested(log, &rest);
    let code = match &rest {
        Ok(rest) => tell(session, rest),
        Err(_) => rested.0.exit_code(),
    };
    watch::ended(log, rested, code);
    rest?;
    index(store, session);
    Ok(code)
}

/// Drives a session to its rest, recording on the way what matters to the installation.
async fn drive(
    session: &mut Session,
    harness: &Harness,
    face: &mut dyn Face,
    log: &Arc<RunLog>,
    (asker, places): (Asker, &Places),
) -> Result<Rest, bowline_runtime::Error> {
    let (sender, mut commands) = mpsc::unbounded_channel();
    let before = session.settings_found().cloned();
    let stay = Stay::new(harness);
    let mut face = Noticing { face, stay: &stay };
    let mut face = Watched::new(&mut face, log, before, session.state());
    if asker == Asker::Face {
        listen_for_interrupt(sender, session.clock(), log, stay.clone(), None);
        return bowline_runtime::drive(session, harness, &mut face, &mut commands).await;
    }
    let masker = Arc::clone(&harness.masker);
    let mut terminal = Terminal::open(sender.clone(), session.clock(), masker, places.clone());
    let interrupts = Some(terminal.interrupts());
    listen_for_interrupt(sender, session.clock(), log, stay.clone(), interrupts);
    terminal
        .drive(session, harness, &mut face, &mut commands)
        .await
}

/// What is done while everything waits. At the terminal a question must come back to be asked.
const fn while_waiting(asker: Asker, stay: bool) -> WhileWaiting {
    match (asker, stay) {
        (Asker::Terminal, _) => WhileWaiting::StayForParties,
        (Asker::Face, true) => WhileWaiting::Stay,
        (Asker::Face, false) => WhileWaiting::Rest,
    }
}

/// Whoever runs a session by hand lets it go on, if it was on hold.
fn let_go_on(session: &mut Session) -> Result<(), Failure> {
    let key = format!("continue-{}", session.clock().new_id());
    let by = "the command line".to_owned();
    session
        .give(Command {
            key,
            at_ms: None,
            ask: Ask::Continue { by },
        })
        .map_err(|refusal| Failure::usage(refusal.to_string()))
}

/// Gives the prompt to the session; without one there must be something outstanding.
async fn prompt_or_outstanding(
    session: &mut Session,
    harness: &Harness,
    prompt: Option<Prompt>,
    supersede: bool,
) -> Result<(), Failure> {
    // What a provider reported that could not be is looked at first: that is what `resume` says.
    let was_overrun = session.state().overrun().is_some() && prompt.is_none();
    if was_overrun || session.state().paused_by().is_some() {
        let_go_on(session)?;
    }
    let Some(prompt) = prompt else {
        return if was_overrun || session.has_something_to_do() {
            Ok(())
        } else {
            Err(Failure::usage(format!(
                "session {} has nothing outstanding: give it a prompt",
                session.id().short()
            )))
        };
    };
    for file in &prompt.image_files {
        let file = std::path::absolute(file)
            .map_err(|error| Failure::usage(format!("image {}: {error}", file.display())))?;
        let kept = keep::taking(&harness.policy, &file, &*harness.provider);
        session.keep_local(kept.map_err(Failure::usage)?);
    }
    let mut images = Vec::new();
    for image in prompt.images {
        images.push(session.keep_image(image).await?);
    }
    let text = harness.masker.mask(&prompt.text).text.into_owned();
    let key = format!("prompt-{}", session.clock().new_id());
    session
        .give(Command {
            key,
            at_ms: None,
            ask: Ask::Prompt {
                text: prompt::person(text),
                images,
                output_schema: prompt.output_schema,
                supersede,
            },
        })
        .map_err(|refusal| Failure::usage(refusal.to_string()))
}

/// Waits until somebody asks this process to stop; says how. A supervisor sends SIGTERM.
async fn asked_to_stop() -> std::io::Result<&'static str> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed.map(|()| "Ctrl-C"),
        _ = terminate.recv() => Ok("SIGTERM"),
    }
}

/// Whether the process stays only because something waits: then to interrupt it is to park it.
#[derive(Clone)]
struct Stay {
    is_on: Arc<AtomicBool>,
    leave: Arc<AtomicBool>,
}

impl Stay {
    fn new(harness: &Harness) -> Self {
        Self {
            is_on: Arc::default(),
            leave: Arc::clone(&harness.leave),
        }
    }

    /// Parks the session if it only waits; says whether it did.
    fn park(&self) -> bool {
        let is_on = self.is_on.swap(false, Ordering::SeqCst);
        if is_on {
            self.leave.store(true, Ordering::SeqCst);
        }
        is_on
    }
}

/// A face that notices when the process begins and ceases to stay.
struct Noticing<'a> {
    face: &'a mut dyn Face,
    stay: &'a Stay,
}

impl Face for Noticing<'_> {
    fn show(&mut self, event: &StreamEvent) {
        match event {
            StreamEvent::Waiting { .. } => self.stay.is_on.store(true, Ordering::SeqCst),
            // A look by the command of a wait changes nothing.
            StreamEvent::Event { event, .. }
                if !matches!(event.fact, Fact::CallStarted(_) | Fact::CallParked(_)) =>
            {
                self.stay.is_on.store(false, Ordering::SeqCst);
            }
            _ => {}
        }
        self.face.show(event);
    }
}

/// Ctrl-C or SIGTERM once asks the turn to stop, or parks it while it only waits or a question
/// stands at the terminal; twice ends the process. The journal is whole either way.
fn listen_for_interrupt(
    sender: mpsc::UnboundedSender<Command>,
    clock: &Clock,
    log: &Arc<RunLog>,
    stay: Stay,
    terminal: Option<Interrupts>,
) {
    let (clock, log) = (clock.clone(), Arc::clone(log));
    tokio::spawn(async move {
        let by = loop {
            let Ok(by) = asked_to_stop().await else {
                return;
            };
            if !stay.park() && !terminal.as_ref().is_some_and(Interrupts::park) {
                break by;
            }
        };
        crate::print::err_line("stopping the turn; press Ctrl-C again to quit at once");
        let key = format!("cancel-{}", clock.new_id());
        let _resting = sender.send(Command {
            key,
            at_ms: None,
            ask: Ask::Cancel { by: by.to_owned() },
        });
        if asked_to_stop().await.is_ok() {
            let code = StopReason::Cancelled.exit_code();
            watch::quit(&log, code, Some(StopReason::Cancelled), "quit at once");
            std::process::exit(i32::from(code));
        }
    });
}

fn conclude(
    session: &Session,
    rest: Result<Rest, bowline_runtime::Error>,
    began: Instant,
) -> RunResult {
    let state = session.state();
    let last_text = || {
        let answer = state.answer().map(ToString::to_string);
        answer.or_else(|| state.last_text()).unwrap_or_default()
    };
    let (stop_reason, result, waiting) = match rest {
        Ok(Rest::Ended(StopReason::Done, _) | Rest::Idle) => {
            (StopReason::Done, last_text(), Vec::new())
        }
        Ok(Rest::Ended(stop, detail)) => {
            let closing = state.closing().map(str::to_owned);
            let text = closing.or(detail).unwrap_or_else(last_text);
            (stop, text, Vec::new())
        }
        Ok(Rest::Waiting(waiting)) => {
            let what: Vec<&str> = waiting.iter().map(|item| item.essence.as_str()).collect();
            (
                StopReason::Waiting,
                format!("waits for a person: {}", what.join("; ")),
                waiting,
            )
        }
        Ok(Rest::Awaiting(parties)) => {
            let what: Vec<String> = parties.iter().map(Party::line).collect();
            let text = format!("waits for {}", what.join("; "));
            (StopReason::Waiting, text, Vec::new())
        }
        Ok(Rest::Paused(by)) => {
            let text = format!("on hold, by {by}");
            (StopReason::Waiting, text, Vec::new())
        }
        Err(error) => (StopReason::StorageFailed, error.to_string(), Vec::new()),
    };
    RunResult {
        session_id: session.id(),
        stop_reason,
        result,
        usage: state.ledger().usage,
        cost_micro_usd: state.cost_micro_usd(),
        exit_code: stop_reason.exit_code(),
        steps: state.steps(),
        refused_calls: state.ledger().calls_refused,
        duration_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        waiting,
        parties: state.parties().collect(),
        in_doubt: state.in_doubt().to_vec(),
        running: session.running_jobs(),
    }
}

/// Brings the derived index up to date. It can be rebuilt, so a failure is only mentioned.
fn index(store: &Store, session: &Session) {
    if let Err(error) = store.update_index(session.id(), session.state()) {
        crate::print::err_line(&format!(
            "bowline: the index is not up to date ({error}); listings still read the journals"
        ));
    }
}

//! Which model would be asked, and with `--online` whether it answers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bowline_core::command::Ask;
use bowline_core::event::SessionStarted;
use bowline_core::request::FrozenPrompt;
use bowline_core::{Command, Event, Fact, Limits, SessionId, Settings, StopReason, StreamEvent};
use bowline_journal::MemoryJournal;
use bowline_policy::Policy;
use bowline_runtime::config::Effective;
use bowline_runtime::{Clock, Places as SessionPlaces, Recorder, Rest, Session, drive, prompt};
use bowline_tools::Toolbox;
use bowline_tools::tool::NoBlobs;
use tokio::sync::mpsc;

use super::Check;
use crate::choose::{self, Chosen};
use crate::command::VERSION;
use crate::command::run::block_on;
use crate::endpoint;
use crate::failure::Failure;
use crate::places::Places;
use crate::wire;

/// How long a model may take to say one word.
const ANSWER_WAIT: Duration = Duration::from_secs(60);

/// Room for the one word, thoughts before it included.
const REPLY_TOKENS: u64 = 256;

const NAME: &str = "model";

/// What would be asked, and whether it answers.
pub(super) fn check(config: &Effective, places: &Places, online: bool) -> Vec<Check> {
    let fix = "export ANTHROPIC_API_KEY or OPENAI_API_KEY, start a local server, or set `model`; \
               `bowline demo` needs none";
    let chosen = match block_on(choose::model(config)) {
        Ok(chosen) => chosen,
        Err(failure) => {
            // The first sentence says what was looked for; the rest is the fix.
            let found = failure.message().split(". ").next().unwrap_or_default();
            return vec![Check::warning(NAME, found, fix)];
        }
    };
    let settings = match wire::settings(config, &chosen, places) {
        Ok(settings) => settings,
        Err(failure) => return vec![Check::problem(NAME, failure.message(), fix)],
    };
    let mut checks = vec![judge(&chosen, &settings, config, places)];
    if online {
        checks.push(ask(&settings, config, places));
    }
    checks
}

fn judge(chosen: &Chosen, settings: &Settings, config: &Effective, places: &Places) -> Check {
    let why = chosen.why.as_deref().unwrap_or("it is configured");
    let model = &settings.model;
    if model.provider() == "scripted" {
        return Check::ok(NAME, format!("{model} ({why})"));
    }
    let target = match endpoint::find(settings, config.endpoints(), places) {
        Ok(target) => target,
        Err(failure) => {
            return Check::problem(NAME, failure.message(), "mend `model` or the endpoint");
        }
    };
    let found = format!("{model} at {} ({why})", target.base_url);
    let source = target.key_source();
    match target.has_key(places) {
        Some(true) => Check::ok(NAME, format!("{found}, key from {source}")),
        None => Check::ok(NAME, format!("{found}, key from {source}, not run here")),
        Some(false) if target.wants_key() => Check::problem(
            NAME,
            format!("{found}, and there is no key"),
            format!("set {source}"),
        ),
        Some(false) => Check::ok(NAME, format!("{found}, without a key")),
    }
}

const ONLINE: &str = "online";

/// Asks for one word, in a session that lives in memory and is forgotten.
fn ask(settings: &Settings, config: &Effective, places: &Places) -> Check {
    let fix = "mend what it says, then run `bowline doctor --online` again";
    let asked = block_on(async {
        let asked = one_word(settings, config, places);
        tokio::time::timeout(ANSWER_WAIT, asked)
            .await
            .unwrap_or_else(|_| {
                let seconds = ANSWER_WAIT.as_secs();
                Err(Failure::stopped(format!("no answer within {seconds} s")))
            })
    });
    match asked {
        Ok(found) => Check::ok(ONLINE, found),
        Err(failure) => Check::problem(ONLINE, failure.message(), fix),
    }
}

async fn one_word(
    settings: &Settings,
    config: &Effective,
    places: &Places,
) -> Result<String, Failure> {
    let clock = Clock::system();
    let provider = wire::provider(settings, config.endpoints(), places, &clock)?;
    let policy = Policy::new(settings.mode, Vec::new());
    let toolbox = Toolbox::new(Vec::new()).map_err(|error| Failure::stopped(error.to_string()))?;
    // Counted over all sessions like any other call, where anything was ever counted.
    let store = crate::command::run::store(places);
    let ledger = store.home().exists().then(|| store.ledger());
    let harness = wire::harness(provider, toolbox, policy, ledger);
    let id = SessionId::from_uuid(clock.new_id());
    let started = SessionStarted {
        session: id,
        app_version: VERSION.to_owned(),
        cwd: "/".to_owned(),
        roots: Vec::new(),
        settings: Settings {
            limits: Limits {
                max_steps: 1,
                max_output_tokens: Some(REPLY_TOKENS),
                ..Limits::default()
            },
            ..settings.clone()
        },
        prompt: FrozenPrompt {
            system: "You are asked whether you can be reached.".to_owned(),
            tools: Vec::new(),
        },
    };
    // Nothing is stored: there are no tools, so no body is ever written.
    let nowhere = std::env::temp_dir();
    let session_places = SessionPlaces {
        spool: nowhere.clone(),
        mailbox: None,
        blobs: Arc::new(NoBlobs),
    };
    let journal = Box::new(MemoryJournal::new(id, nowhere));
    let mut session = Session::begin(journal, session_places, clock, started);
    session
        .give(Command {
            key: "doctor".to_owned(),
            at_ms: None,
            ask: Ask::Prompt {
                text: prompt::person("Answer with the one word: ok".to_owned()),
                images: Vec::new(),
                output_schema: None,
                supersede: false,
            },
        })
        .map_err(|refusal| Failure::stopped(refusal.to_string()))?;
    let mut face = Recorder::default();
    let (_keep, mut commands) = mpsc::unbounded_channel();
    let began = Instant::now();
    let rest = drive(&mut session, &harness, &mut face, &mut commands).await?;
    let ms = began.elapsed().as_millis();
    match rest {
        Rest::Ended(StopReason::Done | StopReason::Length, _) => Ok(format!(
            "{} answered in {ms} ms, {}",
            settings.model,
            used(&face)
        )),
        Rest::Ended(_, Some(why)) => Err(Failure::stopped(why)),
        _ => Err(Failure::stopped("no answer came")),
    }
}

/// The tokens that the answer took, as the provider counted them.
fn used(face: &Recorder) -> String {
    let replied = face.events.iter().find_map(|event| match event {
        StreamEvent::Event { event, .. } => match event.as_ref() {
            Event {
                fact: Fact::ModelReplied(replied),
                ..
            } => Some(replied),
            _ => None,
        },
        _ => None,
    });
    match replied.and_then(|replied| replied.usage) {
        Some(usage) => format!(
            "{} tokens in, {} out",
            usage.input_tokens, usage.output_tokens
        ),
        None => "and did not say what it used".to_owned(),
    }
}

//! Opens a session, new or existing, with everything it is driven with.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bowline_core::decision::Layer;
use bowline_core::event::{SessionAdopted, SessionStarted};
use bowline_core::{ContextText, ModelPlace, RuleInForce, SessionId, Settings, State};
use bowline_journal::{OwnedSession, Owner, Store};
use bowline_model::scenario::Scenario;
use bowline_runtime::config::{Effective, ProjectTrust};
use bowline_runtime::instructions::{self, Instructions, LeftOut};
use bowline_runtime::prompt::{self, Surroundings};
use bowline_runtime::{Clock, Harness, Places as SessionPlaces, RunLog, Session, keep};
use bowline_tools::Toolbox;

use super::VERSION;
use crate::args::Force;
use crate::command::exec::Change;
use crate::face::BlobFolder;
use crate::failure::Failure;
use crate::places::Places;
use crate::wire;
use crate::wire::in_force::{self, GoingOn};

/// Everything opening needs.
pub struct Opener<'a> {
    pub places: &'a Places,
    pub store: &'a Store,
    pub clock: &'a Clock,
    pub log: &'a Arc<RunLog>,
}

/// A session to begin.
pub struct New<'a> {
    pub config: &'a Effective,
    pub settings: Settings,
    pub cwd: PathBuf,
    pub roots: Vec<PathBuf>,
    /// Rules given by hand, beside those of the configuration.
    pub rules: Vec<RuleInForce>,
    pub scenario: Option<Scenario>,
}

impl Opener<'_> {
    /// Begins a new session. Nothing is created before everything else was found to be in order.
    pub fn begin(&self, new: New<'_>) -> Result<(Session, Harness), Failure> {
        let New {
            config,
            mut settings,
            cwd,
            roots,
            rules,
            scenario,
        } = new;
        let mut provider = match scenario {
            Some(scenario) => (wire::play(scenario, self.clock), Vec::new()),
            None => {
                let endpoints = config.endpoints();
                wire::provider(&settings, endpoints, self.places, self.clock)?
            }
        };
        if let Some(line) = crate::project::line(&config.project)
            && config.project.trust == ProjectTrust::Untrusted
        {
            crate::print::err_line(&crate::print::visible(&format!("bowline: {line}")));
        }
        let configured = in_force::configured(config, self.places, &settings.model, rules);
        let policy = wire::policy(&configured, settings.mode, &roots)?;
        let toolbox = wire::toolbox(&configured, &policy, &*provider.0)?;
        let configured = in_force::recordable(configured, &provider.1, self.places);
        settings.configured = Some(Box::new(configured));
        let ledger = Some(self.store.ledger());
        wire::with_known(&mut provider, config)?;
        let mut harness = wire::harness(provider, toolbox, policy, ledger);
        harness.alarms = wire::alarms(config, self.store)?;
        let session = SessionId::from_uuid(self.clock.new_id());
        let owned = self
            .store
            .create(session, &owner(self.clock))
            .inspect_err(|error| self.log.could_not_open(None, error))?;
        wire::key_masker(&mut harness, owned.mask_key);
        let append = config.text("system_append");
        let surroundings = surroundings(
            &cwd,
            roots.iter().skip(1).map(|root| text(root)).collect(),
            bowline_runtime::today(self.clock),
            append.map(|text| harness.masker.mask(text).text.into_owned()),
        );
        let started = SessionStarted {
            session,
            app_version: VERSION.to_owned(),
            cwd: text(&cwd),
            roots: roots.iter().map(|root| text(root)).collect(),
            settings,
            prompt: prompt::freeze(&surroundings, harness.toolbox.specs().list()),
        };
        let (journal, session_places) = split(self.store, owned)?;
        let mut session = Session::begin(journal, session_places, self.clock.clone(), started);
        note_instructions(
            &mut session,
            &harness,
            &instructions::gather(Some(&self.places.config), &cwd),
        );
        Ok((session, harness))
    }

    /// Opens an existing session and takes it over.
    pub async fn go_on(
        &self,
        id: SessionId,
        change: Change,
    ) -> Result<(Session, Harness), Failure> {
        if self.store.is_imported(id) {
            return Err(Failure::usage(format!(
                "session {0} came from elsewhere and nobody has taken it on yet: `bowline exec \
                 --resume {0}` does, with this machine's configuration",
                id.short()
            )));
        }
        let session = self.open(id).await?;
        self.as_recorded(session, change)
    }

    /// Takes on a session from elsewhere, and takes it over.
    pub async fn take_on(
        &self,
        id: SessionId,
        config: &Effective,
        adopted: SessionAdopted,
    ) -> Result<(Session, Harness), Failure> {
        let mut session = self.open(id).await?;
        self.adopt(&mut session, config, adopted).await?;
        self.as_recorded(session, Change::default())
    }

    async fn open(&self, id: SessionId) -> Result<Session, Failure> {
        let owned = self
            .store
            .open(id, &owner(self.clock))
            .inspect_err(|error| self.log.could_not_open(Some(id), error))?;
        if owned.opened.dropped_bytes > 0 {
            crate::print::err_line(&format!(
                "bowline: session {}: {} bytes at the end of its journal were never acknowledged \
                 and are dropped",
                id.short(),
                owned.opened.dropped_bytes
            ));
        }
        let opened = owned.opened.clone();
        let (journal, session_places) = split(self.store, owned)?;
        let session = Session::open(journal, session_places, self.clock.clone(), VERSION).await?;
        self.log.opened(&session, &opened);
        Ok(session)
    }

    /// Builds what an open session is driven with: its record is in force, with this change.
    fn as_recorded(
        &self,
        mut session: Session,
        change: Change,
    ) -> Result<(Session, Harness), Failure> {
        let id = session.id();
        let cwd = PathBuf::from(session.state().cwd());
        let is_reconfigured = change.is_reconfigured();
        let force = Force {
            trust_project: change.trust_project.clone(),
            ..Force::default()
        };
        let config = wire::configure(self.places, &cwd, &force)?;
        must_take_on(session.state(), &change, &config)?;
        let going_on = in_force::going_on(session.state(), change, &config, self.places)?
            .ok_or_else(|| Failure::stopped("the session has no settings"))?;
        let GoingOn {
            mut settings,
            here,
            endpoints,
            by,
            told,
        } = going_on;
        let mut provider = wire::provider(&settings, &endpoints, self.places, self.clock)?;
        if let Some(configured) = settings.configured.take() {
            let configured = in_force::recordable(*configured, &provider.1, self.places);
            settings.configured = Some(Box::new(configured));
        }
        let roots: Vec<PathBuf> = session.state().roots().iter().map(PathBuf::from).collect();
        let policy = wire::policy(&here, settings.mode, &roots)?;
        let toolbox = wire::toolbox(&here, &policy, &*provider.0)?;
        let before = session.state().settings();
        if before.map(ModelPlace::of) != Some(ModelPlace::of(&settings))
            && let Some(why) = keep::withheld(&policy, session.state(), &*provider.0)
        {
            return Err(Failure::usage(format!("session {} was {why}", id.short())));
        }
        if session.state().settings() != Some(&settings) {
            session
                .change_settings(settings, by)
                .map_err(|refusal| Failure::usage(refusal.to_string()))?;
        }
        for line in told.into_iter().chain(gone(session.state(), &toolbox)) {
            let line = format!("bowline: session {}: {line}", id.short());
            crate::print::err_line(&crate::print::clean(&line));
        }
        let ledger = Some(self.store.ledger());
        wire::with_known(&mut provider, &config)?;
        let mut harness = wire::harness(provider, toolbox, policy, ledger);
        harness.alarms = wire::alarms(&config, self.store)?;
        if let Some(key) = self.store.mask_key(id) {
            wire::key_masker(&mut harness, key);
        }
        if is_reconfigured {
            self.freeze_anew(&mut session, &harness, &config);
        }
        Ok((session, harness))
    }

    /// Puts the tools and the system text of now in the place of those that were frozen, if they are
    /// others. The date stays: another one is told in a notice, which costs nothing.
    fn freeze_anew(&self, session: &mut Session, harness: &Harness, config: &Effective) {
        let state = session.state();
        let Some(frozen) = state.prompt() else {
            return;
        };
        let told = prompt::told_last(&frozen.system);
        let date = told.map(|(date, _)| date.to_owned());
        // As it was found: by now it says what the files say.
        let found = session.settings_found();
        let configured = found.and_then(|one| one.configured.as_deref());
        let origin = configured.and_then(|one| one.origins.get("system_append"));
        // Words of the command line are in no file: they stay unless others take their place.
        let by_hand = origin.is_some_and(|origin| origin.layer == Layer::CommandLine);
        let kept = told.and_then(|(_, words)| words).filter(|_| by_hand);
        let words = config.text("system_append");
        let words = words.map(|text| harness.masker.mask(text).text.into_owned());
        let surroundings = surroundings(
            Path::new(state.cwd()),
            state.roots().iter().skip(1).cloned().collect(),
            date.unwrap_or_else(|| bowline_runtime::today(self.clock)),
            words.or_else(|| kept.map(str::to_owned)),
        );
        let now = prompt::freeze(&surroundings, harness.toolbox.specs().list());
        let found = session.change_prompt(now, "--reconfigure");
        let named: Vec<String> = found
            .iter()
            .map(|one| format!("{} ({})", one.block, one.field))
            .collect();
        if !named.is_empty() {
            let line = format!(
                "bowline: session {}: no longer what it began with: {}; what the provider cached of \
                 the session is read anew",
                session.id().short(),
                named.join(", ")
            );
            crate::print::err_line(&crate::print::clean(&line));
        }
    }

    /// Makes void what a session from elsewhere said of this machine, before anything of it is
    /// driven.
    async fn adopt(
        &self,
        session: &mut Session,
        config: &Effective,
        mut adopted: SessionAdopted,
    ) -> Result<(), Failure> {
        let settings = &mut adopted.settings;
        let endpoints = config.endpoints();
        // Found first: without a model that can be asked, it stays as it came.
        let provider = wire::provider(settings, endpoints, self.places, self.clock)?;
        let configured = in_force::configured(config, self.places, &settings.model, Vec::new());
        let configured = in_force::recordable(configured, &provider.1, self.places);
        settings.configured = Some(Box::new(configured));
        let before = session.state().cwd().to_owned();
        let gone = match Path::new(&before).is_dir() {
            true => "",
            false => ", which is not here",
        };
        let Settings { model, mode, .. } = &adopted.settings;
        let line = format!(
            "bowline: session {} came from elsewhere: it goes on in {} (it worked in {before}{gone}), \
             with {model} in mode {mode}; what was granted there is asked again",
            session.id().short(),
            adopted.cwd,
        );
        session.adopt(adopted).await?;
        self.store.taken_on(session.id())?;
        crate::print::err_line(&crate::print::clean(&line));
        Ok(())
    }
}

/// Gives the model the instruction files, masked, each with its origin; and says what it does not get.
fn note_instructions(session: &mut Session, harness: &Harness, found: &Instructions) {
    let mask = |text: &str| harness.masker.mask(text).text.into_owned();
    for file in &found.files {
        match keep::taking(&harness.policy, &file.path, &*harness.provider) {
            Ok(kept) => {
                session.keep_local(kept);
                session.note(file.admit(mask(&file.text)));
            }
            Err(why) => {
                crate::print::err_line(&crate::print::visible(&format!("bowline: {why}")));
            }
        }
    }
    if found.left_out.is_empty() {
        return;
    }
    let lines: Vec<String> = found.left_out.iter().map(LeftOut::line).collect();
    let told = instructions::told_left_out(&lines);
    session.note(ContextText::notice(mask(&told)));
}

/// Refuses a trust that would have no effect: a session keeps what it began with.
fn must_take_on(state: &State, change: &Change, config: &Effective) -> Result<(), Failure> {
    let in_force = state.settings().and_then(|one| one.configured.as_deref());
    let is_in_force = in_force.is_some_and(|one| one.trust == Some(config.project.state()));
    if change.trust_project.is_none() || change.is_reconfigured() || is_in_force {
        return Ok(());
    }
    Err(Failure::usage(
        "--trust-project changes nothing in a session that began otherwise: give --reconfigure too",
    ))
}

/// The tools that were frozen when the session began and that this version has no more.
fn gone(state: &State, toolbox: &Toolbox) -> Option<String> {
    let frozen = state.prompt().map_or(&[][..], |prompt| &prompt.tools);
    let names = frozen.iter().map(|tool| tool.name.as_str());
    let gone: Vec<&str> = names.filter(|name| toolbox.get(name).is_err()).collect();
    (!gone.is_empty()).then(|| {
        format!(
            "this version no longer has tools that it began with: {}; the model is told when it \
             calls one",
            gone.join(", ")
        )
    })
}

/// What the system text says of a folder on this machine.
fn surroundings(
    cwd: &Path,
    added: Vec<String>,
    date: String,
    append: Option<String>,
) -> Surroundings {
    Surroundings {
        cwd: text(cwd),
        added,
        os: std::env::consts::OS.to_owned(),
        date,
        in_git: cwd.ancestors().any(|folder| folder.join(".git").exists()),
        append,
    }
}

/// The journal of an owned session, and where else it keeps things.
pub fn split(
    store: &Store,
    owned: OwnedSession,
) -> Result<(Box<dyn bowline_journal::Journal>, SessionPlaces), Failure> {
    let OwnedSession { journal, dir, .. } = owned;
    let reader = store.read_only(bowline_journal::Journal::session(&journal))?;
    let places = SessionPlaces {
        spool: dir.spool(),
        mailbox: Some(dir.mailbox()),
        blobs: Arc::new(BlobFolder::new(reader)),
    };
    Ok((Box::new(journal), places))
}

/// This process as the owner of a session, for messages to others.
pub fn owner(clock: &Clock) -> Owner {
    Owner {
        pid: std::process::id(),
        since_ms: clock.now_ms(),
        app_version: VERSION.to_owned(),
        // The parser has accepted it, and nothing can stand before it.
        command: std::env::args().nth(1).unwrap_or_default(),
        terminal: terminal().unwrap_or_default(),
    }
}

/// The terminal that this process runs on, if it runs on one.
fn terminal() -> Option<String> {
    use std::io::IsTerminal as _;
    let path = if std::io::stdin().is_terminal() {
        "/proc/self/fd/0"
    } else if std::io::stderr().is_terminal() {
        "/proc/self/fd/2"
    } else {
        return None;
    };
    Some(std::fs::read_link(path).ok()?.display().to_string())
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

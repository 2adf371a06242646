//! One session in the hands of its owner: journal, state, and the batch being staged.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bowline_core::event::{
    NoticeAdded, OwnerChanged, PromptChanged, SessionAdopted, SessionStarted,
};
use bowline_core::plan::{Difference, differences};
use bowline_core::protocol::RunningJob;
use bowline_core::request::FrozenPrompt;
use bowline_core::{
    Command, Committed, ContextText, Digest, Event, Fact, ImageRef, Job, Refusal, Seq, SessionId,
    Settings, State, accept, apply,
};
use bowline_journal::{Journal, mailbox};
use bowline_tools::keeper::recover;
use bowline_tools::tool::Blobs;

use crate::{Clock, Error};

/// A session that this process owns.
///
/// Facts are staged (folded into the state at once) and then committed as one batch. Nothing may
/// be acted upon or told to anyone before the commit has given its receipts; when a
/// commit fails the session is over for this process.
pub struct Session {
    journal: Box<dyn Journal>,
    state: State,
    batch: Vec<Event>,
    clock: Clock,
    places: Places,
    resumed: bool,
    images: Arc<BTreeMap<Digest, Vec<u8>>>,
    settings_found: Option<Settings>,
}

/// An image on its way into a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Its media type, such as `image/png`.
    pub media_type: String,
}

/// Where a session keeps what is not in its journal.
#[derive(Clone)]
pub struct Places {
    /// Keeper records, one folder an attempt.
    pub spool: PathBuf,
    /// Commands from others; `None` for a session nobody else can reach.
    pub mailbox: Option<PathBuf>,
    /// Large bodies.
    pub blobs: Arc<dyn Blobs>,
}

impl Session {
    /// Begins a new session in an empty journal. Its first facts become durable with its first
    /// batch, before anything is done.
    #[must_use]
    pub fn begin(
        journal: Box<dyn Journal>,
        places: Places,
        clock: Clock,
        started: SessionStarted,
    ) -> Self {
        let mut session = Self {
            journal,
            state: State::new(),
            batch: Vec::new(),
            clock,
            places,
            resumed: false,
            images: Arc::default(),
            settings_found: None,
        };
        session.take_over(&started.app_version);
        session.stage(Fact::SessionStarted(Box::new(started)));
        session
    }

    /// Opens an existing session: reads its journal, folds it, and takes it over.
    ///
    /// # Errors
    /// [`Error::Storage`] when the journal cannot be read, [`Error::NotBegun`] when it is empty.
    pub async fn open(
        journal: Box<dyn Journal>,
        places: Places,
        clock: Clock,
        app_version: &str,
    ) -> Result<Self, Error> {
        let state = journal.fold().await?;
        if state.session().is_none() {
            return Err(Error::NotBegun {
                session: journal.session().to_string(),
            });
        }
        let settings_found = state.settings().cloned();
        let mut session = Self {
            journal,
            state,
            batch: Vec::new(),
            clock,
            places,
            resumed: true,
            images: Arc::default(),
            settings_found,
        };
        session.take_over(app_version);
        Ok(session)
    }

    fn take_over(&mut self, app_version: &str) {
        let epoch = self.state.epoch().next();
        self.stage(Fact::OwnerChanged(OwnerChanged {
            epoch,
            pid: std::process::id(),
            app_version: app_version.to_owned(),
        }));
    }

    /// The session's id.
    #[must_use]
    pub fn id(&self) -> SessionId {
        self.journal.session()
    }

    /// What it is right now, staged facts included.
    #[must_use]
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// Makes what is staged durable and does nothing more: who only takes a session over has this
    /// to do.
    ///
    /// # Errors
    /// [`Error::Storage`] when it cannot be written.
    pub async fn keep(&mut self) -> Result<(), Error> {
        self.commit().await.map(drop)
    }

    /// Whether it existed before this process.
    #[must_use]
    pub const fn resumed(&self) -> bool {
        self.resumed
    }

    /// What was in force when an existing session was opened.
    #[must_use]
    pub const fn settings_found(&self) -> Option<&Settings> {
        self.settings_found.as_ref()
    }

    /// The time by this session's clock.
    #[must_use]
    pub const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The last durable place.
    #[must_use]
    pub fn last_seq(&self) -> Seq {
        self.journal.head().0
    }

    pub(crate) const fn places(&self) -> &Places {
        &self.places
    }

    pub(crate) fn journal_mut(&mut self) -> &mut dyn Journal {
        self.journal.as_mut()
    }

    pub(crate) fn spool_for(&self, name: &str) -> PathBuf {
        self.places.spool.join(name)
    }

    /// Gives a command to the session; its facts are staged.
    ///
    /// # Errors
    /// [`Refusal`] says why nothing happens.
    pub fn give(&mut self, mut command: Command) -> Result<(), Refusal> {
        command.at_ms = command.at_ms.or_else(|| Some(self.clock.now_ms()));
        for fact in accept(&self.state, command)? {
            self.stage(fact);
        }
        Ok(())
    }

    /// Stores an image so that a prompt can name it; durable on return.
    ///
    /// # Errors
    /// [`Error::Storage`] when it cannot be written.
    pub async fn keep_image(&mut self, image: Image) -> Result<ImageRef, Error> {
        let Image { bytes, media_type } = image;
        let blob = self.journal.put_blob(bytes.clone()).await?;
        Arc::make_mut(&mut self.images).insert(blob.digest, bytes);
        Ok(ImageRef { blob, media_type })
    }

    /// The bytes of every image of the conversation, read once. One that is missing or was changed
    /// is left out.
    pub(crate) fn images(&mut self) -> Arc<BTreeMap<Digest, Vec<u8>>> {
        let missing: Vec<Digest> = self
            .state
            .images()
            .map(|image| image.blob.digest)
            .filter(|digest| !self.images.contains_key(digest))
            .collect();
        for digest in missing {
            let found = self.journal.find_blob(&digest.to_hex()).ok().flatten();
            let bytes = found.and_then(|(path, _)| std::fs::read(path).ok());
            if let Some(bytes) = bytes.filter(|bytes| Digest::of(bytes) == digest) {
                Arc::make_mut(&mut self.images).insert(digest, bytes);
            }
        }
        Arc::clone(&self.images)
    }

    /// Adds words that are not a person's: a notice, or the project's instructions.
    pub fn note(&mut self, text: ContextText) {
        self.stage(Fact::NoticeAdded(NoticeAdded { text }));
    }

    /// Puts other settings in force and tells the model what changed for it.
    ///
    /// # Errors
    /// [`Refusal`] says why nothing happens.
    pub fn change_settings(&mut self, settings: Settings, by: &str) -> Result<(), Refusal> {
        let before = self.state.settings().cloned();
        let mode = settings.mode;
        let key = format!("settings-{}", self.clock.new_id());
        self.give(Command {
            key,
            at_ms: None,
            ask: bowline_core::command::Ask::Change {
                settings: Box::new(settings),
                by: by.to_owned(),
            },
        })?;
        if before.is_some_and(|before| before.mode != mode) {
            self.stage(Fact::notice(format!(
                "The permission mode is now `{mode}`."
            )));
        }
        Ok(())
    }

    /// Puts other tools and another system text in the place of those that were frozen, if they
    /// differ; gives in what. The next request reads the whole conversation anew.
    pub fn change_prompt(&mut self, prompt: FrozenPrompt, by: &str) -> Vec<Difference> {
        let frozen = self.state.prompt();
        let found = frozen.map_or_else(Vec::new, |frozen| differences(frozen, &prompt));
        if let Some(first) = found.first() {
            let more = match found.len() - 1 {
                0 => String::new(),
                more => format!(", and {more} more"),
            };
            let why = format!("{} ({}) differs{more}", first.block, first.field);
            self.stage(Fact::PromptChanged(Box::new(PromptChanged {
                prompt,
                why,
                by: by.to_owned(),
            })));
        }
        found
    }

    /// Takes on a session that came from elsewhere; durable on return. Until then it must not be
    /// driven: it says itself what it may do.
    ///
    /// # Errors
    /// [`Error::Storage`] when it cannot be written.
    pub async fn adopt(&mut self, adopted: SessionAdopted) -> Result<(), Error> {
        for fact in bowline_core::engine::adopt(&self.state, adopted) {
            self.stage(fact);
        }
        self.keep().await
    }

    /// Folds a fact into the state and adds it to the batch.
    pub(crate) fn stage(&mut self, fact: Fact) {
        let event = Event::new(self.clock.now_ms(), fact);
        self.state = apply(std::mem::take(&mut self.state), &event);
        self.batch.push(event);
    }

    /// Whether driving it now would do or await anything: work that is due, or commands that
    /// others left. Facts of a take-over alone are nothing to do.
    #[must_use]
    pub fn has_something_to_do(&self) -> bool {
        !bowline_core::due(&self.state).is_empty() || self.has_letters()
    }

    /// Whether others left commands that were not taken yet.
    #[must_use]
    pub fn has_letters(&self) -> bool {
        let letters = self.places.mailbox.as_deref().map(mailbox::is_empty);
        matches!(letters, Some(Ok(false)))
    }

    /// The commands that run in the background.
    #[must_use]
    pub fn running_jobs(&self) -> Vec<RunningJob> {
        running_jobs(&self.state, &self.places.spool)
    }

    pub(crate) const fn has_staged(&self) -> bool {
        !self.batch.is_empty()
    }

    #[cfg(feature = "broken-ack-before-append")]
    pub(crate) fn staged(&self) -> &[Event] {
        &self.batch
    }

    /// Makes everything staged durable and returns the receipts.
    pub(crate) async fn commit(&mut self) -> Result<Vec<Committed<Event>>, Error> {
        let batch = std::mem::take(&mut self.batch);
        Ok(self.journal.append(self.state.epoch(), batch).await?)
    }

    /// Takes what others left in the mailbox. Each command is staged; its file is removed by the
    /// returned entries once the batch is durable. A command that is refused is removed too: its
    /// sender reads the outcome from the journal.
    pub(crate) fn drain_mailbox(&mut self) -> Result<Vec<mailbox::Entry>, Error> {
        let Some(folder) = &self.places.mailbox else {
            return Ok(Vec::new());
        };
        let mut entries = Vec::new();
        for (entry, command) in mailbox::drain(folder)?.commands {
            // A refusal is not an error: the question was answered or the key is known.
            let _refused = self.give(command);
            entries.push(entry);
        }
        Ok(entries)
    }
}

/// The commands of a session that run in the background, by the records in its spool folder.
#[must_use]
pub fn running_jobs(state: &State, spool: &Path) -> Vec<RunningJob> {
    let is_running = |job: &Job| {
        job.ended.is_none() && recover::look(&spool.join(&job.spool)) == recover::Look::Running
    };
    let jobs = state.jobs().iter().filter(|(_, job)| is_running(job));
    jobs.map(|(handle, job)| RunningJob {
        job: handle.clone(),
        command: job.command.clone(),
    })
    .collect()
}

/// Resolves the working folder and its roots: absolute, links followed.
///
/// # Errors
/// [`Error::Folder`] when one of them is missing or not a folder.
pub fn resolve_folders(cwd: &Path, added: &[PathBuf]) -> Result<(PathBuf, Vec<PathBuf>), Error> {
    let resolve = |path: &Path| {
        let real = path.canonicalize().map_err(|error| Error::Folder {
            path: path.to_owned(),
            why: error.to_string(),
        })?;
        if real.is_dir() {
            Ok(real)
        } else {
            Err(Error::Folder {
                path: path.to_owned(),
                why: "it is not a folder".to_owned(),
            })
        }
    };
    let cwd = resolve(cwd)?;
    let mut roots = vec![cwd.clone()];
    for path in added {
        let root = resolve(path)?;
        if !roots.contains(&root) {
            roots.push(root);
        }
    }
    Ok((cwd, roots))
}

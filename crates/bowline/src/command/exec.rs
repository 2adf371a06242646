//! `bowline exec`: gives the agent a task and drives the session until it rests.

use std::io::{IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};

use bowline_core::context::caps;
use bowline_core::decision::Layer;
use bowline_core::event::SessionAdopted;
use bowline_core::{Configured, Limits, SessionId, Settings};
use bowline_journal::Store;
use bowline_runtime::config::Effective;
use bowline_runtime::resolve_folders;

use super::answer::refuse_under_a_keeper;
use super::run::{self, Prompt, Start, Task};
use super::take_over;
use crate::args::{Exec, Force};
use crate::choose;
use crate::face::Asker;
use crate::failure::Failure;
use crate::places::Places;
use crate::{answer_schema, image, terminal, wire};

/// Runs the command.
pub fn run(args: Exec) -> Result<u8, Failure> {
    refuse_unbuilt(&args)?;
    let places = Places::find()?;
    let cwd = args.force.cd.clone().unwrap_or_else(|| PathBuf::from("."));
    let (cwd, roots) = resolve_folders(&cwd, &args.force.add_dir)?;
    let config = wire::configure(&places, &cwd, &args.force)?;
    let goes_on = args.continue_ || args.resume.is_some();
    let prompt = match prompt(args.prompt.as_deref(), goes_on)? {
        Some(text) => Some(Prompt {
            text,
            images: image::read(&args.image)?,
            image_files: args.image.clone(),
            output_schema: args
                .output_schema
                .as_deref()
                .map(answer_schema::read)
                .transpose()?,
        }),
        None if !args.image.is_empty() || args.output_schema.is_some() => {
            return Err(Failure::usage(
                "--image and --output-schema go with a task: give one",
            ));
        }
        None => None,
    };
    let start = if goes_on {
        let store = Store::at(&places.state);
        let session = match &args.resume {
            Some(id) => store.resolve(id)?,
            None => newest(&store, &cwd)?,
        };
        if args.take_over {
            take_over::end_owner(&store, session)?;
        }
        if store.is_imported(session) {
            // What a session from elsewhere says of settings and folders does not count here.
            Start::TakeOn {
                config: &config,
                session,
                adopted: adopted(chosen_settings(&config, &places)?, &cwd, &roots),
            }
        } else {
            let change = changes(&config, &places, &args.force, args.reconfigure)?;
            Start::GoOn { session, change }
        }
    } else {
        Start::New {
            config: &config,
            settings: chosen_settings(&config, &places)?,
            cwd,
            roots,
        }
    };
    // Whoever says by hand what a question does, wants just that.
    let says_what_to_do = config.is_set_by("on_ask", Layer::CommandLine);
    let asker = if terminal::is_there(args.output) && !says_what_to_do {
        Asker::Terminal
    } else {
        Asker::Face
    };
    run::run(
        &places,
        Task {
            start,
            prompt,
            output: args.output,
            asker,
            stay: args.wait,
            supersede: args.supersede,
        },
    )
}

/// The settings of a new session. A model that nobody named is said, with the reason.
fn chosen_settings(config: &Effective, places: &Places) -> Result<Settings, Failure> {
    let chosen = match choose::without_asking(config) {
        Some(chosen) => chosen,
        None => run::block_on(choose::model(config))?,
    };
    if let Some(why) = &chosen.why {
        let place = chosen.base_url.as_deref().map(|url| format!(" at {url}"));
        crate::print::err_line(&crate::print::clean(&format!(
            "bowline: asking {}{} ({why}); --model names another",
            chosen.model,
            place.unwrap_or_default()
        )));
    }
    wire::settings(config, &chosen, places)
}

fn refuse_unbuilt(args: &Exec) -> Result<(), Failure> {
    if args.reconfigure || args.force.trust_project.is_some() {
        // It may loosen rules, which is a person's to do.
        refuse_under_a_keeper()?;
    }
    Ok(())
}

/// The task: from the argument, or from standard input for `-` or when something is piped in.
fn prompt(arg: Option<&str>, goes_on: bool) -> Result<Option<String>, Failure> {
    let text = match arg {
        Some("-") => read_stdin()?,
        Some(text) => text.to_owned(),
        None if goes_on => return Ok(None),
        None if std::io::stdin().is_terminal() => String::new(),
        None => read_stdin()?,
    };
    if text.trim().is_empty() {
        if goes_on {
            return Ok(None);
        }
        return Err(Failure::usage(
            "there is no task: give it as an argument, as in bowline exec \"fix the failing \
             test\", or pipe it in with -",
        ));
    }
    Ok(Some(text))
}

fn read_stdin() -> Result<String, Failure> {
    let mut bytes = Vec::new();
    std::io::stdin()
        .take(caps::PROMPT_BYTES as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::usage(format!("standard input cannot be read: {error}")))?;
    if bytes.len() > caps::PROMPT_BYTES {
        return Err(Failure::usage(
            "the task on standard input is over 1 MiB: put it into a file and name the file",
        ));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Failure::usage(format!(
            "standard input is not UTF-8 (byte {at}): convert it first"
        ))
    })
}

fn newest(store: &Store, cwd: &Path) -> Result<SessionId, Failure> {
    let folder = cwd.display().to_string();
    store
        .summaries()?
        .into_iter()
        // A call made by hand is no conversation to go on with, and a session from elsewhere only
        // claims to belong here.
        .filter(|summary| summary.cwd == folder && summary.model.model() != wire::ONE_CALL)
        .filter(|summary| !store.is_imported(summary.session))
        .max_by_key(|summary| (summary.updated_ms, summary.session))
        .map(|summary| summary.session)
        .ok_or_else(|| {
            Failure::usage(format!(
                "no session was run in {folder} yet: leave out --continue to begin one"
            ))
        })
}

/// All that is in force in a session that came from elsewhere.
fn adopted(settings: Settings, cwd: &Path, roots: &[PathBuf]) -> SessionAdopted {
    let text = |path: &Path| path.display().to_string();
    SessionAdopted {
        settings,
        cwd: text(cwd),
        roots: roots.iter().map(|root| text(root)).collect(),
        by: "the command line".to_owned(),
    }
}

/// What flags change in a session that goes on; everything else stays as it was recorded.
fn changes(
    config: &Effective,
    places: &Places,
    force: &Force,
    reconfigure: bool,
) -> Result<Change, Failure> {
    let by_hand = |name: &str| config.is_set_by(name, Layer::CommandLine);
    let named = match choose::without_asking(config).filter(|_| by_hand("model")) {
        Some(chosen) => Some(wire::settings(config, &chosen, places)?),
        None => None,
    };
    Ok(Change {
        named,
        base_url: force.base_url.clone(),
        reasoning: by_hand("reasoning")
            .then(|| config.text("reasoning")?.parse().ok())
            .flatten(),
        mode: by_hand("mode").then(|| config.mode()),
        on_ask: by_hand("on_ask").then(|| config.on_ask()),
        ask_expires_ms: by_hand("ask_expires").then(|| config.ask_expires_ms()),
        max_steps: by_hand("max_steps").then(|| config.limits().max_steps),
        max_tokens: by_hand("max_tokens")
            .then(|| config.limits().max_tokens)
            .flatten(),
        max_micro_usd: by_hand("max_usd")
            .then(|| config.limits().caps.session.cost_micro_usd)
            .flatten(),
        reconfigure,
        trust_project: force.trust_project.clone(),
    })
}

/// Settings given by hand for a session that goes on.
#[derive(Debug, Default)]
pub struct Change {
    /// What a new session would begin with that asks the model named by hand.
    named: Option<Settings>,
    base_url: Option<String>,
    reasoning: Option<bowline_core::ReasoningEffort>,
    mode: Option<bowline_core::Mode>,
    on_ask: Option<bowline_core::OnAsk>,
    /// `Some(None)`: questions stay open for ever.
    ask_expires_ms: Option<Option<u64>>,
    max_steps: Option<u32>,
    max_tokens: Option<u64>,
    max_micro_usd: Option<u64>,
    /// What the configuration files say now is put in force.
    reconfigure: bool,
    /// The hash of the project's own files that is trusted for this run.
    pub trust_project: Option<String>,
}

impl Change {
    /// The model that is put in force, if one is.
    pub fn model(&self) -> Option<&bowline_core::ModelRef> {
        self.named.as_ref().map(|settings| &settings.model)
    }

    /// Whether what the configuration files say now is put in force.
    pub const fn is_reconfigured(&self) -> bool {
        self.reconfigure
    }

    /// The settings with these changes. `now` is what the configuration files say to a session
    /// that asks the model named here.
    pub fn apply_to(self, before: &Settings, now: &Configured, limits: Limits) -> Settings {
        let mut after = before.clone();
        if self.reconfigure {
            after.configured = Some(Box::new(now.clone()));
            after.limits = limits;
        }
        // Prices belong to a model at an address, and are looked up anew with either.
        if self.reconfigure || self.named.is_some() || self.base_url.is_some() {
            after.model_facts = None;
        }
        if let Some(named) = self.named {
            if let Some(configured) = &mut after.configured {
                configured.endpoint.clone_from(&now.endpoint);
            }
            // An address belongs to its provider: another one's key must not go there.
            if named.model.provider() != before.model.provider() {
                after.base_url = named.base_url;
            }
            after.model = named.model;
        }
        if self.base_url.is_some() {
            after.base_url = self.base_url;
        }
        after.reasoning = self.reasoning.or(after.reasoning);
        after.mode = self.mode.unwrap_or(after.mode);
        after.on_ask = self.on_ask.unwrap_or(after.on_ask);
        after.ask_expires_ms = self.ask_expires_ms.unwrap_or(after.ask_expires_ms);
        after.limits.max_steps = self.max_steps.unwrap_or(after.limits.max_steps);
        if self.max_tokens.is_some() {
            after.limits.max_tokens = self.max_tokens;
        }
        if self.max_micro_usd.is_some() {
            after.limits.caps.session.cost_micro_usd = self.max_micro_usd;
        }
        after
    }
}

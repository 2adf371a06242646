//! Builds everything once: configuration layers, provider, tools, policy, masker.

mod caches;
pub mod in_force;
mod known;
mod shell_env;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bowline_core::decision::Layer;
use bowline_core::{
    Configured, Mode, ModelRef, Network, Profile, RuleInForce, SessionId, Settings, Verdict,
};
use bowline_journal::{Ledger, MaskKey, Store};
use bowline_model::scenario::Scenario;
use bowline_model::{Dialect, HttpProvider, Provider, ProviderConfig, ScriptedProvider, WebClient};
use bowline_policy::{
    Policy, Rule, Sandbox, host_standing, may_search, protected_names, secret_places,
    settings_names,
};
use bowline_runtime::alarms::Alarms;
use bowline_runtime::config::{Effective, Endpoint, Layers, parse, parse_flag, parse_rules};
use bowline_runtime::{Clock, Harness, WhileWaiting};
use bowline_secrets::{Key, Masker};
use bowline_tools::Toolbox;
use bowline_tools::builtin::{self, BuiltinConfig, HostRules, RulesOfHosts};
use bowline_tools::confine::Confiner;

use crate::args::Force;
use crate::choose::{self, Chosen};
use crate::config_file::{self, CONFIG_BYTES_MAX, RULES_BYTES_MAX};
use crate::endpoint::{self, Opened};
use crate::failure::Failure;
use crate::places::Places;
use crate::prices;
use crate::project::Project;
use crate::search_path;

/// Keys that providers read; never handed to a shell command, never stored in clear.
const KEY_VARIABLES: [&str; 2] = ["OPENAI_API_KEY", "ANTHROPIC_API_KEY"];

/// Lays out the configuration: defaults, the managed, the user's and the project's files, flags.
pub fn configure(places: &Places, cwd: &Path, force: &Force) -> Result<Effective, Failure> {
    let project = Project::read(places, cwd)?;
    configure_with(places, cwd, force, &project)
}

/// The same with the project's own files as they were read before.
pub fn configure_with(
    places: &Places,
    cwd: &Path,
    force: &Force,
    project: &Project,
) -> Result<Effective, Failure> {
    let mut layers = Layers::default();
    for (layer, path) in [
        (Layer::Managed, places.managed_config()),
        (Layer::User, places.user_config()),
    ] {
        if let Some(text) = config_file::read(layer, &path, CONFIG_BYTES_MAX)? {
            layers.add(parse(layer, &path.display().to_string(), &text)?);
        }
    }
    let now_ms = crate::command::clock().now_ms();
    project.add_to(&mut layers, cwd, now_ms)?;
    let others = places.rule_files(cwd).into_iter();
    for (layer, path) in others.filter(|(layer, _)| *layer != Layer::Project) {
        if let Some(text) = config_file::read(layer, &path, RULES_BYTES_MAX)? {
            let rules = parse_rules(layer, &path.display().to_string(), &text)?;
            layers.add_rules(rules, now_ms);
        }
    }
    let flags = [
        ("model", "--model", &force.model),
        ("base_url", "--base-url", &force.base_url),
        ("reasoning", "--reasoning", &force.reasoning),
        ("mode", "--mode", &force.mode),
        ("on_ask", "--on-ask", &force.on_ask),
        ("ask_expires", "--ask-expires", &force.ask_expires),
        ("max_steps", "--max-steps", &force.max_steps),
        ("max_tokens", "--max-tokens", &force.max_tokens),
        ("max_usd", "--max-usd", &force.max_usd),
        ("system_append", "--system-append", &force.system_append),
        ("shell.env_pass", "--pass-env", &force.pass_env),
    ];
    for (key, flag, value) in flags {
        if let Some(value) = value {
            layers.add([parse_flag(key, flag, value)?]);
        }
    }
    let trust = project.trust(force.trust_project.as_deref())?;
    let mut effective = layers.resolve_for(trust);
    project.complete(&mut effective.project);
    Ok(effective)
}

/// The settings of a new session that asks the chosen model.
pub fn settings(config: &Effective, chosen: &Chosen, places: &Places) -> Result<Settings, Failure> {
    let base_url = chosen.base_url.clone();
    let facts = prices::facts(config, places, &chosen.model, base_url.as_deref())?;
    let mut settings = Settings {
        model: pin(&chosen.model)?,
        base_url,
        reasoning: config
            .text("reasoning")
            .and_then(|effort| effort.parse().ok()),
        mode: config.mode(),
        on_ask: config.on_ask(),
        ask_expires_ms: config.ask_expires_ms(),
        limits: config.limits(),
        context: config.context(),
        model_facts: Some(Box::new(facts)),
        configured: None,
    };
    in_force::hold_money_caps(&mut settings, config, places)?;
    Ok(settings)
}

/// The settings of a session whose scripted model is named by the caller.
pub fn scripted_settings(config: &Effective, places: &Places) -> Result<Settings, Failure> {
    let chosen = choose::without_asking(config)
        .ok_or_else(|| Failure::stopped("no scripted model is named"))?;
    settings(config, &chosen, places)
}

/// A scenario file is recorded by its absolute path, so that the session can go on from anywhere.
fn pin(model: &ModelRef) -> Result<ModelRef, Failure> {
    let reserved = [crate::demo::MODEL, ONE_CALL].contains(&model.model());
    if model.provider() != "scripted" || reserved {
        return Ok(model.clone());
    }
    let path = std::path::absolute(model.model())
        .map_err(|error| Failure::usage(format!("{}: {error}", model.model())))?;
    format!("scripted/{}", path.display())
        .parse()
        .map_err(Failure::usage)
}

/// A provider with the secrets that the masker must know.
pub type WithSecrets = (Arc<dyn Provider>, Vec<String>);

/// Builds the provider that the settings name. Fetches its key, so only for a session that runs.
pub fn provider(
    settings: &Settings,
    endpoints: &[Endpoint],
    places: &Places,
    clock: &Clock,
) -> Result<WithSecrets, Failure> {
    if settings.model.provider() == "scripted" {
        return Ok((scripted(settings.model.model(), clock)?, Vec::new()));
    }
    let opened = endpoint::find(settings, endpoints, places)?.open(places)?;
    let secrets = opened.secrets.clone();
    Ok((speaking(opened, clock)?, secrets))
}

fn scripted(path: &str, clock: &Clock) -> Result<Arc<dyn Provider>, Failure> {
    let text = if path == crate::demo::MODEL {
        crate::demo::SCENARIO.to_owned()
    } else if path == ONE_CALL {
        // The call itself is in the journal; what follows it is the rest.
        return Ok(play(one_call("list", "{}")?, clock));
    } else {
        std::fs::read_to_string(path).map_err(|error| {
            Failure::usage(format!(
                "scenario {path} cannot be read: {error}. Check the path"
            ))
        })?
    };
    let scenario = Scenario::from_json(&text)
        .map_err(|error| Failure::usage(format!("scenario {path}: {error}")))?;
    Ok(play(scenario, clock))
}

/// The provider that plays a scenario in this process.
pub fn play(scenario: Scenario, clock: &Clock) -> Arc<dyn Provider> {
    Arc::new(ScriptedProvider::new(scenario, clock.id_source()))
}

/// The reserved scenario name of sessions made by `bowline tools call`: one call, then rest.
pub const ONE_CALL: &str = "one-call";

/// The scenario of one call with these arguments, as typed.
pub fn one_call(tool: &str, arguments: &str) -> Result<Scenario, Failure> {
    let steps = serde_json::json!({ "version": 1, "steps": [
        { "calls": [{ "tool": tool, "raw_arguments": arguments }] },
        { "text": "done" }
    ] });
    Scenario::from_value(steps).map_err(|error| Failure::usage(error.to_string()))
}

/// The provider that speaks an endpoint's dialect.
fn speaking(opened: Opened, clock: &Clock) -> Result<Arc<dyn Provider>, Failure> {
    let Some(dialect) = Dialect::named(&opened.api) else {
        return Err(Failure::usage(format!(
            "unknown dialect `{}`: use openai, openai-chat or anthropic",
            opened.api
        )));
    };
    let mut config = ProviderConfig::new(dialect, opened.base_url, clock.id_source());
    config.name = opened.name;
    config.api_key = opened.key;
    config.key_source = opened.key_source;
    config.headers = opened.headers;
    let provider = HttpProvider::new(config).map_err(|error| Failure::usage(error.to_string()))?;
    Ok(Arc::new(provider))
}

/// Builds the tools of a session that asks `provider`. Searches leave out what the policy lets nobody
/// see unasked, and what it keeps from that model.
pub fn toolbox(
    configured: &Configured,
    policy: &Policy,
    provider: &dyn Provider,
) -> Result<Toolbox, Failure> {
    let keeper_exe = std::env::current_exe().map_err(|error| {
        Failure::stopped(format!(
            "cannot find the running program, needed for keepers: {error}"
        ))
    })?;
    let mut builtin_config = BuiltinConfig::new(keeper_exe);
    builtin_config.shell_env = shell_env::of_this_process(&configured.env_pass);
    let roots: Vec<PathBuf> = policy.roots.iter().map(PathBuf::from).collect();
    let shell = search_path::program(&builtin_config.shell, &roots);
    builtin_config.shell = shell.display().to_string();
    builtin_config
        .shell_env
        .retain(|(name, _)| !configured.variables.contains(name));
    let policy = Arc::new(policy.clone());
    builtin_config.rules_of_hosts = rules_of_hosts(Arc::clone(&policy));
    builtin_config.web = Some(Arc::new(WebClient));
    let searched = policy.asking(provider.place().is_local()).into_owned();
    builtin_config.left_out =
        Arc::new(move |path: &Path| !may_search(&searched, &path.display().to_string()));
    if let Some(timeout_ms) = configured.shell_timeout_ms {
        builtin_config.shell_timeout_ms = timeout_ms;
    }
    Ok(builtin::toolbox(builtin_config))
}

/// What the policy's rules say of a host when it comes up: those that have expired say nothing.
fn rules_of_hosts(policy: Arc<Policy>) -> RulesOfHosts {
    Arc::new(move |host, port| {
        let now_ms = crate::command::clock().now_ms();
        let standing = host_standing(&policy.at(now_ms), host, port);
        HostRules {
            allows_exactly: standing.allows_exactly,
            denies: standing.denies,
            asks: standing.asks,
        }
    })
}

/// The rules that the command line gives.
pub fn rules_by_hand(allow: &[String], deny: &[String]) -> Result<Vec<RuleInForce>, Failure> {
    let allow = allow.iter().map(|text| (Verdict::Allow, text));
    let deny = deny.iter().map(|text| (Verdict::Deny, text));
    let read = |(verdict, text): (Verdict, &String)| {
        let rule = Rule::on_command_line(verdict, text)
            .map_err(|error| Failure::usage(format!("rule `{text}`: {error}")))?;
        Ok(RuleInForce {
            verdict,
            source: rule.source,
            reason: None,
            expires_at_ms: None,
        })
    };
    allow.chain(deny).map(read).collect()
}

/// Builds the policy. A rule that cannot be read is none that may be left out.
pub fn policy(configured: &Configured, mode: Mode, roots: &[PathBuf]) -> Result<Policy, Failure> {
    let read = |rule: &RuleInForce| {
        Rule::in_force(rule)
            .map_err(|error| Failure::usage(format!("rule `{}`: {error}", rule.source.rule)))
    };
    let rules = configured
        .rules
        .iter()
        .map(read)
        .collect::<Result<_, _>>()?;
    Ok(Policy {
        mode,
        rules,
        roots: roots
            .iter()
            .map(|root| root.display().to_string())
            .collect(),
        private: configured.private.clone(),
        home: configured.home.clone(),
        trust: configured.trust.clone().unwrap_or_default(),
        sandbox: Sandbox::Unknown,
        catalogue: bowline_policy::Catalogue::ReadOnly,
    })
}

/// The masker: knows the credentials in the environment of this process.
pub fn masker() -> Masker {
    Masker::new(known::of_this_process())
}

/// The masker of a session's texts: knows what the configuration names, too, and its tokens have
/// the ids of the session. For words that a person leaves for it.
pub fn masker_of(places: &Places, session: SessionId) -> Result<Masker, Failure> {
    // No project says what is secret: any folder without one will do.
    let config = configure(places, &places.config, &Force::default())?;
    let masker = masker_with(known::configured(&config)?);
    Ok(match Store::at(&places.state).mask_key(session) {
        Some(key) => masker.keyed(Key::new(key)),
        None => masker,
    })
}

fn masker_with(mut secrets: Vec<String>) -> Masker {
    secrets.extend(known::of_this_process());
    Masker::new(secrets)
}

/// What must be masked beside what reads like a secret: what was fetched to ask the model, and what
/// the configuration names.
pub fn with_known(provider: &mut WithSecrets, config: &Effective) -> Result<(), Failure> {
    provider.1.extend(known::configured(config)?);
    Ok(())
}

/// How mode `auto` confines shell commands: the workspace is writable, nobody is reached, what the
/// policy calls private or secret is hidden.
pub fn confiner(policy: &Policy) -> Confiner {
    let mut hidden = policy.private.clone();
    hidden.extend(secret_places(policy.home.as_deref()));
    hidden.sort();
    hidden.dedup();
    let confiner = Confiner::new(Profile {
        writable: policy.roots.clone(),
        protected: [protected_names(), settings_names()].concat(),
        hidden,
        network: Network::None,
        caches: caches::of_this_user(policy.home.as_deref(), &policy.roots),
        ..Profile::default()
    });
    // The first of the private places is the state folder.
    match policy.private.first() {
        Some(state) => confiner.keeping_in(state.into()),
        None => confiner,
    }
}

/// Gives the tokens of a harness the ids of a session.
pub fn key_masker(harness: &mut Harness, key: MaskKey) {
    let masker = Masker::clone(&harness.masker).keyed(Key::new(key));
    harness.masker = Arc::new(masker);
}

/// What is watched for, by the configuration as it is now.
pub fn alarms(config: &Effective, store: &Store) -> Result<Option<Alarms>, Failure> {
    let rules = config.alarms().map_err(Failure::usage)?;
    Ok(rules.map(|rules| Alarms {
        rules: Arc::new(rules),
        past: Some(store.clone()),
    }))
}

/// Binds the parts.
pub fn harness(
    provider: WithSecrets,
    toolbox: Toolbox,
    policy: Policy,
    ledger: Option<Ledger>,
) -> Harness {
    let (provider, secrets) = provider;
    Harness {
        provider,
        toolbox: Arc::new(toolbox),
        confiner: confiner(&policy),
        policy: Arc::new(policy),
        masker: Arc::new(masker_with(secrets)),
        app_version: crate::command::VERSION.to_owned(),
        probe: crate::command::probe(),
        ledger,
        while_waiting: WhileWaiting::Rest,
        leave: Arc::default(),
        alarms: None,
    }
}

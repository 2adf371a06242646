//! Which model to ask when nobody names one: a key or a server that is there decides, and it is
//! said which.

use std::time::Duration;

use bowline_core::ModelRef;
use bowline_model::{default_model, key_variable, local_servers};
use bowline_runtime::config::Effective;

use crate::failure::Failure;

/// A model with how it came to be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// The model.
    pub model: ModelRef,
    /// Its address, where the provider's own is not meant.
    pub base_url: Option<String>,
    /// Why this one, in one line; `None` for one that a person named.
    pub why: Option<String>,
}

/// How long a local server has to name its models. One that is there answers in a few ms; many
/// people have none, and wait this long before they are told.
const LOCAL_WAIT: Duration = Duration::from_millis(300);

/// Providers whose key in the environment is enough, in this order.
const BY_KEY: [&str; 2] = ["anthropic", "openai"];

/// The model to ask, without looking for servers: the one that is configured or named by a flag,
/// an endpoint's own, or that of a key in the environment.
pub fn without_asking(config: &Effective) -> Option<Chosen> {
    if let Some(model) = config.model() {
        let endpoint = config
            .endpoints()
            .iter()
            .any(|endpoint| endpoint.name == model.provider());
        // An address from a file is meant for built-in providers; a flag is refused later.
        let by_flag = config.is_set_by("base_url", bowline_core::decision::Layer::CommandLine);
        let base_url = config.text("base_url").filter(|_| by_flag || !endpoint);
        return Some(Chosen {
            model,
            base_url: base_url.map(str::to_owned),
            why: None,
        });
    }
    by_endpoint(config).or_else(|| by_key(config))
}

fn by_endpoint(config: &Effective) -> Option<Chosen> {
    let (endpoint, name) = config
        .endpoints()
        .iter()
        .find_map(|endpoint| Some((endpoint, endpoint.model.as_deref()?)))?;
    Some(Chosen {
        model: format!("{}/{name}", endpoint.name).parse().ok()?,
        base_url: None,
        why: Some(format!(
            "the first endpoint of the configuration that names a model is `{}`",
            endpoint.name
        )),
    })
}

/// A key goes nowhere but to its provider: an address of another meaning rules this out.
fn by_key(config: &Effective) -> Option<Chosen> {
    if config.text("base_url").is_some() {
        return None;
    }
    BY_KEY.iter().find_map(|provider| {
        let variable = key_variable(provider)?;
        std::env::var(variable).ok().filter(|key| !key.is_empty())?;
        Some(Chosen {
            model: format!("{provider}/{}", default_model(provider)?)
                .parse()
                .ok()?,
            base_url: None,
            why: Some(format!("{variable} is set")),
        })
    })
}

/// The model to ask. Looks for servers on this machine only when nothing else decides.
pub async fn model(config: &Effective) -> Result<Chosen, Failure> {
    match without_asking(config) {
        Some(chosen) => Ok(chosen),
        None => by_server(config).await,
    }
}

async fn by_server(config: &Effective) -> Result<Chosen, Failure> {
    if config.text("base_url").is_some() {
        return Err(Failure::usage(
            "no model is set: --base-url says where to ask, not which model. Give --model \
             PROVIDER/MODEL too",
        ));
    }
    let found = local_servers(config.local_ports(), LOCAL_WAIT).await;
    let usable = found.iter().find_map(|server| {
        let model = server.models.first()?;
        let model: ModelRef = format!("openai-chat/{model}").parse().ok()?;
        Some((server, model))
    });
    if let Some((server, model)) = usable {
        let who = server.usually.unwrap_or("a server");
        let others = match server.models.len() - 1 {
            0 => String::new(),
            more => format!(", the first of its models ({more} more)"),
        };
        return Ok(Chosen {
            model,
            base_url: Some(server.base_url.clone()),
            why: Some(format!(
                "no key is set, and port {} answers as {who} does{others}",
                server.port
            )),
        });
    }
    let ports: Vec<String> = config.local_ports().iter().map(u16::to_string).collect();
    let looked = match (found.first(), ports.is_empty()) {
        (Some(server), _) => format!(
            "the server on port {} has no model to chat with",
            server.port
        ),
        (None, true) => "no local server was looked for".to_owned(),
        (None, false) => format!("no local server answers on port {}", ports.join(", ")),
    };
    Err(Failure::usage(format!(
        "no model is set, no key is there, and {looked}. Three ways to go on: export \
         ANTHROPIC_API_KEY or OPENAI_API_KEY; start a local server (Ollama, llama.cpp, LM Studio, \
         vLLM); or name one with --model PROVIDER/MODEL [--base-url URL], or `model` in the \
         configuration file (`bowline config show` names it). To see it work without any: \
         bowline demo"
    )))
}

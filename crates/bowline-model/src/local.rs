//! Looks for model servers on this machine: who answers `GET /v1/models` on a loopback port?

use std::sync::Arc;
use std::time::Duration;

use reqwest::Client;
use serde::Deserialize;
use tokio::task::JoinSet;

use crate::http::{Timeouts, loopback_client};

/// A server that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalServer {
    /// Its port on 127.0.0.1.
    pub port: u16,
    /// What usually listens there, such as `Ollama`; `None` for a port that is nobody's habit.
    pub usually: Option<&'static str>,
    /// Its base URL for the Chat Completions dialect.
    pub base_url: String,
    /// The models it can chat with, in its own order; may be empty.
    pub models: Vec<String>,
}

/// Whose habit a port is.
#[must_use]
pub const fn usual_server(port: u16) -> Option<&'static str> {
    match port {
        11434 => Some("Ollama"),
        8080 => Some("llama.cpp"),
        1234 => Some("LM Studio"),
        8000 => Some("vLLM"),
        _ => None,
    }
}

/// A list of models longer than this is no list of models, in bytes.
const LIST_BYTES_MAX: usize = 1 << 20;

/// Parts of names that say that a model does not chat.
const NO_CHAT: [&str; 5] = ["embed", "rerank", "whisper", "tts", "bge-"];

/// Asks every port of 127.0.0.1 at once, each for `wait` at most, and gives those that answered
/// with a list of models, in the order of `ports`. Never goes through a proxy, follows no
/// redirect, sends no key.
pub async fn local_servers(ports: &[u16], wait: Duration) -> Vec<LocalServer> {
    let timeouts = Timeouts {
        connect: wait,
        idle: wait,
        ..Timeouts::default()
    };
    let Ok(client) = loopback_client(timeouts) else {
        return Vec::new();
    };
    let client = Arc::new(client);
    let mut asked = JoinSet::new();
    for (place, port) in ports.iter().copied().enumerate() {
        let client = Arc::clone(&client);
        asked.spawn(async move {
            let found = tokio::time::timeout(wait, ask(&client, port)).await;
            (place, found.ok().flatten())
        });
    }
    let mut found: Vec<(usize, LocalServer)> = Vec::new();
    while let Some(answer) = asked.join_next().await {
        if let Ok((place, Some(server))) = answer {
            found.push((place, server));
        }
    }
    found.sort_by_key(|(place, _)| *place);
    found.into_iter().map(|(_, server)| server).collect()
}

#[derive(Deserialize)]
struct Listed {
    data: Vec<Model>,
}

#[derive(Deserialize)]
struct Model {
    id: String,
}

async fn ask(client: &Client, port: u16) -> Option<LocalServer> {
    let base_url = format!("http://127.0.0.1:{port}/v1");
    let mut response = client
        .get(format!("{base_url}/models"))
        .send()
        .await
        .ok()
        .filter(|response| response.status().is_success())?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.ok()? {
        body.extend_from_slice(&chunk);
        if body.len() > LIST_BYTES_MAX {
            return None;
        }
    }
    let listed: Listed = serde_json::from_slice(&body).ok()?;
    let models = listed.data.into_iter().map(|model| model.id);
    Some(LocalServer {
        port,
        usually: usual_server(port),
        base_url,
        models: models.filter(|id| chats(id)).collect(),
    })
}

/// Whether a model of that name is one to talk to, as far as a name can tell.
fn chats(id: &str) -> bool {
    let name = id.to_lowercase();
    !name.trim().is_empty()
        && name.chars().all(|letter| !letter.is_control())
        && !NO_CHAT.iter().any(|part| name.contains(part))
}

//! What a folder's own files say, in words and as JSON: what waits for trust, what counts without it,
//! what never does, and what other programs would act on.

use bowline_core::configured::ConfigOrigin;
use bowline_runtime::config::{
    Effective, Endpoint, HeaderSource, Item, ItemStanding, KeySource, ProjectContent, ProjectTrust,
    Value,
};
use bowline_runtime::present::{Present, present};
use serde_json::json;

use crate::command::config;
use crate::print;
use crate::project::{self, Project};

/// Prints all of it for people. Foreign words are shown with their escapes spelled out.
pub(super) fn text(project: &Project, config: &Effective) {
    let standing = &config.project;
    let state = project::line(standing);
    let state = state
        .as_deref()
        .and_then(|line| line.strip_prefix("project: "));
    say(&format!("folder   {}", project.folder.display()));
    say(&format!(
        "state    {}",
        state.unwrap_or("nothing here waits for trust")
    ));
    if let Some(content) = &standing.content {
        say(&format!("content  {content}"));
    }
    for file in &project.files.files {
        let kind = match &file.content {
            ProjectContent::File(bytes) => format!("{} bytes", bytes.len()),
            ProjectContent::Link(_) => "a link, not followed".to_owned(),
            ProjectContent::Folder => continue,
        };
        say(&format!("         {} ({kind})", file.path));
    }
    let of = |standing: fn(ItemStanding) -> bool| {
        let items = config.project.items.iter();
        items.filter(move |item| standing(item.standing)).collect()
    };
    let head = match standing.trust {
        ProjectTrust::Trusted => "Counts because it is trusted:",
        ProjectTrust::Untrusted => "Would count once trusted:",
    };
    group(head, of(|one| one == ItemStanding::NeedsTrust));
    let in_force = of(|one| one == ItemStanding::InForce);
    group("Counts, trusted or not, because it is stricter:", in_force);
    let unused = of(|one| matches!(one, ItemStanding::Unused(_)));
    group("Does not count, trusted or not:", unused);
    let others = present(&project.folder);
    if !others.is_empty() {
        say("\nPresent, not used by Bowline:");
    }
    for one in &others {
        say(&format!("  {}  {}", place_of(one), one.what));
    }
}

/// All of it as one JSON object.
pub(super) fn as_json(project: &Project, config: &Effective) -> serde_json::Value {
    let standing = &config.project;
    let files: Vec<_> = project.hashed();
    let files = files
        .iter()
        .map(|file| json!({ "path": file.path, "sha256": file.sha256 }));
    json!({
        "folder": project.folder.display().to_string(),
        "trusted": standing.trust == ProjectTrust::Trusted,
        "waiting": standing.waiting(),
        "content": standing.content,
        "cannot_be_trusted": standing.untrustable,
        "changed": standing.changed,
        "files": files.collect::<Vec<_>>(),
        "items": standing.items.iter().map(item_as_json).collect::<Vec<_>>(),
        "present": present(&project.folder)
            .iter()
            .map(|one| json!({ "path": one.path, "line": one.line, "what": one.what }))
            .collect::<Vec<_>>(),
    })
}

/// One item in one line.
pub(super) fn line(item: &Item) -> String {
    let value = config::text(&item.value);
    format!("{} = {value} ({})", item.key.name, place(&item.origin))
}

fn say(line: &str) {
    let lines: Vec<String> = line.split('\n').map(print::visible).collect();
    print::line(&lines.join("\n"));
}

fn group(head: &str, items: Vec<&Item>) {
    if items.is_empty() {
        return;
    }
    say(&format!("\n{head}"));
    for item in items {
        let value = print::visible(&config::text(&item.value));
        say(&format!(
            "  {}  {} = {value}",
            place(&item.origin),
            item.key.name
        ));
        let effect = match item.standing {
            ItemStanding::Unused(why) => why.to_owned(),
            _ => effect(item),
        };
        say(&format!("      {}", print::visible(&effect)));
    }
}

/// The place below the project, with the line.
fn place(origin: &ConfigOrigin) -> String {
    let file = origin.file.as_deref().unwrap_or_default();
    let below = file.rfind("/.bowline/").map_or(file, |at| &file[at + 1..]);
    match origin.line {
        Some(line) => format!("{below}:{line}"),
        None => below.to_owned(),
    }
}

fn place_of(one: &Present) -> String {
    match one.line {
        Some(line) => format!("{}:{line}", one.path),
        None => one.path.clone(),
    }
}

/// What a value does, in words.
fn effect(item: &Item) -> String {
    match (item.key.name, &item.value) {
        ("mode", Value::Text(mode)) => match mode.as_str() {
            "full" => "everything runs unasked that no rule asks about or denies, in no sandbox",
            "auto" => "shell commands run unasked in a sandbox, and files here are written unasked",
            "edit" => "files here are written unasked",
            _ => "what is not read-only asks, or is refused",
        }
        .to_owned(),
        ("base_url", _) => {
            "models of built-in providers are asked there, and their keys are sent there".to_owned()
        }
        ("providers", Value::Endpoints(endpoints)) => {
            let words: Vec<String> = endpoints.iter().map(endpoint).collect();
            words.join("; ")
        }
        ("permissions.allow", _) => {
            "runs unasked, where no other rule asks about it or denies it".to_owned()
        }
        ("model", _) => "this model is asked, where nobody names another".to_owned(),
        ("system_append", _) => "these words end the system text".to_owned(),
        _ => item.key.help.to_owned(),
    }
}

/// What asking an endpoint would start and send.
fn endpoint(endpoint: &Endpoint) -> String {
    let to = endpoint.base_url.as_deref().unwrap_or("its provider");
    let mut words = vec![match &endpoint.key {
        KeySource::None => format!("asks models at {to}"),
        KeySource::Env(name) => format!("asks models at {to} and sends it the value of {name}"),
        KeySource::Command(argv) => format!(
            "asks models at {to}, runs `{}` for a key and sends it what that prints",
            argv.join(" ")
        ),
        KeySource::File(file) => {
            format!("asks models at {to} and sends it what is in {file}")
        }
    }];
    for (name, source) in &endpoint.headers {
        if let HeaderSource::Env(variable) = source {
            words.push(format!("sends it the value of {variable} as {name}"));
        }
    }
    if endpoint.model.is_some() {
        words.push("is asked where nobody names a model".to_owned());
    }
    words.join(", ")
}

fn item_as_json(item: &Item) -> serde_json::Value {
    let (standing, why) = match item.standing {
        ItemStanding::NeedsTrust => ("needs_trust", None),
        ItemStanding::InForce => ("in_force", None),
        ItemStanding::Unused(why) => ("unused", Some(why)),
    };
    json!({
        "key": item.key.name,
        "value": config::text(&item.value),
        "effect": effect(item),
        "standing": standing,
        "why": why,
        "file": item.origin.file,
        "line": item.origin.line,
    })
}

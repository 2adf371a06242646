//! `bowline trust`: shows what a folder's own files would start, and takes a person's word on them.

mod show;

use std::path::PathBuf;

use bowline_core::system::{ProjectTrusted, TrustRevoked};
use bowline_core::{Digest, RunId, SystemEvent, SystemFact};
use bowline_journal::{Store, TrustRecord};
use bowline_runtime::config::{Effective, ProjectTrust};
use bowline_runtime::{Clock, date_and_time};
use serde_json::{Value, json};

use super::answer::{ROUTE, refuse_under_a_keeper};
use crate::args::{Force, Trust};
use crate::failure::Failure;
use crate::places::Places;
use crate::project::{Project, real};
use crate::{print, wire};

/// Most items that the system log keeps of one word of trust.
const ITEMS_KEPT: usize = 100;

/// Runs the command.
pub fn run(args: &Trust) -> Result<u8, Failure> {
    let places = Places::find()?;
    let store = Store::at(&places.state);
    if args.list {
        return list(&places, &store, args.json);
    }
    let folder = args.folder.clone().unwrap_or_else(|| PathBuf::from("."));
    let folder = std::path::absolute(&folder)
        .map_err(|error| Failure::usage(format!("{}: {error}", folder.display())))?;
    if args.revoke {
        return revoke(&store, &real(&folder));
    }
    if !folder.is_dir() {
        let folder = folder.display();
        return Err(Failure::usage(format!("{folder} is no folder")));
    }
    // Read once: what is shown is what is hashed, and what the word is recorded for.
    let project = Project::read(&places, &folder)?;
    let config = wire::configure_with(&places, &folder, &Force::default(), &project)?;
    if let Some(hash) = &args.yes {
        refuse_under_a_keeper()?;
        let content = project.must_be(hash)?;
        return give(&store, &project, &config, content);
    }
    if args.json {
        print::line(&show::as_json(&project, &config).to_string());
        return Ok(0);
    }
    show::text(&project, &config);
    if args.show {
        return Ok(0);
    }
    refuse_under_a_keeper()?;
    ask(&store, &project, &config)
}

/// Asks the person at the terminal. Everything but `yes` is a no.
fn ask(store: &Store, project: &Project, config: &Effective) -> Result<u8, Failure> {
    use std::io::IsTerminal as _;
    let standing = &config.project;
    if standing.trust == ProjectTrust::Trusted || standing.waiting() == 0 {
        print::err_line("nothing here waits for trust");
        return Ok(0);
    }
    let hash = standing
        .content
        .map_or_else(String::new, |hash| hash.to_hex());
    let content = project.must_be(&hash)?;
    if !std::io::stdin().is_terminal() {
        return Err(Failure::usage(format!(
            "trusting needs a yes: nobody is at the terminal, so give --yes {hash}"
        )));
    }
    print::err_line("Trust these files, as they are now? The answer is no, unless you type yes:");
    let mut answer = String::new();
    std::io::stdin()
        .read_line(&mut answer)
        .map_err(|error| Failure::usage(format!("no answer could be read: {error}")))?;
    if answer.trim() != "yes" {
        print::err_line("nothing was changed");
        return Ok(1);
    }
    give(store, project, config, content)
}

fn give(
    store: &Store,
    project: &Project,
    config: &Effective,
    content: Digest,
) -> Result<u8, Failure> {
    let folder = project.folder.to_str().ok_or_else(|| {
        Failure::usage("the folder's path is no UTF-8: give it another name to trust it")
    })?;
    let clock = Clock::system();
    let record = TrustRecord {
        folder: folder.to_owned(),
        content,
        files: project.hashed(),
        at_ms: clock.now_ms(),
        by: ROUTE.to_owned(),
        revoked_at_ms: None,
    };
    let items = config.project.needing_trust().take(ITEMS_KEPT);
    let masker = wire::masker();
    let fact = SystemFact::ProjectTrusted(ProjectTrusted {
        folder: record.folder.clone(),
        content,
        items: items
            .map(|item| masker.mask(&show::line(item)).text.into_owned())
            .collect(),
        by: record.by.clone(),
    });
    store.give_trust(&record, event(&clock, fact))?;
    print::line(&print::visible(&format!(
        "trusted: {folder}, content {content}. Sessions begun from now on take it on; a session that \
         is there does with --reconfigure"
    )));
    Ok(0)
}

fn revoke(store: &Store, folder: &std::path::Path) -> Result<u8, Failure> {
    refuse_under_a_keeper()?;
    let name = folder.display().to_string();
    let record = store.trust(&name)?;
    let Some(record) = record.filter(|record| record.revoked_at_ms.is_none()) else {
        return Err(Failure::usage(format!(
            "{name} is not trusted: `bowline trust --list` shows what is"
        )));
    };
    let clock = Clock::system();
    let fact = SystemFact::TrustRevoked(TrustRevoked {
        folder: record.folder.clone(),
        content: record.content,
        by: ROUTE.to_owned(),
    });
    store.revoke_trust(&record, clock.now_ms(), event(&clock, fact))?;
    print::line(&print::visible(&format!(
        "no longer trusted: {name}. Its files only tighten; sessions lose what they took from them \
         when they go on"
    )));
    Ok(0)
}

fn event(clock: &Clock, fact: SystemFact) -> SystemEvent {
    let run = RunId::from_uuid(clock.new_id());
    SystemEvent::new(clock.now_ms(), run, None, fact)
}

/// Every folder that is trusted, and whether what lies there now is what was.
fn list(places: &Places, store: &Store, as_json: bool) -> Result<u8, Failure> {
    let mut records = store.trust_records()?;
    records.retain(|record| record.revoked_at_ms.is_none());
    if as_json {
        let all: Vec<Value> = records.iter().map(|one| row_as_json(places, one)).collect();
        print::line(&Value::Array(all).to_string());
        return Ok(0);
    }
    if records.is_empty() {
        print::err_line("no folder is trusted");
    }
    for record in &records {
        let hash = record.content.to_hex();
        print::line(&print::visible(&format!(
            "{}  {}  {:8}  {}",
            &hash[..8],
            date_and_time(record.at_ms),
            state_now(places, record),
            record.folder
        )));
    }
    Ok(0)
}

/// Whether a folder still is what was trusted.
fn state_now(places: &Places, record: &TrustRecord) -> &'static str {
    let folder = PathBuf::from(&record.folder);
    if !folder.is_dir() {
        return "gone";
    }
    match Project::read(places, &folder) {
        Ok(project) if project.files.content == Some(record.content) => "trusted",
        _ => "changed",
    }
}

fn row_as_json(places: &Places, record: &TrustRecord) -> Value {
    json!({
        "id": record.content,
        "folder": record.folder,
        "content": record.content,
        "state": state_now(places, record),
        "at_ms": record.at_ms,
        "by": record.by,
    })
}

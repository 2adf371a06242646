//! `bowline send SESSION TEXT`: words for a session, left in its mailbox.

use std::io::Read as _;

use bowline_core::Command;
use bowline_core::command::Ask;
use bowline_core::context::caps;
use bowline_journal::mailbox::Put;
use bowline_journal::{Store, mailbox};
use bowline_runtime::{Clock, prompt};

use super::answer::{how_to_go_on, refuse_under_a_keeper};
use crate::args::Send;
use crate::failure::Failure;
use crate::places::Places;
use crate::print;

/// Runs the command.
pub fn run(args: &Send) -> Result<u8, Failure> {
    // The agent must not speak with a person's voice.
    refuse_under_a_keeper()?;
    let places = Places::find()?;
    let store = Store::at(&places.state);
    let session = store.resolve(&args.session)?;
    let text = words(&args.text)?;
    if text.trim().is_empty() {
        return Err(Failure::usage("there is nothing to send: give it words"));
    }
    let masker = crate::wire::masker_of(&places, session)?;
    let text = masker.mask(&text).text.into_owned();
    let clock = Clock::system();
    let key = match &args.key {
        Some(key) => format!("send-{key}"),
        None => format!("send-{}", clock.new_id()),
    };
    let command = Command {
        key: key.clone(),
        at_ms: None,
        ask: Ask::Prompt {
            text: prompt::person(text),
            images: Vec::new(),
            output_schema: None,
            supersede: false,
        },
    };
    let state = store.read_only(session)?.read_intact()?.state();
    let dir = store.session_dir(session);
    let known = state.knows_key(&key)
        || mailbox::put(&dir.mailbox(), clock.now_ms(), &command)? == Put::Already;
    let word = if known { "sent before" } else { "queued" };
    let next = how_to_go_on(&store, session)?;
    print::line(&format!("{word} for session {}. {next}", session.short()));
    Ok(0)
}

/// The words as typed, or from standard input for `-`.
fn words(text: &str) -> Result<String, Failure> {
    if text != "-" {
        return Ok(text.to_owned());
    }
    let mut text = String::new();
    std::io::stdin()
        .take(caps::PROMPT_BYTES as u64 + 1)
        .read_to_string(&mut text)
        .map_err(|error| Failure::usage(format!("standard input cannot be read: {error}")))?;
    if text.len() > caps::PROMPT_BYTES {
        return Err(Failure::usage(
            "the words on standard input are over 1 MiB: put them into a file and name the file",
        ));
    }
    Ok(text)
}

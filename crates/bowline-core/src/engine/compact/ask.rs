//! What the model is asked when it is to sum up.

use crate::context::{ContextText, Origin, caps};

const ASK: &str = "\
The conversation so far will be taken out and replaced by your summary, so that the work can go on \
in little space. Do not call tools. Answer with one JSON object and nothing else:
{\"goal\": \"what the person wants in the end\",
 \"constraints\": [\"each rule or limit that the work must keep to, in the person's words\"],
 \"decisions\": [{\"what\": \"..\", \"why\": \"..\"}],
 \"dead_ends\": [\"what was tried and does not work, and why\"],
 \"files\": [{\"path\": \"..\", \"note\": \"what it is or what was done to it\"}],
 \"open_questions\": [\"what is not known yet\"],
 \"next_step\": \"what is to be done next, exactly\"}
Be exact and brief: names, numbers, commands and error messages that are needed again, word for \
word. Leave out what can be read again. What the person said, the todo list, open approvals, \
budgets and hashes of files are kept without you. What an earlier summary holds under constraints, \
decisions and dead_ends is kept too: list only what is new.";

/// What the model is asked when it is to sum the conversation up; `focus` is what it should keep
/// above all.
pub fn summary_ask(focus: Option<&str>) -> ContextText {
    let mut text = String::from(ASK);
    if let Some(focus) = focus {
        text.push_str("\nKeep above all what concerns: ");
        text.push_str(focus);
    }
    ContextText::admit(Origin::Harness, text, caps::NOTICE_BYTES, None)
}

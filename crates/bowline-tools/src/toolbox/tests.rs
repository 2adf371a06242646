//! Tools by name.

use super::*;
use crate::builtin::{self, BuiltinConfig};

#[test]
fn finds_by_name_and_names_what_there_is() {
    let toolbox = builtin::toolbox(BuiltinConfig::new("/nowhere".into()));
    assert_eq!(
        toolbox.get("read").map(|tool| tool.spec().name.clone()),
        Ok("read".to_owned())
    );
    assert_eq!(
        toolbox
            .get("Reed")
            .err()
            .map(|error| error.message)
            .as_deref(),
        Some(
            "There is no tool `Reed`. Did you mean `read`? \
             The tools are: read, write, edit, grep, glob, list, shell, todo, ask_user, shell_job, fetch, wait_for."
        )
    );
    let message = toolbox
        .get("browse")
        .err()
        .map(|error| error.message)
        .unwrap();
    assert!(!message.contains("Did you mean"), "{message}");
    assert_eq!(format!("{toolbox:?}").matches('"').count(), 24);
}

#[test]
fn refuses_two_tools_of_one_name() {
    let toolbox = builtin::toolbox(BuiltinConfig::new("/nowhere".into()));
    let read = Arc::clone(toolbox.find("read").unwrap());
    let twice = Toolbox::new(vec![Arc::clone(&read), read]);
    assert_eq!(twice.err().map(|error| error.name).as_deref(), Some("read"));
}

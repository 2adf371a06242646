//! A recap in words, as the model reads it.

use std::fmt::Write as _;

use super::Recap;

impl Recap {
    /// What the model reads in the place of what was taken out.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::from(
            "[Earlier parts of this conversation were taken out to save space. What is known of \
             them:]",
        );
        line(&mut text, "Goal", &self.goal);
        list(&mut text, "Constraints", self.constraints.iter().cloned());
        let decisions = self.decisions.iter().map(|choice| {
            if choice.why.is_empty() {
                choice.what.clone()
            } else {
                format!("{} (because {})", choice.what, choice.why)
            }
        });
        list(&mut text, "Decided", decisions);
        list(
            &mut text,
            "Tried without success: do not try again",
            self.dead_ends.iter().cloned(),
        );
        let files = self.files.iter();
        let files = files.map(|file| format!("{}: {}", file.path, file.note));
        list(&mut text, "Files", files);
        let done = match self.done_left_out {
            0 => "Done so far".to_owned(),
            left_out => format!("Done so far (the first {left_out} steps are left out)"),
        };
        list(&mut text, &done, self.done.iter().cloned());
        list(
            &mut text,
            "Not known yet",
            self.open_questions.iter().cloned(),
        );
        line(&mut text, "Next step", &self.next_step);
        text
    }
}

fn line(text: &mut String, name: &str, value: &str) {
    if !value.is_empty() {
        // Writing to a String cannot fail.
        let _infallible = write!(text, "\n{name}: {value}");
    }
}

/// Adds a list with its name; nothing where it is empty.
pub(crate) fn list(text: &mut String, name: &str, entries: impl Iterator<Item = String>) {
    let mut entries = entries.peekable();
    if entries.peek().is_none() {
        return;
    }
    let _infallible = write!(text, "\n{name}:");
    for entry in entries {
        let _infallible = write!(text, "\n- {entry}");
    }
}

//! Reading a summary that a model wrote: whatever it says is bounded, and may be nothing of the
//! kind.

use super::{Choice, FileNote, Recap};

/// The most characters of one entry.
const ENTRY_CHARS_MAX: usize = 1_000;
/// The most entries that one summary adds to a list.
const ENTRIES_MAX: usize = 60;

/// Why a reply is no summary.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotARecap {
    /// There is no JSON object in it.
    #[error("it holds no JSON object")]
    NoObject,
    /// The object is not of the form asked for.
    #[error("it does not fit the form that was asked for: {problem}")]
    Form {
        /// What the reader says.
        problem: String,
    },
    /// It says neither what the goal is nor what comes next.
    #[error("it says neither what is wanted nor what is to be done next")]
    Empty,
}

impl Recap {
    /// Reads the reply to a request for a summary: one JSON object, with or without words or a
    /// fence around it.
    ///
    /// # Errors
    /// [`NotARecap`] when it is something else.
    pub fn read(reply: &str) -> Result<Self, NotARecap> {
        let start = reply.find('{').ok_or(NotARecap::NoObject)?;
        let end = reply.rfind('}').filter(|end| *end > start);
        let object = &reply[start..=end.ok_or(NotARecap::NoObject)?];
        let mut recap: Self = serde_json::from_str(object).map_err(|error| NotARecap::Form {
            problem: error.to_string(),
        })?;
        // What was done without a model is not the model's to say.
        recap.done = Vec::new();
        recap.done_left_out = 0;
        recap.bound();
        if recap.goal.is_empty() && recap.next_step.is_empty() {
            return Err(NotARecap::Empty);
        }
        Ok(recap)
    }

    fn bound(&mut self) {
        cut(&mut self.goal);
        cut(&mut self.next_step);
        for list in [
            &mut self.constraints,
            &mut self.dead_ends,
            &mut self.open_questions,
        ] {
            list.truncate(ENTRIES_MAX);
            list.iter_mut().for_each(cut);
            list.retain(|text| !text.is_empty());
        }
        self.decisions.truncate(ENTRIES_MAX);
        for Choice { what, why } in &mut self.decisions {
            cut(what);
            cut(why);
        }
        self.decisions.retain(|choice| !choice.what.is_empty());
        self.files.truncate(ENTRIES_MAX);
        for FileNote { path, note } in &mut self.files {
            cut(path);
            cut(note);
        }
        self.files.retain(|file| !file.path.is_empty());
    }
}

/// One line within its bound.
fn cut(text: &mut String) {
    let line: Vec<&str> = text.split_whitespace().collect();
    *text = line.join(" ").chars().take(ENTRY_CHARS_MAX).collect();
}

//! Making the conversation shorter.

use bowline_core::Fact;
use bowline_core::event::CompactionAbandoned;

use super::Loop;
use crate::Error;

impl Loop<'_> {
    /// Takes the next step in making the conversation shorter; says whether the state changed.
    pub(super) async fn stage_compaction(&mut self) -> Result<bool, Error> {
        let why = "there is no way yet".to_owned();
        self.session
            .stage(Fact::CompactionAbandoned(CompactionAbandoned { why }));
        Ok(true)
    }
}

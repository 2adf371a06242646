//! Taking on a session that came from elsewhere: what it says of this machine counts no more.

use crate::event::{BlocksDropped, Fact, SessionAdopted};
use crate::state::State;

/// Makes the facts by which a person takes on a session that came from elsewhere. They must be
/// durable before anything of it is driven: until then it says itself what it may do.
#[must_use]
pub fn adopt(state: &State, adopted: SessionAdopted) -> Vec<Fact> {
    let model = adopted.settings.model.clone();
    let told = format!(
        "This session was brought here from elsewhere. It works in {} now; the permission mode is \
         `{}`. Paths of before may lead nowhere here, files may differ from what was read, and \
         commands that ran there do not run here. What was allowed before is asked again.",
        adopted.cwd, adopted.settings.mode
    );
    let blocks = state.foreign_blocks(&model);
    let dropped = BlocksDropped { model, blocks };
    let dropped = (blocks > 0).then_some(Fact::BlocksDropped(dropped));
    std::iter::once(Fact::SessionAdopted(Box::new(adopted)))
        .chain(dropped)
        .chain([Fact::notice(told)])
        .collect()
}

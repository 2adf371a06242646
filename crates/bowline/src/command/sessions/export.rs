//! `bowline sessions export ID`: one session, whole, as one JSON object.

use bowline_journal::Store;

use crate::failure::Failure;
use crate::print;

/// Prints the session; says what is not in it.
pub fn export(store: &Store, id: &str) -> Result<(), Failure> {
    let id = store.resolve(id)?;
    let reader = store.read_only(id)?;
    let exported = print::through(|out| reader.export(out))?;
    for digest in &exported.left_out {
        print::err_line(&format!(
            "bowline: the stored body {digest} is missing or damaged: it is not in the export"
        ));
    }
    Ok(())
}

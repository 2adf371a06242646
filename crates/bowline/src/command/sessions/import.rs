//! `bowline sessions import FILE|-`: takes in a session that was exported, here or elsewhere.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::path::Path;

use bowline_journal::Store;
use bowline_runtime::Clock;

use crate::command::answer::refuse_under_a_keeper;
use crate::command::run::owner;
use crate::failure::Failure;
use crate::print;

/// The most that is taken from standard input, in bytes: it is kept in memory, because it is read
/// twice.
const STDIN_BYTES_MAX: u64 = 256 << 20;

/// Takes the session in and says how it goes on.
pub fn import(store: &Store, file: &Path) -> Result<(), Failure> {
    // The agent must not plant a session that a person then goes on with.
    refuse_under_a_keeper()?;
    let by = owner(&Clock::system());
    let imported = if file == Path::new("-") {
        let bytes = stdin()?;
        store.import(|| Ok(Cursor::new(&bytes)), &by)?
    } else {
        let open = || -> io::Result<BufReader<File>> {
            let file = File::open(file)?;
            if !file.metadata()?.is_file() {
                return Err(io::Error::other(
                    "it is not a regular file; pipe it in with -",
                ));
            }
            Ok(BufReader::new(file))
        };
        // Asked first, so that the message names the file.
        open().map_err(|error| {
            Failure::usage(format!("{} cannot be read: {error}", file.display()))
        })?;
        store.import(open, &by)?
    };
    let id = imported.session;
    let state = store.read_only(id)?.state()?;
    if let Err(error) = store.update_index(id, &state) {
        print::err_line(&format!(
            "bowline: the index is not up to date ({error}); listings still read the journals"
        ));
    }
    for digest in &imported.missing {
        print::err_line(&format!(
            "bowline: the stored body {digest} did not come with the session"
        ));
    }
    print::line(&format!(
        "session {id} is imported: {} events, {} stored bodies. `bowline sessions show {2}` shows \
         it. `bowline exec --resume {2}` goes on in the folder it is run in (or --cd DIR), with this \
         machine's configuration",
        imported.last_seq,
        imported.blobs,
        id.short()
    ));
    Ok(())
}

fn stdin() -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    io::stdin()
        .take(STDIN_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::usage(format!("standard input cannot be read: {error}")))?;
    if bytes.len() as u64 > STDIN_BYTES_MAX {
        return Err(Failure::usage(
            "the export on standard input is over 256 MiB: save it to a file and import that",
        ));
    }
    Ok(bytes)
}

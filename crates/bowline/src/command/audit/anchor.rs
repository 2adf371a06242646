//! `bowline audit anchor`: signs where every chain stands.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use bowline_journal::{Anchor, Signer, Store};
use bowline_runtime::Clock;

use super::verify::counted;
use crate::command::answer::refuse_under_a_keeper;
use crate::config_folder;
use crate::failure::Failure;
use crate::places::Places;
use crate::print::{self, clean};

/// Longer files are no keys.
const KEY_BYTES_MOST: u64 = 4 << 10;

pub fn run(
    store: &Store,
    places: &Places,
    key: Option<&Path>,
    out: Option<&Path>,
) -> Result<u8, Failure> {
    refuse_under_a_keeper()?;
    let reports = store.verify_chains(None, None)?;
    let mut heads = BTreeMap::new();
    for report in &reports {
        heads.extend(report.end.map(|end| (report.stream, end)));
        for finding in &report.findings {
            print::err_line(&clean(&format!(
                "bowline: {} is damaged from record {} on; what holds before it is anchored: \
                 `bowline audit verify`",
                report.stream, finding.seq
            )));
        }
    }
    if heads.is_empty() {
        return Err(Failure::usage(
            "nothing is recorded yet: there is nothing to anchor",
        ));
    }
    let signer = match key {
        Some(file) => read(file)?,
        None => own(places)?,
    };
    let count = heads.len();
    let anchor = Anchor::sign(heads, Clock::system().now_ms(), &signer);
    let text = anchor.file().map_err(anyhow::Error::from)?;
    match out {
        Some(file) => std::fs::write(file, text).map_err(|error| {
            Failure::stopped(format!("cannot write {}: {error}", file.display()))
        })?,
        None => print::text(&text),
    }
    print::err_line(&format!(
        "{} anchored, signed with the key {}",
        counted(count, "chain"),
        anchor.key()
    ));
    Ok(0)
}

/// The file of this installation's own key.
pub(super) fn own_file(places: &Places) -> PathBuf {
    places.config.join("audit.key")
}

/// This installation's own key, made on first use.
fn own(places: &Places) -> Result<Signer, Failure> {
    let file = own_file(places);
    if file.exists() {
        return read(&file);
    }
    let cannot = |error: &io::Error| {
        Failure::stopped(format!("cannot make the key {}: {error}", file.display()))
    };
    let _held = config_folder::hold(&places.config).map_err(|error| cannot(&error))?;
    let signer = Signer::fresh().map_err(|error| cannot(&error))?;
    let made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&file);
    match made {
        Ok(mut made) => {
            let written = made.write_all(signer.file().as_bytes());
            let synced = written.and_then(|()| made.sync_all());
            synced.map_err(|error| cannot(&error))?;
            print::err_line(&format!(
                "made the key {}: whoever verifies needs its public half, {}",
                file.display(),
                signer.public()
            ));
            Ok(signer)
        }
        // Another process was first.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => read(&file),
        Err(error) => Err(cannot(&error)),
    }
}

/// Reads a key file.
pub(super) fn read(file: &Path) -> Result<Signer, Failure> {
    let failed = |why: String| Failure::usage(format!("the key {}: {why}", file.display()));
    let size = std::fs::metadata(file).map_err(|error| failed(error.to_string()))?;
    if !size.is_file() || size.len() > KEY_BYTES_MOST {
        return Err(failed("it is no key file".to_owned()));
    }
    let text = std::fs::read_to_string(file).map_err(|error| failed(error.to_string()))?;
    Signer::read(&text).map_err(|error| failed(error.to_string()))
}

//! State folder, configuration, sessions.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;

use bowline_journal::{FolderCheck, Status, Store};
use bowline_runtime::config::Effective;

use super::Check;
use crate::args::Force;
use crate::places::{Places, project_config};
use crate::wire;

/// Less room than this is soon used up, in bytes.
const ROOM_LEAST: u64 = 100 << 20;

/// A sync that takes longer is felt at every step.
const SYNC_SLOW: Duration = Duration::from_millis(50);

/// Where state is kept.
pub(super) fn folder(places: &Places) -> Vec<Check> {
    const NAME: &str = "state folder";
    match Store::at(&places.state).check_folder() {
        Ok(check) => judge(&places.state, &check),
        Err(error) => vec![Check::problem(
            NAME,
            error.to_string(),
            "or choose another folder with BOWLINE_HOME",
        )],
    }
}

fn judge(home: &Path, check: &FolderCheck) -> Vec<Check> {
    const NAME: &str = "state folder";
    let shown = home.display();
    let elsewhere = "choose a folder on a local disk with BOWLINE_HOME";
    let mut checks = Vec::new();
    if let Some(kind) = &check.network {
        let found = format!("{shown} is on a network file system ({kind})");
        checks.push(Check::problem(NAME, found, elsewhere));
    }
    if !check.writable {
        let found = format!("{} may not be written", check.place.display());
        let fix = "give yourself the right to, or choose another folder with BOWLINE_HOME";
        checks.push(Check::problem(NAME, found, fix));
    }
    let me = rustix::process::geteuid().as_raw();
    if check.exists && check.owner != me {
        let found = format!("{shown} belongs to user {}, not to you ({me})", check.owner);
        checks.push(Check::problem(NAME, found, elsewhere));
    }
    if check.exists && check.mode & 0o077 != 0 {
        let found = format!("{shown} can be entered by others (mode {:04o})", check.mode);
        checks.push(Check::warning(NAME, found, format!("chmod 700 {shown}")));
    }
    let room = check.free_bytes >> 20;
    if check.free_bytes < ROOM_LEAST {
        let found = format!("{room} MiB left on the disk of {shown}");
        let fix = "make room: a full disk stops the next step";
        checks.push(Check::problem(NAME, found, fix));
    }
    if let Some(took) = check.sync.filter(|took| *took > SYNC_SLOW) {
        let found = format!("writing and syncing 4 KiB takes {} ms", took.as_millis());
        checks.push(Check::warning(
            NAME,
            found,
            "a faster disk makes every step faster",
        ));
    }
    if checks.is_empty() {
        let found = match check.sync {
            Some(took) => format!(
                "{shown}, yours alone, {room} MiB left, 4 KiB synced in {:.2} ms",
                took.as_secs_f64() * 1000.0
            ),
            None => format!("{shown} is not there yet; the first session makes it"),
        };
        checks.push(Check::ok(NAME, found));
    }
    checks
}

/// The configuration in force, with what is to be said of it.
pub(super) fn configuration(places: &Places, cwd: &Path) -> Result<(Effective, Vec<Check>), Check> {
    const NAME: &str = "configuration";
    let effective = wire::configure(places, cwd, &Force::default()).map_err(|failure| {
        let fix = "`docs/config.md` has every key; `bowline config show` what is in force";
        Check::problem(NAME, failure.message(), fix)
    })?;
    let mut checks = Vec::new();
    let user = places.user_config();
    if let Ok(meta) = std::fs::metadata(&user)
        && meta.mode() & 0o022 != 0
    {
        let found = format!(
            "{} can be changed by others (mode {:04o})",
            user.display(),
            meta.mode() & 0o7777
        );
        checks.push(Check::problem(
            NAME,
            found,
            format!("chmod 600 {}", user.display()),
        ));
    }
    let there = |path: &Path| {
        if path.is_file() {
            path.display().to_string()
        } else {
            format!("{} (not there)", path.display())
        }
    };
    let passed_over: usize = effective
        .shown
        .iter()
        .map(|shown| shown.passed_over.len())
        .sum();
    let mut found = format!(
        "user file {}, project file {}",
        there(&user),
        there(&project_config(cwd))
    );
    if passed_over > 0 {
        found.push_str(&format!(
            "; {passed_over} values set and not used (`bowline config show` says why)"
        ));
    }
    if let Some(line) = crate::project::line(&effective.project) {
        found.push_str(&format!("; {line}"));
    }
    checks.push(Check::ok(NAME, found));
    Ok((effective, checks))
}

/// Whether every session can be read, and what waits.
pub(super) fn sessions(places: &Places) -> Vec<Check> {
    const NAME: &str = "sessions";
    let store = Store::at(&places.state);
    let ids = match store.list() {
        Ok(ids) => ids,
        Err(error) => {
            let fix = "mend the state folder first";
            return vec![Check::problem(NAME, error.to_string(), fix)];
        }
    };
    let mut checks = Vec::new();
    for id in &ids {
        let intact = store.read_only(*id).and_then(|reader| reader.read_intact());
        let short = id.short();
        match intact {
            Ok(intact) => {
                if let Some(damage) = intact.finding {
                    let fix = format!(
                        "what lies before it is whole: `bowline sessions show {short}` shows it, \
                         `bowline sessions repair {short}` keeps it"
                    );
                    checks.push(Check::problem(NAME, format!("{short}: {damage}"), fix));
                }
            }
            Err(error) => checks.push(Check::problem(
                NAME,
                format!("{short} cannot be read: {error}"),
                "bring its folder back from a backup, or delete it",
            )),
        }
    }
    let waiting = store.summaries().map_or(0, |summaries| {
        summaries
            .iter()
            .filter(|one| one.status == Status::Waiting)
            .count()
    });
    let mut found = format!("{} there, {} damaged", ids.len(), checks.len());
    if waiting > 0 {
        found.push_str(&format!(
            ", {waiting} waiting for an answer (`bowline sessions list`)"
        ));
    }
    if checks.is_empty() {
        checks.push(Check::ok(NAME, found));
    }
    checks
}

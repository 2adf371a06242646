//! The program itself and what it needs of the machine.

use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use bowline_core::{Backend, Digest};
use bowline_runtime::Clock;
use bowline_tools::confine::{Support, capability};
use bowline_tools::keeper::{Fate, Launcher, Order};
use bowline_tools::program::{Bounds, printed};

use super::Check;
use crate::command::{VERSION, run::block_on};
use crate::print::Look;
use crate::search_path;

/// What local probes may take.
const BOUNDS: Bounds = Bounds {
    time: Duration::from_secs(5),
    bytes: 4 << 10,
};

/// The type of an ELF file that is loaded at a fixed address.
const ELF_FIXED: [u8; 2] = [2, 0];

/// The running program.
pub(super) fn program() -> Vec<Check> {
    const NAME: &str = "program";
    let what = format!(
        "bowline {VERSION}, {} {}",
        std::env::consts::OS,
        std::env::consts::ARCH
    );
    let read = std::env::current_exe().and_then(|path| Ok((std::fs::read(&path)?, path)));
    match read {
        Ok((bytes, path)) => {
            let fixed = bytes.get(16..18) == Some(&ELF_FIXED[..]);
            let address = if fixed {
                "at a fixed address"
            } else {
                "at no fixed address"
            };
            let digest = Digest::of(&bytes).to_hex();
            let found = format!("{what}, {address}, sha256 {digest}, {}", path.display());
            vec![Check::ok(NAME, found)]
        }
        Err(error) => vec![Check::problem(
            NAME,
            format!("{what}; its own file cannot be read: {error}"),
            "keepers are started from that file: install the program where it can be read",
        )],
    }
}

/// Whether a command runs under a keeper, in a folder that is removed again.
pub(super) fn keeper() -> Vec<Check> {
    const NAME: &str = "keeper";
    let fix = "shell commands need it: see that the program may start itself and that processes \
               may be made";
    let began = Instant::now();
    match kept() {
        Ok(()) => {
            let ms = began.elapsed().as_secs_f64() * 1000.0;
            vec![Check::ok(
                NAME,
                format!("runs a command and tells its exit code, in {ms:.1} ms"),
            )]
        }
        Err(why) => vec![Check::problem(NAME, why, fix)],
    }
}

fn kept() -> Result<(), String> {
    let exe = std::env::current_exe().map_err(|error| error.to_string())?;
    let folder: PathBuf =
        std::env::temp_dir().join(format!("bowline-doctor-{}", Clock::system().new_id()));
    std::fs::DirBuilder::new()
        .mode(0o700)
        .create(&folder)
        .map_err(|error| format!("no temporary folder can be made: {error}"))?;
    let fate = block_on(async {
        let order = Order::new("doctor", "exit 7", "/");
        let kept = Launcher { exe }
            .launch(&folder.join("attempt"), &order)
            .map_err(|error| crate::failure::Failure::stopped(error.to_string()))?;
        Ok(kept.wait(|_bytes| {}).await)
    });
    // What cannot be removed lies in the temporary folder of the system.
    let _left = std::fs::remove_dir_all(&folder);
    match fate.map_err(|failure| failure.message().to_owned())? {
        Fate::Finished(exit) if exit.code == Some(7) => Ok(()),
        Fate::Finished(exit) => Err(format!(
            "a command that exits with 7 ended with {:?}",
            exit.code
        )),
        Fate::InDoubt { why, .. } | Fate::NeverStarted { why } => Err(why),
    }
}

/// What can be enforced here.
pub(super) fn sandbox() -> Vec<Check> {
    const NAME: &str = "sandbox";
    let capability = capability();
    let parts = [
        ("namespaces", &capability.namespaces),
        ("Landlock", &capability.landlock),
        ("seccomp", &capability.seccomp),
    ];
    let words: Vec<String> = parts
        .iter()
        .map(|(name, support)| match support {
            Support::Works(how) => format!("{name} ({how})"),
            Support::Missing { why, .. } => format!("no {name} ({why})"),
        })
        .collect();
    let words = words.join(", ");
    let fix = capability.lacking();
    match capability.backend() {
        Some(Backend::Namespaces) => {
            let held = "commands are held by namespaces; `.env` and the like in a workspace stay \
                        readable for them, since builds need them";
            vec![Check::ok(NAME, format!("{words}: {held}"))]
        }
        Some(Backend::Landlock) => {
            let held = "commands are held by Landlock, which is weaker: what only reads is held \
                        wholly, but in mode auto every other command asks, names such as .git/hooks \
                        are not protected in a workspace, and nothing may listen on loopback";
            vec![Check::warning(NAME, format!("{words}: {held}"), fix)]
        }
        None => {
            let held = "nothing holds commands here: in mode auto every shell command asks that does \
                        more than read, and what only reads runs as it is";
            vec![Check::warning(NAME, format!("{words}: {held}"), fix)]
        }
    }
}

/// What a program says of itself: never one that lies in the folder that is looked at.
fn version_of(argv: &[&str]) -> Result<String, String> {
    let mut argv: Vec<String> = argv.iter().map(|&word| word.to_owned()).collect();
    let here: Vec<PathBuf> = std::env::current_dir().into_iter().collect();
    if let Some(name) = argv.first_mut() {
        let program = search_path::program(name, &here);
        if program.is_relative() {
            return Err(format!(
                "no `{name}` on the search path outside of this folder"
            ));
        }
        *name = program.display().to_string();
    }
    let text = printed(&argv, BOUNDS).map_err(|error| error.to_string())?;
    Ok(text.lines().next().unwrap_or_default().trim().to_owned())
}

/// The shell that commands run in.
pub(super) fn shell() -> Vec<Check> {
    match version_of(&["bash", "--version"]) {
        Ok(version) => vec![Check::ok("shell", version)],
        Err(why) => vec![Check::problem(
            "shell",
            why,
            "install bash: shell commands of the agent run in it",
        )],
    }
}

/// Git, which agents use but Bowline does not need.
pub(super) fn git() -> Vec<Check> {
    match version_of(&["git", "--version"]) {
        Ok(version) => vec![Check::ok("git", version)],
        Err(why) => vec![Check::warning(
            "git",
            why,
            "install git, so that changes can be seen and undone",
        )],
    }
}

/// What is shown on, and how.
pub(super) fn terminal() -> Vec<Check> {
    use std::io::IsTerminal as _;
    const NAME: &str = "terminal";
    let look = Look::of_stderr();
    let kind = if std::io::stderr().is_terminal() {
        "a terminal"
    } else {
        "no terminal"
    };
    let colour = if look.colour { "colours" } else { "no colours" };
    let set = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| {
        let value = std::env::var(name).ok().filter(|value| !value.is_empty())?;
        Some((*name, value))
    });
    let is_utf8 = set.as_ref().is_some_and(|(_, value)| {
        let value = value.to_uppercase();
        value.contains("UTF-8") || value.contains("UTF8")
    });
    let found = format!("{kind}, {} columns, {colour}", look.width);
    if is_utf8 {
        return vec![Check::ok(NAME, format!("{found}, UTF-8"))];
    }
    let locale = match set {
        Some((name, value)) => format!("{name}={value} is not UTF-8"),
        None => "no locale is set".to_owned(),
    };
    let fix = "set LANG to a UTF-8 locale such as C.UTF-8: signs may show wrong without";
    vec![Check::warning(NAME, format!("{found}; {locale}"), fix)]
}

//! A real bash that reads many cases in one run.

use std::io::Write;
use std::process::{Command, Stdio};

/// Cases that one bash takes.
const BATCH: usize = 2000;

/// Runs `each` once for every case, as `$text`; gives what it wrote for each.
///
/// The shell stands in `folder`, finds no programs, and ends with the last case.
pub(crate) fn for_each(cases: &[String], folder: &std::path::Path, each: &str) -> Vec<Vec<u8>> {
    let script = format!(
        "set -f +B; PATH=/nonexistent; HOME='~'; LC_ALL=C.UTF-8\n\
         while IFS= read -r -d '' text <&9; do\n{each}\nprintf '=case=\\0'\ndone"
    );
    let mut outputs = Vec::new();
    for batch in cases.chunks(BATCH) {
        let path = folder.join("cases");
        let mut file = std::fs::File::create(&path).unwrap();
        for case in batch {
            file.write_all(case.as_bytes()).unwrap();
            file.write_all(b"\0").unwrap();
        }
        drop(file);
        let script = format!("exec 9<{}\n{script}", path.display());
        let output = Command::new("bash")
            .args(["--norc", "--noprofile", "-c", &script])
            .current_dir(folder)
            .env_clear()
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .output()
            .unwrap();
        let written = split(&output.stdout, b"=case=\0");
        assert_eq!(written.len(), batch.len(), "bash went through all cases");
        outputs.extend(written.into_iter().map(<[u8]>::to_vec));
    }
    outputs
}

/// Whether `bash -n` takes a text.
pub(crate) fn takes(text: &str) -> bool {
    let status = Command::new("bash")
        .args(["--norc", "--noprofile", "-n", "-c", "--", text])
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    status.success()
}

/// The parts before each mark.
pub(crate) fn split<'b>(bytes: &'b [u8], mark: &[u8]) -> Vec<&'b [u8]> {
    let mut parts = Vec::new();
    let mut rest = bytes;
    while let Some(at) = rest.windows(mark.len()).position(|window| window == mark) {
        parts.push(&rest[..at]);
        rest = &rest[at + mark.len()..];
    }
    parts
}

/// A scratch folder, removed when dropped.
pub(crate) fn scratch(name: &str) -> Scratch {
    let path = std::env::temp_dir().join(format!("bowline-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&path).unwrap();
    Scratch(path)
}

/// A folder for the time of a test.
pub(crate) struct Scratch(pub(crate) std::path::PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let removed = std::fs::remove_dir_all(&self.0);
        assert!(removed.is_ok() || std::thread::panicking(), "{removed:?}");
    }
}

/// Prints the shortest few of what went wrong.
pub(crate) fn tell(mut wrong: Vec<String>) {
    wrong.sort_by_key(String::len);
    for found in wrong.iter().take(8) {
        println!("{}", found.chars().take(1500).collect::<String>());
    }
}

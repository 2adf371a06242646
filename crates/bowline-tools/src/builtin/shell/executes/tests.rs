//! Tests of finding what a command executes.

use std::fs;
use std::os::unix::fs::symlink;
use std::sync::Arc;

use super::*;

/// A workspace with scripts, tools and data, and one program of the search path beside it.
struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let place = Self { dir };
        for (name, is_executable) in [
            ("w/run.sh", true),
            ("w/plain.sh", false),
            ("w/tool.py", false),
            ("w/app.js", false),
            ("w/hook.js", false),
            ("w/data.csv", false),
            ("w/Makefile", false),
            ("w/package.json", false),
            ("w/pkg/__main__.py", false),
            ("w/sub/inner.sh", true),
            ("w/sub/Makefile", false),
            ("w/.git/hooks/pre-commit", true),
            ("bin/prog", true),
            ("bin/python3", true),
            ("out.sh", true),
        ] {
            let path = place.at(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, name).unwrap();
            let mode = if is_executable { 0o755 } else { 0o644 };
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        }
        symlink(place.at("w/run.sh"), place.at("w/linked")).unwrap();
        place
    }

    fn at(&self, name: &str) -> PathBuf {
        self.dir.path().canonicalize().unwrap().join(name)
    }

    fn executes(&self, command: &str) -> Vec<Executed> {
        let cx = PlanCx {
            cwd: self.at("w"),
            roots: vec![self.at("w")],
            seen: Arc::default(),
            jobs: Arc::default(),
            masks: Arc::new(crate::masks::NoMasks),
        };
        executes(
            command,
            &cx,
            &format!("/no/such:{}", self.at("bin").display()),
        )
    }

    /// Names relative to the folder of everything; `=` before one whose content is bound.
    fn names(&self, command: &str) -> String {
        let base = format!(
            "{}/",
            self.at("").display().to_string().trim_end_matches('/')
        );
        let executed = self.executes(command);
        let names = executed.iter().map(|one| {
            let bound = if one.content.is_some() { "=" } else { "" };
            format!(
                "{bound}{}",
                one.path.strip_prefix(&base).unwrap_or(&one.path)
            )
        });
        names.collect::<Vec<_>>().join(" ")
    }
}

#[test]
fn what_is_run_is_found() {
    let place = Place::new();
    let check = |command: &str, expect: &str| assert_eq!(place.names(command), expect, "{command}");
    check("", "");
    check("echo hello; cd sub", "");
    check("prog x", "bin/prog");
    check("./run.sh", "=w/run.sh");
    check("./plain.sh", "=w/plain.sh");
    check("A=1 B=./run.sh ./plain.sh", "=w/plain.sh");
    check("sub/inner.sh && prog", "bin/prog =w/sub/inner.sh");
    check("./linked", "=w/run.sh");
    check("bash plain.sh data.csv", "=w/plain.sh");
    check("bash -x plain.sh", "=w/plain.sh");
    check(". plain.sh; source ./run.sh", "=w/plain.sh =w/run.sh");
    check("python3 tool.py data.csv", "bin/python3 =w/tool.py");
    check("python3 -W ignore tool.py", "bin/python3 =w/tool.py");
    check("python3.12 tool.py", "=w/tool.py");
    check("python3 -m pkg", "bin/python3 =w/pkg/__main__.py");
    check(
        "node -r ./hook.js app.js",
        "=w/app.js =w/hook.js =w/package.json",
    );
    check(
        "node --import=./hook.js app.js",
        "=w/app.js =w/hook.js =w/package.json",
    );
    check("bash < plain.sh", "=w/plain.sh");
    check("awk -f tool.py data.csv", "=w/tool.py");
    check("cat plain.sh data.csv", "");
    check("make -C sub all", "=w/Makefile =w/sub/Makefile");
    check("npm run build", "=w/package.json");
    check("git commit -m x", "=w/.git/hooks/pre-commit");
}

#[test]
fn it_is_found_behind_other_words() {
    let place = Place::new();
    let check = |command: &str, expect: &str| assert_eq!(place.names(command), expect, "{command}");
    check("cd sub && ./inner.sh", "=w/sub/inner.sh");
    check("(cd sub; bash inner.sh)", "=w/sub/inner.sh");
    check("sudo -u bob bash plain.sh", "=w/plain.sh");
    check("timeout 5 ./run.sh", "=w/run.sh");
    check("env A=1 prog", "bin/prog");
    check("find . -name '*.x' -exec ./run.sh {} +", "=w/run.sh");
    check("echo \"$(./run.sh)\" `./plain.sh`", "=w/plain.sh =w/run.sh");
    check("bash -ec 'cd sub; bash inner.sh'", "=w/sub/inner.sh");
    check("sh -c \"sh -c 'bash plain.sh'\"", "=w/plain.sh");
    check("eval 'bash plain.sh'", "=w/plain.sh");
    check("if true; then ./plain.sh; fi", "=w/plain.sh");
    check("for n in 1 2; do bash plain.sh; done", "=w/plain.sh");
    check("bash <<END\n./run.sh\nEND", "=w/run.sh");
    check("./run.sh >plain.sh 2>&1", "=w/run.sh");
    check("'./run.sh'", "=w/run.sh");
    check("../out.sh", "=out.sh");
}

#[test]
fn what_is_no_file_is_passed_over() {
    let place = Place::new();
    fs::create_dir(place.at("w/folder")).unwrap();
    assert!(
        std::process::Command::new("mkfifo")
            .arg(place.at("w/fifo"))
            .status()
            .unwrap()
            .success()
    );
    symlink("loop", place.at("w/loop")).unwrap();
    for command in [
        "./folder",
        "./fifo",
        "./loop",
        "bash nothing.sh",
        "bash /dev/zero",
        "./\u{1}x",
    ] {
        assert_eq!(place.names(command), "", "{command}");
    }
    let long = format!("./run.sh {}", "x".repeat(COMMAND_BYTES_MAX));
    assert_eq!(place.names(&long), "", "no such command can be run");
}

#[test]
fn a_changed_byte_is_another_content() {
    let place = Place::new();
    let check = |command: &str, file: &str| {
        let before = place.executes(command);
        assert_eq!(place.executes(command), before, "{command}");
        let mut content = fs::read(place.at(file)).unwrap();
        content[0] ^= 1;
        fs::write(place.at(file), content).unwrap();
        assert_ne!(place.executes(command), before, "{command}");
    };
    check("./run.sh", "w/run.sh");
    check("./linked", "w/run.sh");
    check("make", "w/Makefile");
    let content = place.executes("bash plain.sh")[0].content;
    assert_eq!(content, Some(Digest::of(b"w/plain.sh")));
}

#[test]
fn large_and_many_files_are_known_by_size_and_times() {
    let place = Place::new();
    let large = fs::File::create(place.at("w/large.sh")).unwrap();
    large.set_len(READ_BYTES_MAX + 1).unwrap();
    let before = place.executes("bash large.sh");
    assert_eq!(before, place.executes("bash large.sh"));
    assert!(before[0].content.is_some());
    large.set_len(READ_BYTES_MAX + 2).unwrap();
    assert_ne!(before, place.executes("bash large.sh"));

    let mut command = String::new();
    for number in 0..READ_FILES_MAX + 8 {
        fs::write(place.at(&format!("w/{number:03}.sh")), "same").unwrap();
        command.push_str(&format!("bash {number:03}.sh\n"));
    }
    let all = place.executes(&command);
    let read = Some(Digest::of(b"same"));
    assert_eq!(all.len(), READ_FILES_MAX + 8);
    assert_eq!(
        all.iter().filter(|one| one.content == read).count(),
        READ_FILES_MAX
    );
    assert!(all.iter().all(|one| one.content.is_some()));
}

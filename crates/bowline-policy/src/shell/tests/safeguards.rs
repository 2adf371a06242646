//! Each safeguard taken away lets something through that it holds off.

use super::{Described, Rules, judged, policy};
use crate::safeguard::{ALL, SAFEGUARDS, Safeguard, without};

/// A command that a safeguard holds off: mode, allow rule, deny rule, `fs`, the command.
type Held = (
    &'static str,
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
    &'static str,
);

const NONE: &[(&str, &str)] = &[];

fn held(safeguard: Safeguard) -> Held {
    use Safeguard::*;
    let reading = |command| ("read-only", "", "rm *", NONE, command);
    let writing = |command| ("workspace-write", "", "rm *", NONE, command);
    match safeguard {
        Compound => reading("ls; rm x"),
        Subshells => reading("(rm x)"),
        Substitutions => reading("echo $(rm x)"),
        ProcessSubstitutions => reading("cat <(rm x)"),
        Functions => reading("f() { rm x; }; f"),
        Redefinitions => reading("ls() { :; }; ls"),
        Redirections => reading("ls > x"),
        EnvironmentPrefixes => reading("LD_PRELOAD=./x.so ls"),
        Assignments => reading("PATH=.; ls"),
        Wrappers => ("rules-only", "nice *", "rm *", NONE, "nice rm x"),
        ScriptTexts => ("auto", "", "rm *", NONE, "sh -c 'rm x'"),
        XargsAndFind => reading("find . | xargs rm"),
        Hazards => (
            "rules-only",
            "sort *",
            "",
            NONE,
            "sort --compress-program=./x a",
        ),
        Limits => reading("sed -i s/a/b/ f"),
        GitOptions => ("auto", "", "git stash *", NONE, "git -C sub stash"),
        PlantedRepositories => (
            "read-only",
            "",
            "",
            &[("sub/.git/config", "file: [core]")],
            "cd sub && git status",
        ),
        AnyFolder => reading("/opt/rm x"),
        BareNames => reading("./ls"),
        UnknownCommands => reading("x=ls; $x"),
        UnknownPaths => reading("cat \"$x\""),
        Globs => reading("cat .e*"),
        Evaluation => reading("echo $((x))"),
        SecretVariables => reading("echo $MY_TOKEN"),
        Folders => reading("cd .. && cat x"),
        Links => (
            "read-only",
            "",
            "",
            &[("l", "symlink -> /etc")],
            "cat l/passwd",
        ),
        Outside => reading("cat ../x"),
        ProtectedReads => reading("cat .env"),
        ProtectedWrites => writing("echo a > .git/hooks/x"),
        Invisible => reading("echo '\u{202e}'"),
        NotUnderstood => reading("ls ("),
        Publishes => ("full", "", "", NONE, "git push"),
        ScriptsThatPublish => ("full", "", "", &[("go.sh", "file: git push\n")], "./go.sh"),
        OtherMachines => ("auto", "", "", NONE, "curl https://example.com"),
    }
}

#[test]
fn removing_any_one_safeguard_lets_something_through() {
    assert!(ALL.len() >= 18);
    assert_eq!(ALL.len(), SAFEGUARDS.len());
    for (safeguard, facts) in ALL.iter().zip(SAFEGUARDS) {
        let (mode, allow, deny, fs, command) = held(*safeguard);
        let some = |text: &'static str| if text.is_empty() { vec![] } else { vec![text] };
        let rules = Rules {
            allow: &some(allow),
            deny: &some(deny),
            ..Rules::default()
        };
        let policy = policy(mode, rules, "/w/proj", "/home/dev");
        let look = Described::new("/w/proj", fs);
        let judge = || judged(&policy, command, "/w/proj", &look);
        let with = judge();
        let gone = without(Some(*safeguard), judge);
        assert!(
            gone.verdict < with.verdict,
            "{}: {command:?} is {:?} with it and {:?} without ({})",
            facts.name,
            with.verdict,
            gone.verdict,
            gone.reason
        );
    }
}

#[test]
fn every_safeguard_is_described_once() {
    for (at, one) in SAFEGUARDS.iter().enumerate() {
        assert!(one.what.ends_with('.') && !one.family.is_empty());
        let others = SAFEGUARDS.iter().skip(at + 1);
        assert!(
            others.clone().all(|other| other.name != one.name),
            "{}",
            one.name
        );
    }
}

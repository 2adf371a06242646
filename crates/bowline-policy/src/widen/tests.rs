//! How much a command does, and what it needs beyond the usual profile.

use bowline_core::{Action, Mode, Verdict};

use super::{Extent, Widening, extent, widening};
use crate::{NoLook, Policy, Rule, Surroundings};

const ROOT: &str = "/w";

#[test]
fn a_command_reads_writes_or_does_what_nobody_knows() {
    let rule = Rule::on_command_line(Verdict::Allow, "make *").unwrap();
    let policy = Policy {
        rules: vec![rule],
        ..Policy::new(Mode::Full, vec![ROOT.to_owned()])
    };
    let cx = Surroundings::new(ROOT, &NoLook);
    for (command, expect) in [
        ("ls -l | wc -l", Extent::Reads),
        ("git status && grep -rn x src", Extent::Reads),
        ("cd src; cat a", Extent::Reads),
        ("echo x >a", Extent::Writes),
        ("grep x a >>b 2>&1", Extent::Writes),
        ("make", Extent::Unknown),
        ("echo x >/etc/x", Extent::Unknown),
        ("echo x >.git/config", Extent::Unknown),
        ("cat /etc/hosts", Extent::Unknown),
        ("cat .env", Extent::Unknown),
        ("echo $(make)", Extent::Unknown),
        ("if", Extent::Unknown),
        ("ps aux", Extent::Unknown),
        ("cat a; /usr/bin/ps | head", Extent::Unknown),
        ("rg ps", Extent::Reads),
    ] {
        assert_eq!(extent(&policy, command, &cx), expect, "{command}");
    }
}

#[test]
fn what_is_not_wholly_listed_is_not_known() {
    let policy = Policy::new(Mode::Ask, vec![ROOT.to_owned()]);
    let cx = Surroundings::new(ROOT, &NoLook);
    for (count, expect) in [(20, Extent::Reads), (400, Extent::Unknown)] {
        let command = vec!["cat a"; count].join("; ");
        assert_eq!(extent(&policy, &command, &cx), expect, "{count}");
    }
}

#[test]
fn what_was_allowed_is_granted() {
    let policy = Policy::new(Mode::Full, vec![ROOT.to_owned()]);
    let cx = Surroundings::new(ROOT, &NoLook);
    let list = |list: &[&str]| list.iter().map(|&text| text.to_owned()).collect();
    let wide = |writes: &[&str], hosts: &[&str], network| Widening {
        writes: list(writes),
        hosts: list(hosts),
        network,
    };
    for (command, expect) in [
        ("make && echo x >a", wide(&[], &[], false)),
        ("echo x >/srv/a >/srv/a", wide(&["/srv/a"], &[], false)),
        ("echo x >../b", wide(&["/b"], &[], false)),
        ("echo x >.git/config", wide(&["/w/.git/config"], &[], false)),
        ("curl https://docs.rs/x", wide(&[], &["docs.rs"], false)),
        ("curl http://localhost:80/", wide(&[], &[], false)),
        ("npm install", wide(&[], &[], true)),
        ("npm run build", wide(&[], &[], false)),
        ("cargo install ripgrep", wide(&[], &[], true)),
    ] {
        let action = Action::Run {
            command: command.to_owned(),
            understood: false,
        };
        assert_eq!(widening(&policy, &[action], &cx), expect, "{command}");
    }
    let more = [
        Action::Run {
            command: "npm install".to_owned(),
            understood: false,
        },
        Action::reach("registry.example"),
    ];
    let expect = wide(&[], &["registry.example"], false);
    assert_eq!(widening(&policy, &more, &cx), expect);
}

//! Which variables a shell command gets.

use super::*;

#[test]
fn credentials_stay_out() {
    let check = |name: &str, value: &str, is_kept: bool| {
        let env = clean([(name.to_owned(), value.to_owned())].into_iter(), &[]);
        let kept = env
            .iter()
            .any(|(known, content)| known == name && content == value);
        assert_eq!(kept, is_kept, "{name}={value}");
    };
    for (name, value) in [
        ("PATH", "/usr/bin:/bin"),
        ("HOME", "/home/ann"),
        ("PWD", "/home/ann"),
        ("LANG", "en_GB.UTF-8"),
        ("CARGO_HOME", "/home/ann/.cargo"),
        ("RUSTUP_TOOLCHAIN", "stable"),
        ("SSH_AUTH_SOCK", "/run/user/1000/agent"),
        ("TOKENIZERS_PARALLELISM", "true"),
        ("PASSWORD_STORE_DIR", "/home/ann/.store"),
        ("KEYBOARD", "gb"),
        ("GIT_AUTHOR_NAME", "Ann"),
        ("DATABASE_URL", "postgres://localhost/app"),
        ("HTTPS_PROXY", "http://proxy:8080"),
        ("JAVA_HOME", "/usr/lib/jvm/default"),
        ("EMPTY", ""),
    ] {
        check(name, value, true);
    }
    for (name, value) in [
        ("OPENAI_API_KEY", "x"),
        ("ANTHROPIC_API_KEY", ""),
        ("GITHUB_TOKEN", "abc"),
        ("github_token", "abc"),
        ("AWS_ACCESS_KEY_ID", "abc"),
        ("AWS_SECRET_ACCESS_KEY", "abc"),
        ("AWS_SESSION_TOKEN", "abc"),
        ("GOOGLE_APPLICATION_CREDENTIALS", "/home/ann/key.json"),
        ("CARGO_REGISTRY_TOKEN", "abc"),
        ("npm_config__auth", "abc"),
        ("DB_PASSWORD", "hunter2"),
        ("STRIPE_KEY", "abc"),
        ("BOWLINE_HOME", "/home/ann/state"),
        (
            "DATABASE_URL",
            "postgres://app:s3kR9vQx2LmT@db.internal/app",
        ),
        ("INNOCENT", "https://ann:s3kR9vQx2LmT@git.internal/x.git"),
    ] {
        check(name, value, false);
    }
}

#[test]
fn git_is_told_after_what_it_is_told_already() {
    let check = |own: &[(&str, &str)], expect: &[(&str, &str)]| {
        let own = own
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let env = clean(own, &[]);
        for (name, value) in expect {
            let found: Vec<&str> = env
                .iter()
                .filter(|(known, _)| known == name)
                .map(|(_, value)| value.as_str())
                .collect();
            assert_eq!(found, [*value], "{name}");
        }
    };
    check(
        &[],
        &[
            ("GIT_CONFIG_COUNT", "2"),
            ("GIT_CONFIG_KEY_0", "core.fsmonitor"),
            ("GIT_CONFIG_VALUE_0", "false"),
        ],
    );
    check(
        &[
            ("GIT_CONFIG_COUNT", "1"),
            ("GIT_CONFIG_KEY_0", "user.name"),
            ("GIT_CONFIG_VALUE_0", "ann"),
        ],
        &[
            ("GIT_CONFIG_COUNT", "3"),
            ("GIT_CONFIG_VALUE_0", "ann"),
            ("GIT_CONFIG_KEY_1", "core.fsmonitor"),
            ("GIT_CONFIG_KEY_2", "core.pager"),
        ],
    );
}

#[test]
fn programs_are_not_looked_for_in_the_working_folder() {
    let env = clean(
        [("PATH".to_owned(), ".:/usr/bin::bin".to_owned())].into_iter(),
        &[],
    );
    let path = env.iter().find(|(name, _)| name == "PATH");
    assert_eq!(path.map(|(_, value)| value.as_str()), Some("/usr/bin"));
}

#[test]
fn what_every_command_gets_replaces_what_was_set() {
    let env = clean([("PAGER".to_owned(), "less".to_owned())].into_iter(), &[]);
    let pagers: Vec<&str> = env
        .iter()
        .filter(|(name, _)| name == "PAGER")
        .map(|(_, value)| value.as_str())
        .collect();
    assert_eq!(pagers, ["cat"]);
}

#[test]
fn a_credential_is_passed_by_its_name_alone() {
    let check = |name: &str, passed: &[&str], is_kept: bool| {
        let passed: Vec<String> = passed.iter().map(|name| (*name).to_owned()).collect();
        let env = clean([(name.to_owned(), "abc".to_owned())].into_iter(), &passed);
        assert_eq!(
            env.iter().any(|(known, _)| known == name),
            is_kept,
            "{name}"
        );
    };
    check("GITHUB_TOKEN", &["GITHUB_TOKEN"], true);
    check("GITHUB_TOKEN", &["NPM_TOKEN"], false);
    check("OPENAI_API_KEY", &["OPENAI_API_KEY"], false);
    check("BOWLINE_HOME", &["BOWLINE_HOME"], false);
}

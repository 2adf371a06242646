//! Every safeguard of the shell analysis by name: what it holds off, and the test that notices its
//! removal.

/// One safeguard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SafeguardFacts {
    /// Its name.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub what: &'static str,
    /// The family of corpus cases that it is about.
    pub family: &'static str,
    /// The test that fails without it.
    pub test: &'static str,
}

macro_rules! safeguards {
    ($($variant:ident $name:literal $family:literal $what:literal;)*) => {
        /// A safeguard of the shell analysis.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Safeguard {
            $($variant,)*
        }

        #[cfg(test)]
        pub(crate) const ALL: &[Safeguard] = &[$(Safeguard::$variant,)*];

        /// Every safeguard, in the order in which they are listed.
        pub const SAFEGUARDS: &[SafeguardFacts] = &[$(SafeguardFacts {
            name: $name,
            what: $what,
            family: $family,
            test: "removing_any_one_safeguard_lets_something_through",
        },)*];
    };
}

safeguards! {
    Compound "compound-commands" "compound"
        "Every command of lists, pipelines, groups, loops, conditions and branches is judged.";
    Subshells "subshells" "subshell"
        "Commands in parentheses are judged.";
    Substitutions "substitutions" "command-substitution"
        "Commands in $(..) and backquotes are judged wherever they stand.";
    ProcessSubstitutions "process-substitutions" "process-substitution"
        "Commands in <(..) and >(..) are judged.";
    Functions "functions" "alias-function"
        "Bodies of functions are judged, called or not.";
    Redefinitions "redefinitions" "alias-function"
        "A function that takes the name of a known command asks.";
    Redirections "redirections" "redirection"
        "A file opened by a redirection counts as read or written.";
    EnvironmentPrefixes "environment-prefixes" "env-prefix"
        "A variable set for a command asks unless it is known to be harmless.";
    Assignments "assignments" "ifs"
        "Setting a variable that the shell or programs heed asks.";
    Wrappers "wrappers" "wrappers"
        "A command that another one runs is judged itself.";
    ScriptTexts "script-texts" "eval-source"
        "Text given to eval, trap, sh -c and the like is parsed and judged.";
    XargsAndFind "xargs-and-find" "xargs-find"
        "Commands of xargs and find -exec run unasked only if they are read-only whatever they get.";
    Hazards "hazards" "sort-tar-rsync"
        "Options that start programs, load code or write elsewhere are covered by no trailing *.";
    Limits "limits" "sed"
        "A read-only command asks with arguments that make it more than that.";
    GitOptions "git-options" "git-options"
        "Deny and ask rules see through options before git's subcommand.";
    PlantedRepositories "planted-repositories" "git-options"
        "git in a repository that lies within the workspace asks.";
    AnyFolder "names-under-any-folder" "rule-precedence"
        "A deny rule's name matches under any folder.";
    BareNames "bare-names" "rule-precedence"
        "An allowed name is never ./name or one in another folder.";
    UnknownCommands "unknown-commands" "expansions"
        "A command word that is not literal asks.";
    UnknownPaths "unknown-paths" "expansions"
        "A path that is not known asks.";
    Globs "globs" "expansions"
        "A glob that finds something protected, outside or like an option is judged as that.";
    Evaluation "evaluation" "arithmetic-arrays"
        "Arithmetic, subscripts and names that bash evaluates ask unless they are literal.";
    SecretVariables "secret-variables" "secret-reads"
        "Printing the environment or a variable that is named like a secret asks.";
    Folders "working-folder" "path-escape"
        "Paths are taken from the folder that cd went to.";
    Links "links" "path-escape"
        "Links are followed, component by component.";
    Outside "outside" "path-escape"
        "Reading and writing outside the workspace asks.";
    ProtectedReads "protected-reads" "secret-reads"
        "Reading what holds secrets asks.";
    ProtectedWrites "protected-writes" "redirection"
        "Writing what can start programs asks.";
    Invisible "invisible-characters" "unicode-control"
        "Text that a reader would not see as it is asks.";
    NotUnderstood "not-understood" "eval-source"
        "Text that does not parse asks in every mode.";
    Publishes "publish-class" "package-managers"
        "Pushing, publishing and releasing ask in every mode.";
    ScriptsThatPublish "scripts-that-publish" "package-managers"
        "A script or task whose text publishes counts as publishing.";
    OtherMachines "network" "network-clients"
        "Reaching another machine asks unless a rule or mode full lets it.";
}

/// Whether a safeguard is in force: always, but for the test that takes each one away.
#[cfg(not(test))]
pub(crate) const fn is_on(_safeguard: Safeguard) -> bool {
    true
}

#[cfg(test)]
pub(crate) use self::off::{is_on, without};

#[cfg(test)]
mod off {
    use std::cell::Cell;

    use super::Safeguard;

    thread_local! {
        static OFF: Cell<Option<Safeguard>> = const { Cell::new(None) };
    }

    pub(crate) fn is_on(safeguard: Safeguard) -> bool {
        OFF.get() != Some(safeguard)
    }

    /// Does something while one safeguard is away.
    pub(crate) fn without<T>(safeguard: Option<Safeguard>, act: impl FnOnce() -> T) -> T {
        OFF.set(safeguard);
        let result = act();
        OFF.set(None);
        result
    }
}

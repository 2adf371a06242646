//! Whether a person trusts the project in a folder: its files, read once, held against the record.

use std::path::{Path, PathBuf};

use bowline_core::Digest;
use bowline_core::decision::Layer;
use bowline_journal::{Store, TrustRecord, TrustedFile};
use bowline_runtime::config::{
    Layers, PROJECT_CONFIG, PROJECT_RULES, ProjectContent, ProjectFiles, ProjectStanding,
    ProjectTrust, parse, parse_rules,
};

use crate::failure::Failure;
use crate::places::{Places, project_config, project_rules};

/// A project with what was said of it.
pub struct Project {
    /// The folder, absolute and with its links resolved where that can be done.
    pub folder: PathBuf,
    /// Its own files, as they are used from here on.
    pub files: ProjectFiles,
    /// What a person last said of it.
    pub record: Option<TrustRecord>,
}

impl Project {
    /// Reads the project in `cwd`. A record that cannot be read is no trust.
    pub fn read(places: &Places, cwd: &Path) -> Result<Self, Failure> {
        let folder = real(cwd);
        let files = ProjectFiles::read(&folder)?;
        let record = match (files.content, folder.to_str()) {
            (Some(_), Some(name)) => Store::at(&places.state).trust(name).ok().flatten(),
            _ => None,
        };
        Ok(Self {
            folder,
            files,
            record,
        })
    }

    /// Adds what the project's own files say at `now_ms`.
    pub fn add_to(&self, layers: &mut Layers, cwd: &Path, now_ms: u64) -> Result<(), Failure> {
        if let Some(text) = self.files.text(cwd, PROJECT_CONFIG)? {
            let file = project_config(cwd).display().to_string();
            layers.add(parse(Layer::Project, &file, text)?);
        }
        if let Some(text) = self.files.text(cwd, PROJECT_RULES)? {
            let file = project_rules(cwd).display().to_string();
            layers.add_rules(parse_rules(Layer::Project, &file, text)?, now_ms);
        }
        Ok(())
    }

    /// Whether it is trusted: by the record, or for this run by the hash that was `given` by hand.
    pub fn trust(&self, given: Option<&str>) -> Result<ProjectTrust, Failure> {
        let content = self.files.content.as_ref();
        if let Some(given) = given {
            self.must_be(given)?;
            return Ok(ProjectTrust::Trusted);
        }
        let is_trusted = |content: &Digest| {
            let record = self.record.as_ref();
            record.is_some_and(|record| record.holds_for(content))
        };
        Ok(match content.is_some_and(is_trusted) {
            true => ProjectTrust::Trusted,
            false => ProjectTrust::Untrusted,
        })
    }

    /// Refuses a hash that is not the one of the project's files as they were read.
    pub fn must_be(&self, given: &str) -> Result<Digest, Failure> {
        let folder = self.folder.display();
        let Some(content) = self.files.content else {
            let why = self.files.untrustable.as_deref().map_or_else(
                || "it has no files of its own".to_owned(),
                |why| format!("{why}, which no trust can be bound to"),
            );
            return Err(Failure::usage(format!(
                "there is nothing to trust in {folder}: {why}"
            )));
        };
        match Digest::from_hex(given) == Some(content) {
            true => Ok(content),
            false => Err(Failure::usage(format!(
                "the project's own files in {folder} are not those that `{given}` stands for: \
                 `bowline trust --show` shows them, and their hash"
            ))),
        }
    }

    /// Completes how the project stands with what only this side knows.
    pub fn complete(&self, standing: &mut ProjectStanding) {
        standing.content = self.files.content;
        standing.untrustable.clone_from(&self.files.untrustable);
        standing.changed = self.changed();
        let record = self.record.as_ref();
        standing.revoked = record.is_some_and(|record| {
            record.revoked_at_ms.is_some() && self.files.content == Some(record.content)
        });
    }

    /// Each file that counts, with its hash.
    pub fn hashed(&self) -> Vec<TrustedFile> {
        let files = self.files.files.iter();
        let files = files.filter(|file| file.content != ProjectContent::Folder);
        files
            .map(|file| TrustedFile {
                path: file.path.clone(),
                sha256: file.sha256(),
            })
            .collect()
    }

    /// The files that differ from those that were trusted; none if none were, or all are the same.
    fn changed(&self) -> Vec<String> {
        let Some(record) = self
            .record
            .as_ref()
            .filter(|one| one.revoked_at_ms.is_none())
        else {
            return Vec::new();
        };
        if self.files.content == Some(record.content) {
            return Vec::new();
        }
        let now = self.hashed();
        let added = now.iter().filter(|file| !record.files.contains(file));
        let gone = record.files.iter().filter(|file| !now.contains(file));
        let mut names: Vec<String> = added.chain(gone).map(|file| file.path.clone()).collect();
        names.sort();
        names.dedup();
        if names.is_empty() {
            names.push("a folder".to_owned());
        }
        names
    }
}

/// A folder without links in its path. That of the process has none, and is not looked at again.
pub fn real(folder: &Path) -> PathBuf {
    match std::env::current_dir() {
        Ok(here) if folder == here || folder == Path::new(".") => here,
        _ => folder.canonicalize().unwrap_or_else(|_| folder.to_owned()),
    }
}

/// How a project stands, in one line; `None` where there is nothing to be said.
pub fn line(standing: &ProjectStanding) -> Option<String> {
    let waiting = standing.waiting();
    let items = match waiting {
        1 => "1 item waits".to_owned(),
        count => format!("{count} items wait"),
    };
    if standing.trust == ProjectTrust::Trusted {
        let hash = standing
            .content
            .map_or_else(String::new, |hash| hash.to_hex());
        return Some(format!(
            "project: trusted (content {})",
            &hash[..8.min(hash.len())]
        ));
    }
    if let Some(why) = &standing.untrustable {
        return (waiting > 0)
            .then(|| format!("project: cannot be trusted: {why} ({items}: bowline trust --show)"));
    }
    if !standing.changed.is_empty() {
        return Some(format!(
            "project: no longer trusted: {} changed ({items}: bowline trust --show)",
            standing.changed.join(", ")
        ));
    }
    (waiting > 0).then(|| format!("project: untrusted ({items}: bowline trust --show)"))
}

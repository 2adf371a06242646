//! Where Bowline keeps its state and finds its configuration: the only reader of these variables.

use std::path::{Path, PathBuf};

use bowline_core::decision::Layer;
use etcetera::BaseStrategy as _;

use crate::failure::Failure;

/// The name of a file of permission rules.
const RULES: &str = "rules.toml";

/// The folders of this user. Nothing here is created by looking.
#[derive(Debug, Clone)]
pub struct Places {
    /// `$BOWLINE_HOME`, or `bowline` in the user's data folder.
    pub state: PathBuf,
    /// `bowline` in the user's configuration folder.
    pub config: PathBuf,
    /// The home folder, for rules that name it.
    pub home: Option<PathBuf>,
}

impl Places {
    /// Reads the environment.
    pub fn find() -> Result<Self, Failure> {
        let base = etcetera::choose_base_strategy().map_err(|_| {
            Failure::usage("there is no home folder: set HOME, or BOWLINE_HOME and XDG_CONFIG_HOME")
        });
        let state = match std::env::var_os("BOWLINE_HOME").filter(|home| !home.is_empty()) {
            Some(home) => absolute(Path::new(&home))?,
            None => base
                .as_ref()
                .map_err(Failure::again)?
                .data_dir()
                .join("bowline"),
        };
        let config = match std::env::var_os("XDG_CONFIG_HOME").filter(|home| !home.is_empty()) {
            Some(home) => absolute(Path::new(&home))?.join("bowline"),
            None => base
                .as_ref()
                .map_err(Failure::again)?
                .config_dir()
                .join("bowline"),
        };
        let home = base.ok().map(|base| base.home_dir().to_owned());
        Ok(Self {
            state,
            config,
            home,
        })
    }

    /// The file by which whoever manages the machine sets what no person loosens.
    #[expect(clippy::unused_self, reason = "a place like the others")]
    pub fn managed_config(&self) -> PathBuf {
        PathBuf::from("/etc/bowline/config.toml")
    }

    /// The user's configuration file.
    pub fn user_config(&self) -> PathBuf {
        self.config.join("config.toml")
    }

    /// The user's file of permission rules.
    pub fn user_rules(&self) -> PathBuf {
        self.config.join(RULES)
    }

    /// The files of permission rules that hold in a folder, strongest first.
    pub fn rule_files(&self, cwd: &Path) -> [(Layer, PathBuf); 3] {
        [
            (Layer::Managed, PathBuf::from("/etc/bowline").join(RULES)),
            (Layer::User, self.user_rules()),
            (Layer::Project, project_rules(cwd)),
        ]
    }

    /// The user's own figures of risk.
    pub fn user_risk(&self) -> PathBuf {
        self.config.join("risk.toml")
    }

    /// The table of models that was imported.
    pub fn imported_models(&self) -> PathBuf {
        self.config.join("models.txt")
    }
}

impl Failure {
    fn again(&self) -> Self {
        Self::usage(self.message())
    }
}

fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path)
        .map_err(|error| Failure::usage(format!("{} is no usable path: {error}", path.display())))
}

/// The project's own file of permission rules.
pub fn project_rules(cwd: &Path) -> PathBuf {
    cwd.join(".bowline").join(RULES)
}

/// The project's own configuration file.
pub fn project_config(cwd: &Path) -> PathBuf {
    cwd.join(".bowline").join("config.toml")
}

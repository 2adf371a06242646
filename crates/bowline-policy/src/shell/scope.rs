//! What holds where a command stands: the working folder, variables, functions, standard input.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::argument::Value;
use super::effect::Lines;
/// Most variables whose values are followed; one more and none is.
const VARIABLES_MAX: usize = 64;

/// Longest value that is followed, in bytes.
const VALUE_BYTES_MAX: usize = 1_024;

/// Most folders that a command may stand in before its place counts as not known.
pub(super) const PLACES_MAX: usize = 8;

/// Most texts that a variable may have before it counts as not known.
const TEXTS_MAX: usize = 64;

/// A folder that a command may stand in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// Its path as `cd` sees it: `..` is resolved by name.
    pub(super) logical: String,
    /// Its path with links followed.
    pub(super) real: String,
}

/// What is known at one point of the text.
#[derive(Debug, Clone)]
pub(super) struct Scope {
    /// Every folder it may stand in; `None` if that is not known.
    pub(super) places: Option<Vec<Place>>,
    variables: Rc<BTreeMap<String, Value>>,
    /// Where it may stand still if the last `cd` failed.
    pub(super) doubtful: Vec<Place>,
    /// Functions that are defined, by their number among all definitions.
    pub(super) functions: Rc<BTreeMap<String, usize>>,
    /// What `$1` and the following are, inside a function that was called.
    pub(super) positional: Option<Rc<Vec<Value>>>,
    /// What standard input holds.
    pub(super) input: Lines,
    /// The text on standard input, if it is known.
    pub(super) input_text: Option<Rc<str>>,
    /// Whether nothing after this point is reached.
    pub(super) is_over: bool,
    /// Whether an unknown command or file may have changed any variable.
    is_muddled: bool,
}

impl Scope {
    pub(super) fn new(cwd: &str) -> Self {
        let place = Place {
            logical: cwd.to_owned(),
            real: cwd.to_owned(),
        };
        Self {
            places: Some(vec![place]),
            doubtful: Vec::new(),
            variables: Rc::default(),
            functions: Rc::default(),
            positional: None,
            input: Lines::Unknown,
            input_text: None,
            is_over: false,
            is_muddled: false,
        }
    }

    /// The scope of another shell that starts here: it knows the folder and nothing else.
    pub(super) fn fresh(&self) -> Self {
        Self {
            variables: Rc::default(),
            functions: Rc::default(),
            positional: None,
            is_over: false,
            ..self.clone()
        }
    }

    /// What a variable holds, if it was given a value in this text.
    pub(super) fn variable(&self, name: &str) -> Option<&Value> {
        self.variables.get(name)
    }

    /// Gives a variable a value.
    pub(super) fn set(&mut self, name: &str, value: Value) {
        if self.is_muddled {
            return;
        }
        let length = match &value {
            Value::Known(text) => text.len(),
            Value::OneOf(texts) => texts.iter().map(String::len).sum(),
            _ => 0,
        };
        let value = if length > VALUE_BYTES_MAX {
            unknown(name)
        } else {
            value
        };
        let variables = Rc::make_mut(&mut self.variables);
        variables.insert(name.to_owned(), value);
        if variables.len() > VARIABLES_MAX {
            self.muddle();
        }
    }

    /// Takes back what is known of a variable.
    pub(super) fn forget(&mut self, name: &str) {
        self.set(name, unknown(name));
    }

    /// From here on no variable is known.
    pub(super) fn muddle(&mut self) {
        self.variables = Rc::default();
        self.is_muddled = true;
    }

    /// Whether it holds what `other` holds, too.
    pub(super) fn is_as(&self, other: &Self) -> bool {
        self.places == other.places
            && self.is_muddled == other.is_muddled
            && (Rc::ptr_eq(&self.variables, &other.variables) || self.variables == other.variables)
    }

    /// What holds where two ways meet.
    pub(super) fn meet(self, other: Self) -> Self {
        if self.is_over {
            return other;
        }
        if other.is_over {
            return self;
        }
        let places = match (self.places, other.places) {
            (Some(mut places), Some(more)) => {
                for place in more {
                    if !places.contains(&place) {
                        places.push(place);
                    }
                }
                (places.len() <= PLACES_MAX).then_some(places)
            }
            _ => None,
        };
        let variables = if Rc::ptr_eq(&self.variables, &other.variables) {
            self.variables
        } else {
            Rc::new(meet_variables(&self.variables, &other.variables))
        };
        let functions = if Rc::ptr_eq(&self.functions, &other.functions) {
            self.functions
        } else {
            let mut all = other.functions.as_ref().clone();
            all.extend(self.functions.as_ref().clone());
            Rc::new(all)
        };
        let mut doubtful = self.doubtful;
        doubtful.extend(other.doubtful);
        doubtful.truncate(PLACES_MAX);
        Self {
            places,
            doubtful,
            variables,
            functions,
            positional: self.positional,
            input: self.input,
            input_text: self.input_text,
            is_over: false,
            is_muddled: self.is_muddled || other.is_muddled,
        }
    }

    /// The last `cd` may have failed: from here on both hold.
    pub(super) fn settle_doubt(&mut self) {
        let doubtful = std::mem::take(&mut self.doubtful);
        if let Some(places) = &mut self.places {
            for place in doubtful {
                if !places.contains(&place) {
                    places.push(place);
                }
            }
            if places.len() > PLACES_MAX {
                self.places = None;
            }
        }
    }

    /// Forgets every variable that differs from `other`.
    pub(super) fn forget_changed(&mut self, other: &Self) {
        let changed = |name: &&String| self.variables.get(*name) != other.variables.get(*name);
        let names: Vec<String> = self
            .variables
            .keys()
            .chain(other.variables.keys())
            .filter(changed)
            .cloned()
            .collect();
        for name in names {
            self.forget(&name);
        }
        if self.places != other.places {
            self.places = None;
        }
    }
}

fn meet_variables(
    one: &BTreeMap<String, Value>,
    other: &BTreeMap<String, Value>,
) -> BTreeMap<String, Value> {
    let names = one.keys().chain(other.keys());
    names
        .map(|name| {
            let value = match (one.get(name), other.get(name)) {
                (Some(a), Some(b)) => either(a, b, name),
                // On one of the ways it is what the environment says.
                _ => unknown(name),
            };
            (name.clone(), value)
        })
        .collect()
}

fn unknown(name: &str) -> Value {
    Value::Unknown {
        written: format!("${name}"),
    }
}

/// A value that is one of two.
pub(super) fn either(a: &Value, b: &Value, name: &str) -> Value {
    if a == b {
        return a.clone();
    }
    let texts = |value: &Value| match value {
        Value::Known(text) => Some(vec![text.clone()]),
        Value::OneOf(texts) => Some(texts.clone()),
        _ => None,
    };
    match (texts(a), texts(b)) {
        (Some(mut all), Some(more)) => {
            all.extend(more);
            all.sort();
            all.dedup();
            if all.len() > TEXTS_MAX {
                unknown(name)
            } else {
                Value::OneOf(all)
            }
        }
        _ => unknown(name),
    }
}

/// What stands for a number that is not known: it is no name, no path outside, no option but a
/// negative number.
pub(super) fn any_number() -> Value {
    Value::OneOf(["-1", "0", "1"].map(str::to_owned).to_vec())
}

/// As [`any_number`], never negative.
pub(super) fn any_count() -> Value {
    Value::OneOf(["0", "1"].map(str::to_owned).to_vec())
}

/// Whether a text is a number and nothing else, as arithmetic reads it.
pub(super) fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

//! A JSON object as its members in the order written, each value as its text: numbers stay as they
//! are spelled, and a member that cannot be read does not hinder the others.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The most members of one row; those of today have some 60.
const MEMBERS_MAX: usize = 500;

/// The members of one object.
pub(super) struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'a> Members<'a> {
    /// Reads an object.
    pub(super) fn read(text: &'a str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// Whether there are more than any row has: what looks through them again and again would take
    /// for ever.
    pub(super) fn is_too_many(&self) -> bool {
        self.0.len() > MEMBERS_MAX
    }

    /// The value of the last member of that name, which is the one that counts in JSON.
    pub(super) fn get(&self, name: &str) -> Option<&'a RawValue> {
        let mut found = self.0.iter().rev();
        found
            .find(|(known, _)| known == name)
            .map(|(_, value)| *value)
    }

    /// An object within this one.
    pub(super) fn object(&self, name: &str) -> Option<Self> {
        Self::read(self.get(name)?.get()).ok()
    }

    /// A text within this one.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        serde_json::from_str(self.get(name)?.get()).ok()
    }

    /// Every member.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.0.iter().map(|(name, value)| (name.as_str(), *value))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Object)
    }
}

struct Object;

impl<'de> Visitor<'de> for Object {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}

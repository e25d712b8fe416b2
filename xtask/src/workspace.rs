//! What `cargo metadata` says of the workspace, so that no list of crates or features is kept.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde_json::Value;

use crate::cmd::{Result, cargo};

#[derive(Debug)]
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    /// Where cargo builds; everything that a verb installs goes below it.
    pub(crate) target: PathBuf,
    /// The oldest Rust that the crates promise to build with.
    pub(crate) rust_version: Option<String>,
    packages: Vec<Package>,
}

#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
    /// False for what never leaves this repository: examples, tests, this tool.
    pub(crate) published: bool,
    pub(crate) features: BTreeMap<String, Vec<String>>,
    pub(crate) targets: Vec<Target>,
}

#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) kind: Vec<String>,
    pub(crate) required_features: Vec<String>,
}

impl Workspace {
    pub(crate) fn read() -> Result<Self> {
        let json = cargo(["metadata", "--format-version=1", "--no-deps"]).read()?;
        let json: Value = serde_json::from_str(&json)?;
        let path = |key: &str| json.get(key).and_then(Value::as_str).map(PathBuf::from);
        let missing = || "`cargo metadata` answers in a form we do not know";
        let packages = json.get("packages").and_then(Value::as_array);
        let versions = packages
            .into_iter()
            .flatten()
            .filter_map(|one| one.get("rust_version"));
        Ok(Self {
            rust_version: versions.filter_map(Value::as_str).max().map(str::to_owned),
            root: path("workspace_root").ok_or_else(missing)?,
            target: path("target_directory").ok_or_else(missing)?,
            packages: packages
                .into_iter()
                .flatten()
                .map(Package::from_json)
                .collect(),
        })
    }

    pub(crate) fn packages(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter()
    }

    /// The crates that users depend on.
    pub(crate) fn libraries(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| package.published)
    }
}

impl Package {
    fn from_json(json: &Value) -> Self {
        let features = json.get("features").and_then(Value::as_object);
        let targets = json.get("targets").and_then(Value::as_array);
        Self {
            name: text(json, "name"),
            folder: PathBuf::from(text(json, "manifest_path")).with_file_name(""),
            // Absent or null: any registry. An empty list: none.
            published: json
                .get("publish")
                .and_then(Value::as_array)
                .is_none_or(|to| !to.is_empty()),
            features: features
                .into_iter()
                .flatten()
                .map(|(name, needs)| (name.clone(), texts(Some(needs))))
                .collect(),
            targets: targets
                .into_iter()
                .flatten()
                .map(Target::from_json)
                .collect(),
        }
    }

    /// The features a user may turn on, `default` apart.
    pub(crate) fn optional_features(&self) -> impl Iterator<Item = &str> {
        self.features
            .keys()
            .map(String::as_str)
            .filter(|name| *name != "default")
    }

    /// `feature` and the package's own features that it turns on, directly or not.
    pub(crate) fn implied<'a>(&'a self, feature: &'a str) -> BTreeSet<&'a str> {
        let mut seen = BTreeSet::new();
        let mut open = vec![feature];
        while let Some(name) = open.pop() {
            if let Some(needs) = self.features.get(name)
                && seen.insert(name)
            {
                open.extend(needs.iter().map(String::as_str));
            }
        }
        seen
    }
}

impl Target {
    fn from_json(json: &Value) -> Self {
        Self {
            name: text(json, "name"),
            kind: texts(json.get("kind")),
            required_features: texts(json.get("required-features")),
        }
    }

    pub(crate) fn is(&self, kind: &str) -> bool {
        self.kind.iter().any(|own| own == kind)
    }
}

fn text(json: &Value, key: &str) -> String {
    json.get(key)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

fn texts(json: Option<&Value>) -> Vec<String> {
    let list = json.and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(features: &[(&str, &[&str])]) -> Package {
        let own = |needs: &[&str]| needs.iter().map(|need| (*need).to_owned()).collect();
        Package {
            name: "a".to_owned(),
            folder: PathBuf::new(),
            published: true,
            features: features
                .iter()
                .map(|(name, needs)| ((*name).to_owned(), own(needs)))
                .collect(),
            targets: Vec::new(),
        }
    }

    #[test]
    fn a_feature_implies_what_it_turns_on_and_nothing_of_other_crates() {
        let package = package(&[("full", &["a"]), ("a", &["b", "dep:x", "y/z"]), ("b", &[])]);
        assert_eq!(package.implied("full"), BTreeSet::from(["a", "b", "full"]));
    }

    #[test]
    fn features_that_need_each_other_end() {
        let package = package(&[("a", &["b"]), ("b", &["a"])]);
        assert_eq!(package.implied("a"), BTreeSet::from(["a", "b"]));
    }
}

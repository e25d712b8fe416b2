//! `cargo xtask footprint`: how many crates each of ours pulls in, per feature, against a ceiling.
//!
//! Ceilings and forbidden crates stand in `footprint.toml`; crates and features are read from the
//! workspace, so a new one shows up by itself, and fails until it is given a ceiling.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use toml::{Table, Value};

use crate::cmd::{Result, cargo};
use crate::workspace::{Package, Workspace};

/// How a row without features is called, in the table and in the file.
const NONE: &str = "none";

pub(crate) fn run(workspace: &Workspace) -> Result {
    let path = workspace.root.join("xtask/footprint.toml");
    let rules: Table = fs::read_to_string(path)?.parse()?;
    let mut faults = unknown_names(workspace, &rules);
    println!(
        "{:<16} {:<20} {:>6} {:>8}",
        "crate", "feature", "crates", "ceiling"
    );
    for library in workspace.libraries() {
        let rules = Rules::read(rules.get(&library.name))?;
        for feature in std::iter::once(NONE).chain(library.optional_features()) {
            let tree = Tree::read(library, feature)?;
            let count = tree.crates.len();
            let ceiling = rules.ceilings.get(feature);
            let shown = ceiling.map_or_else(|| "-".to_owned(), ToString::to_string);
            println!("{:<16} {feature:<20} {count:>6} {shown:>8}", library.name);
            let row = format!("{} with {feature}", library.name);
            if ceiling.is_none() {
                faults.push(format!("{row}: has no ceiling in footprint.toml"));
            }
            if let Some(ceiling) = ceiling.filter(|ceiling| count > **ceiling) {
                let list: Vec<_> = tree.crates.iter().map(String::as_str).collect();
                faults.push(format!(
                    "{row}: {count} crates, over {ceiling}: {}",
                    list.join(", ")
                ));
            }
            for name in rules
                .forbidden(library, feature)
                .filter(|name| tree.has(name))
            {
                faults.push(format!("{row}: pulls in {name}, which it must not"));
            }
        }
    }
    if faults.is_empty() {
        Ok(())
    } else {
        Err(faults.join("\n").into())
    }
}

/// Names in the file that the workspace does not have: a rule for them would hold nothing.
fn unknown_names(workspace: &Workspace, rules: &Table) -> Vec<String> {
    let mut unknown = Vec::new();
    for (name, rules) in rules {
        let Some(library) = workspace.libraries().find(|library| library.name == *name) else {
            unknown.push(format!("footprint.toml names no crate of ours: {name}"));
            continue;
        };
        let Ok(rules) = Rules::read(Some(rules)) else {
            continue;
        };
        for feature in rules.ceilings.keys().chain(rules.only_with.keys()) {
            if feature != NONE && !library.features.contains_key(feature) {
                unknown.push(format!("footprint.toml: {name} has no feature {feature}"));
            }
        }
    }
    unknown
}

/// What `footprint.toml` says of one crate.
#[derive(Debug, Default)]
struct Rules {
    /// Feature, or `none`, to the most crates that may be in the tree, the crate itself included.
    ceilings: BTreeMap<String, usize>,
    /// Crates, or features of one as `tokio/net`, that no feature may pull in.
    never: Vec<String>,
    /// Feature to what may be pulled in only where that feature is on.
    only_with: BTreeMap<String, Vec<String>>,
}

impl Rules {
    fn read(rules: Option<&Value>) -> Result<Self> {
        let Some(rules) = rules else {
            return Ok(Self::default());
        };
        let mut read = Self::default();
        for (key, value) in rules
            .as_table()
            .ok_or("footprint.toml: a crate is a table")?
        {
            let entries = || value.as_table().into_iter().flatten();
            match key.as_str() {
                "ceilings" => {
                    for (feature, ceiling) in entries() {
                        let ceiling = ceiling.as_integer().ok_or("a ceiling is a number")?;
                        read.ceilings
                            .insert(feature.clone(), usize::try_from(ceiling)?);
                    }
                }
                "never" => read.never = strings(value)?,
                "only-with" => {
                    for (feature, names) in entries() {
                        read.only_with.insert(feature.clone(), strings(names)?);
                    }
                }
                _ => return Err(format!("footprint.toml: unknown key {key}").into()),
            }
        }
        Ok(read)
    }

    fn forbidden<'a>(
        &'a self,
        library: &'a Package,
        feature: &'a str,
    ) -> impl Iterator<Item = &'a str> {
        let on = library.implied(feature);
        let off = self
            .only_with
            .iter()
            .filter(move |(name, _)| !on.contains(name.as_str()));
        self.never
            .iter()
            .chain(off.flat_map(|(_, names)| names))
            .map(String::as_str)
    }
}

fn strings(value: &Value) -> Result<Vec<String>> {
    let list = value
        .as_array()
        .ok_or("footprint.toml: a list of names is wanted")?;
    let name = |value: &Value| value.as_str().map(str::to_owned);
    list.iter()
        .map(|value| name(value).ok_or_else(|| "a name is a string".into()))
        .collect()
}

/// What a crate is built with, of normal dependencies, on the machine this runs on.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tree {
    /// Names with versions, for two versions are two crates to build.
    crates: BTreeSet<String>,
    /// `name` and `name/feature` of each.
    names: BTreeSet<String>,
}

impl Tree {
    fn read(library: &Package, feature: &str) -> Result<Self> {
        let form = [
            "--edges", "normal", "--prefix", "none", "--format", "{p}|{f}",
        ];
        let mut command = cargo(["tree", "-p", &library.name, "--no-default-features"]).args(form);
        if feature != NONE {
            command = command.args(["--features", feature]);
        }
        Ok(Self::parse(&command.read()?))
    }

    fn parse(printed: &str) -> Self {
        let mut tree = Self::default();
        for line in printed.lines().filter(|line| !line.is_empty()) {
            let (package, features) = line.split_once('|').unwrap_or((line, ""));
            let mut words = package.split(' ');
            let (name, version) = (
                words.next().unwrap_or_default(),
                words.next().unwrap_or_default(),
            );
            tree.crates.insert(format!("{name} {version}"));
            tree.names.insert(name.to_owned());
            // A repeated package ends in " (*)", and a feature has no blank in it.
            let features = features.split(' ').next().unwrap_or_default();
            for feature in features.split(',').filter(|feature| !feature.is_empty()) {
                tree.names.insert(format!("{name}/{feature}"));
            }
        }
        tree
    }

    fn has(&self, name: &str) -> bool {
        self.names.contains(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_counts_each_version_once_and_knows_features() {
        let tree = Tree::parse(
            "a v0.1.0 (/a)|\nb v1.0.0|net,std\nc v1.0.0 (proc-macro)|\n\
             b v1.0.0|net,std (*)\nb v2.0.0|\n",
        );
        assert_eq!(tree.crates.len(), 4);
        assert!(tree.has("b") && tree.has("b/net") && tree.has("c"));
        assert!(!tree.has("b/(*)") && !tree.has("d"));
    }

    #[test]
    fn a_crate_is_forbidden_until_a_feature_that_implies_its_own_is_on() {
        let rules: Table = "[a]\nnever = [\"x\"]\nonly-with.client = [\"hyper\"]"
            .parse()
            .unwrap();
        let rules = Rules::read(rules.get("a")).unwrap();
        let features = [
            ("client", vec![]),
            ("full", vec!["client".to_owned()]),
            ("pool", vec![]),
        ];
        let library = Package {
            name: "a".to_owned(),
            folder: std::path::PathBuf::new(),
            published: true,
            features: features
                .map(|(name, needs)| (name.to_owned(), needs))
                .into(),
            targets: Vec::new(),
        };
        let forbidden = |feature| rules.forbidden(&library, feature).collect::<Vec<_>>();
        assert_eq!(forbidden(NONE), ["x", "hyper"]);
        assert_eq!(forbidden("pool"), ["x", "hyper"]);
        assert_eq!(forbidden("full"), ["x"]);
    }

    #[test]
    fn a_misspelt_rule_is_refused() {
        let rules: Table = "[a]\nnevr = []".parse().unwrap();
        assert!(Rules::read(rules.get("a")).is_err());
    }
}

//! What `sam build` builds: a binary for each function, in the function's own folder, with a name that no other has.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

use crate::permissions::functions;

/// The packages that have each binary's name, by the folder of their manifest in the workspace.
fn binaries() -> BTreeMap<String, Vec<String>> {
    let arguments = ["metadata", "--no-deps", "--offline", "--format-version", "1"];
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let root = format!("{}/", metadata["workspace_root"].as_str().unwrap());
    let mut binaries: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for package in metadata["packages"].as_array().unwrap() {
        let manifest = package["manifest_path"].as_str().unwrap();
        let folder = manifest.strip_prefix(&root).unwrap().trim_end_matches("/Cargo.toml");
        for target in package["targets"].as_array().unwrap() {
            if target["kind"].as_array().unwrap().contains(&Value::from("bin")) {
                let name = target["name"].as_str().unwrap().to_owned();
                binaries.entry(name).or_default().push(folder.to_owned());
            }
        }
    }
    binaries
}

/// The value of a key that a function's part of the template has once.
fn value<'a>(block: &'a str, key: &str) -> &'a str {
    let mut values = block.lines().filter_map(|line| line.trim().strip_prefix(key)?.strip_prefix(": "));
    let value = values.next().unwrap_or_else(|| panic!("no {key} in:\n{block}"));
    assert!(values.next().is_none(), "{key} stands twice in:\n{block}");
    value
}

#[test]
fn functions_with_routes_stop_when_the_edge_expects_it_and_before_api_gateway_gives_up() {
    let template = include_str!("../../template.yaml");
    let (globals, _) = template.split_once("\nResources:").unwrap();
    assert_eq!(value(globals, "Timeout"), edge::FUNCTION_TIMEOUT.as_secs().to_string());
    assert!(edge::FUNCTION_TIMEOUT.as_secs() < 29);
    let with_routes = functions().into_iter().filter(|(_, block)| block.contains("Type: HttpApi"));
    let own: Vec<_> =
        with_routes.filter(|(_, block)| block.contains("\n      Timeout: ")).map(|(name, _)| name).collect();
    assert!(own.is_empty(), "these have a timeout of their own: {own:?}");
}

#[test]
fn binary_names_are_unique_in_the_workspace() {
    let shared: Vec<_> = binaries().into_iter().filter(|(_, folders)| folders.len() != 1).collect();
    assert!(shared.is_empty(), "all are built to the same folder and overwrite each other: {shared:?}");
}

#[test]
fn each_function_is_built_in_its_folder_as_the_binary_of_that_name() {
    let binaries = binaries();
    let mut deployed = BTreeSet::new();
    for (name, block) in functions() {
        let (folder, binary) = (value(&block, "CodeUri"), value(&block, "Binary"));
        assert_eq!(folder, format!("functions/{binary}"), "{name}");
        assert_eq!(binaries.get(binary).map(Vec::as_slice), Some([folder.to_owned()].as_slice()), "{name}");
        assert!(deployed.insert(folder.to_owned()), "{folder} is deployed twice");
    }
    let folders: BTreeSet<_> =
        binaries.into_values().flatten().filter(|folder| folder.starts_with("functions/")).collect();
    assert_eq!(deployed, folders, "each function is in the template");
}

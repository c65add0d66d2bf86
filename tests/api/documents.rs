//! The documents about security name tests and files that exist, and `docs/asvs.md` has each requirement of ASVS 5.0.0.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The documents whose references are checked.
const DOCUMENTS: [&str; 3] = ["docs/asvs.md", "docs/security.md", "docs/threat-model.md"];

/// Words of these documents that are written like the name of a test, and are none.
const WORDS: [&str; 7] = [
    "auth_time",
    "client_credentials",
    "client_id",
    "expires_at",
    "not_applicable",
    "password_min_length",
    "serde_json",
];

/// The levels of ASVS 5.0.0: for each section, a digit for each requirement in its order.
const LEVELS: &str = "
1.1=22 1.2=1111122223 1.3=112222222223 1.4=222 1.5=123
2.1=122 2.2=112 2.3=12223 2.4=23
3.1=3 3.2=113 3.3=12223 3.4=11222233 3.5=11122333 3.6=3 3.7=22333
4.1=12233 4.2=23333 4.3=22 4.4=1222
5.1=2 5.2=112333 5.3=113 5.4=222
6.1=122 6.2=111111112222 6.3=11223333 6.4=112233 6.5=22222333 6.6=2223 6.7=33 6.8=2222
7.1=222 7.2=1111 7.3=22 7.4=11222 7.5=223 7.6=22
8.1=1233 8.2=1123 8.3=133 8.4=23
9.1=111 9.2=1222
10.1=22 10.2=223 10.3=22223 10.4=1111122222233333 10.5=22222 10.6=22 10.7=222
11.1=2233 11.2=22233 11.3=11233 11.4=1222 11.5=23 11.6=23 11.7=33
12.1=12233 12.2=11 12.3=22223
13.1=2333 13.2=222223 13.3=2233 13.4=1222233
14.1=22 14.2=12223333 14.3=122
15.1=12233 15.2=12233 15.3=1222222 15.4=3333
16.1=2 16.2=22222 16.3=2222 16.4=222 16.5=2223
17.1=23 17.2=22223333 17.3=22
";

/// The states of a requirement.
const STATES: [&str; 3] = ["met", "n/a", "open"];

/// A requirement as `docs/asvs.md` has it.
struct Row {
    chapter: String,
    section: String,
    number: String,
    level: String,
    state: usize,
    reason: String,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Returns the path of each Rust file under a folder.
fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Returns the names of the functions that have a `#[test]` or `#[tokio::test]`.
fn tests() -> BTreeSet<String> {
    let mut files = Vec::new();
    for folder in ["functions", "shared", "local", "tests"] {
        rust_files(&root().join(folder), &mut files);
    }
    let mut names = BTreeSet::new();
    for file in files {
        let text = fs::read_to_string(file).unwrap();
        let mut is_test = false;
        for line in text.lines().map(str::trim) {
            is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
            let Some((_, rest)) = line.split_once("fn ").filter(|_| is_test) else { continue };
            names.extend(rest.split('(').next().map(str::to_owned));
            is_test = false;
        }
    }
    names
}

/// Returns what a text has between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// Says whether a word names a file of the repository: by one of its folders, or by an ending.
fn is_path(word: &str) -> bool {
    let folders = [".ci/", ".github/", "docs/", "events/", "functions/", "local/", "shared/", "tests/"];
    let endings = [".md", ".toml", ".yaml"];
    folders.iter().any(|folder| word.starts_with(folder)) || endings.iter().any(|ending| word.ends_with(ending))
}

/// Says whether a word is written like the name of a test.
fn is_name(word: &str) -> bool {
    word.contains('_') && word.chars().all(|sign| sign.is_ascii_lowercase() || sign.is_ascii_digit() || sign == '_')
}

/// Says whether a word refers to something that can be checked.
fn is_reference(word: &str) -> bool {
    is_path(word) || (is_name(word) && !WORDS.contains(&word))
}

fn levels() -> BTreeMap<String, char> {
    let sections = LEVELS.split_whitespace().map(|section| section.split_once('=').unwrap());
    let numbered = |(section, levels): (&'static str, &'static str)| {
        levels.chars().enumerate().map(move |(nth, level)| (format!("{section}.{}", nth + 1), level))
    };
    sections.flat_map(numbered).collect()
}

fn cells(line: &str) -> Vec<&str> {
    line.trim_matches('|').split(" | ").map(str::trim).collect()
}

fn rows() -> Vec<Row> {
    let (mut chapter, mut section, mut rows) = (String::new(), String::new(), Vec::new());
    for line in read("docs/asvs.md").lines() {
        if let Some(title) = line.strip_prefix("## ") {
            title.clone_into(&mut chapter);
        } else if let Some(title) = line.strip_prefix("### V") {
            section = title.split(' ').next().unwrap().to_owned();
        } else if let Some(row) = line.strip_prefix("| v5.0.0-") {
            let [number, level, asks, answer] = cells(row)[..] else { panic!("{line}") };
            let (state, reason) = answer.strip_prefix("**").and_then(|answer| answer.split_once("**: ")).unwrap();
            let state = STATES.iter().position(|known| *known == state);
            assert!(!asks.is_empty() && !reason.is_empty(), "{line}");
            let state = state.unwrap_or_else(|| panic!("{line}"));
            let [number, level, reason] = [number, level, reason].map(str::to_owned);
            rows.push(Row { chapter: chapter.clone(), section: section.clone(), number, level, state, reason });
        }
    }
    rows
}

#[test]
fn security_documents_name_only_tests_and_files_that_exist() {
    let tests = tests();
    for document in DOCUMENTS {
        let text = read(document);
        let exists = |word: &str| if is_path(word) { root().join(word).exists() } else { tests.contains(word) };
        let references: Vec<_> = quoted(&text).filter(|word| is_reference(word)).collect();
        let missing: Vec<_> = references.iter().filter(|word| !exists(word)).collect();
        assert!(missing.is_empty(), "{document} names what does not exist: {missing:?}");
        assert!(references.len() > 10, "{document} refers to almost nothing");
    }
}

#[test]
fn asvs_has_each_requirement_of_both_levels_once() {
    let levels = levels();
    assert_eq!(["1", "2", "3"].map(|level| levels.values().filter(|one| level.contains(**one)).count()), [70, 183, 92]);
    let expected: Vec<_> =
        levels.iter().filter(|(_, level)| **level != '3').map(|(number, _)| number.clone()).collect();
    let rows = rows();
    let mut found: Vec<_> = rows.iter().map(|row| row.number.clone()).collect();
    found.sort();
    assert_eq!(found, expected);
    for row in rows {
        assert_eq!(row.level, levels[&row.number].to_string(), "{}", row.number);
        assert!(row.number.starts_with(&format!("{}.", row.section)), "{} is under {}", row.number, row.section);
    }
}

#[test]
fn asvs_counts_its_states_and_proves_what_is_met() {
    let mut counts: BTreeMap<String, [usize; 3]> = BTreeMap::new();
    for row in rows() {
        let proven = quoted(&row.reason).any(is_reference);
        assert!(STATES[row.state] != "met" || proven, "{} names no test and no file", row.number);
        for name in [row.chapter.as_str(), "all"] {
            counts.entry(name.to_owned()).or_default()[row.state] += 1;
        }
    }
    let text = read("docs/asvs.md");
    let summary = text.lines().skip_while(|line| !line.starts_with("| chapter ")).skip(2);
    let summary = summary.take_while(|line| line.starts_with('|')).map(|line| {
        let [chapter, counts @ ..] = &cells(line)[..] else { panic!("{line}") };
        let counts: Vec<usize> = counts.iter().map(|count| count.parse().unwrap()).collect();
        ((*chapter).to_owned(), counts.try_into().unwrap())
    });
    assert_eq!(summary.collect::<BTreeMap<String, [usize; 3]>>(), counts);
}

//! What the template lets each function do, against what its code does.

use std::collections::BTreeMap;

const TEMPLATE: &str = include_str!("../../template.yaml");

/// The part of the template that each function is, by its name.
pub(crate) fn functions() -> BTreeMap<&'static str, String> {
    let (mut functions, mut current) = (BTreeMap::new(), None);
    for line in TEMPLATE.lines() {
        if let Some(name) = line.strip_prefix("  ").filter(|rest| !rest.starts_with([' ', '#'])) {
            current = name.strip_suffix("Function:").filter(|name| !name.is_empty());
        }
        if let Some(name) = current {
            let block: &mut String = functions.entry(name).or_default();
            block.push_str(line);
            block.push('\n');
        }
    }
    functions
}

/// The statements of a function's policies.
fn statements(block: &str) -> Vec<&str> {
    block.split("- Effect: ").skip(1).collect()
}

fn paths(block: &str) -> Vec<&str> {
    block.lines().filter_map(|line| line.trim().strip_prefix("Path: ")).map(|path| path.trim_matches('"')).collect()
}

#[test]
fn only_functions_that_seal_may_read_the_sealing_secret() {
    let (mut sealing, mut denied) = (0, 0);
    for (name, block) in functions().into_iter().filter(|(_, block)| block.contains("Resource: !GetAtt Table.Arn")) {
        // Each function with routes opens the access tokens of keys; the one that sends events opens webhooks' secrets.
        let seals = name == "Events" || !paths(&block).is_empty();
        let denies = statements(&block).iter().any(|statement| {
            statement.starts_with("Deny\n")
                && statement.contains("Action: dynamodb:*")
                && statement.contains("\"ForAnyValue:StringEquals\": { \"dynamodb:LeadingKeys\": [DS] }")
        });
        assert_eq!(denies, !seals, "{name}");
        sealing += u32::from(seals);
        denied += u32::from(denies);
    }
    assert!(sealing >= 10 && denied >= 5, "{sealing} {denied}");
}

#[test]
fn only_functions_that_sign_in_have_the_clients_secret() {
    let mut having = Vec::new();
    for (name, block) in functions() {
        let (has, signs_in) =
            (block.contains("UserPoolClient.ClientSecret"), block.contains("cognito-idp:AdminInitiateAuth"));
        assert_eq!(has, signs_in, "{name}");
        having.extend(has.then_some(name));
    }
    assert_eq!(having, ["Auth", "Dialects", "Users"]);
    let globals = TEMPLATE.split("\nResources:").next().unwrap();
    assert!(!globals.contains("ClientSecret"), "no function gets it by default");
}

#[test]
fn buckets_are_listed_by_the_prefixes_of_objects_that_the_function_may_use() {
    let mut listing = 0;
    for (name, block) in functions() {
        let statements = statements(&block);
        let lists = statements.iter().filter(|statement| statement.contains("s3:ListBucket"));
        for statement in lists {
            listing += 1;
            let (_, condition) =
                statement.split_once("\"s3:prefix\": ").unwrap_or_else(|| panic!("{name} lists everything"));
            for prefix in condition.lines().next().unwrap().split('"').filter(|part| part.contains('/')) {
                let used = statements.iter().filter(|other| !other.contains("s3:ListBucket"));
                assert!(used.into_iter().any(|other| other.contains(&format!("/{prefix}"))), "{name} lists {prefix}");
            }
        }
    }
    assert!(listing >= 4, "{listing}");
}

#[test]
fn no_function_scans_or_may_do_anything_at_all() {
    for (name, block) in functions() {
        for statement in statements(&block).iter().filter(|statement| statement.starts_with("Allow")) {
            let actions = statement.split("Resource:").next().unwrap();
            assert!(!actions.contains("dynamodb:Scan") && !actions.contains('*'), "{name}: {actions}");
        }
    }
}

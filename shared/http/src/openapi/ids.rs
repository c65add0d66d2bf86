//! Ids of operations, by which generated clients name their methods: `verb_noun`, unique in all documents.

/// The id of an operation: of what its tag names where the handler has one of the usual names, or else the handler's own.
#[must_use]
pub fn operation_id(tag: &str, handler: &str) -> String {
    match handler {
        "list" => format!("list_{tag}"),
        "create" => format!("create_{}", singular(tag)),
        "read" => format!("get_{}", singular(tag)),
        "change" => format!("update_{}", singular(tag)),
        "replace" | "delete" => format!("{handler}_{}", singular(tag)),
        own => own.to_owned(),
    }
}

fn singular(tag: &str) -> &str {
    match tag {
        "addresses" => "address",
        "statuses" => "status",
        regular => regular.strip_suffix('s').unwrap_or(regular),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_handlers_are_named_after_their_tag() {
        for (tag, handler, id) in [
            ("users", "list", "list_users"),
            ("addresses", "create", "create_address"),
            ("statuses", "change", "update_status"),
            ("segments", "read", "get_segment"),
            ("catalogs", "replace", "replace_catalog"),
            ("users", "sign_up", "sign_up"),
        ] {
            assert_eq!(operation_id(tag, handler), id);
        }
    }
}

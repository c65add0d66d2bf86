//! Languages. They are the same everywhere, so that the table has none of them; here is how a list of them is searched.

use domain::language::ListedLanguage;
use uuid::Uuid;

use crate::search::{Index, Indexed, Kind, Schema, Searched, Value, ValueType};

impl Indexed for ListedLanguage {
    fn index(&self) -> Index {
        Index::new(Uuid::from_u128(self.id().into()))
            .ordered("code", Some(&Value::word(self.code())))
            .ordered("iso", Some(&Value::word(self.iso())))
            .ordered("name", Some(&Value::Text(self.name().to_owned())))
    }
}

impl Searched for ListedLanguage {
    fn schema() -> Schema {
        Schema::default().with("code", Kind::Ordered, ValueType::Word).with("iso", Kind::Ordered, ValueType::Word).with(
            "name",
            Kind::Ordered,
            ValueType::Text,
        )
    }
}

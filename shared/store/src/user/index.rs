//! What users of a segment are found by.

use std::collections::BTreeSet;

use domain::document::{Document, DocumentNumber};
use domain::phone::spelled_form;
use domain::place::Place;
use domain::{Error, SegmentId, Status, User, UserId};

use crate::Store;
use crate::keys;
use crate::search::{
    self, Directory, Filter, Found, From, Index, Indexed, Kind, Match, Schema, Search, Searched, Test, Value, ValueType,
};
use crate::table::from_item;

impl Indexed for User {
    fn index(&self) -> Index {
        let fields = &self.fields;
        let text = |text: Option<&str>| text.map(|text| Value::Text(text.to_owned()));
        let name = |name: &Option<domain::Name>| text(name.as_ref().map(domain::Name::as_str));
        let kind = |document: &Option<Document>| document.as_ref().map(|document| document.kind.as_str());
        let number =
            |document: &Option<Document>| document.as_ref().map(|document| Value::word(document.value.as_str()));
        let index = Index::new(self.id.uuid())
            .facet("status", Some(self.status.as_str()))
            .facet("gender", fields.gender.map(domain::user::Gender::as_str))
            .facet("identification_type", kind(&fields.identification))
            .sorted("updated_at", Some(&Value::word(self.updated_at)))
            .sorted("email", text(fields.email.as_ref().map(domain::Email::as_str)).as_ref())
            .sorted("name", name(&fields.name).as_ref())
            .sorted("last_name", name(&fields.last_name).as_ref())
            .sorted("identification_value", number(&fields.identification).as_ref());
        let word = |word: Option<String>| word.map(Value::Word);
        let found = [
            ("status_reason", word(self.status_reason.as_ref().map(|reason| reason.as_str().to_owned()))),
            ("username", text(fields.username.as_ref().map(domain::Username::as_str))),
            ("reference_id", word(fields.reference_id.as_ref().map(|id| id.as_str().to_owned()))),
            ("second_last_name", name(&fields.second_last_name)),
            ("phone", word(fields.phone.as_ref().map(|phone| phone.as_str().to_owned()))),
            ("phone", word(spelled_form(fields.phone.as_ref(), fields.phone_display.as_ref()))),
            ("birthdate", word(fields.birthdate.map(|date| date.to_string()))),
            ("nationality", word(fields.nationality.as_ref().map(|country| country.as_str().to_owned()))),
            ("operation_country", word(fields.operation_country.as_ref().map(|country| country.as_str().to_owned()))),
            ("language", word(fields.language.as_ref().map(|language| language.as_str().to_owned()))),
            ("tax_identification_type", word(kind(&fields.tax_identification).map(str::to_owned))),
            ("tax_identification_value", number(&fields.tax_identification)),
            ("tax_condition", word(fields.tax_condition.as_ref().map(|code| code.as_str().to_owned()))),
            ("photo_upload_id", word(fields.photo_upload_id.map(|id| id.to_string()))),
            ("partner_id", word(fields.partner_id.map(|id| id.to_string()))),
            ("status_id", word(fields.status_id.map(|id| id.to_string()))),
            ("parent_id", word(fields.parent_id.map(|id| id.to_string()))),
            ("valid_until", word(fields.valid_until.map(|time| time.to_string()))),
        ];
        let index = found.iter().fold(index, |index, (field, value)| match value {
            Some(value) => index.found(field, value),
            None => index,
        });
        let places = [("country", &fields.country), ("state", &fields.state), ("city", &fields.city)];
        places.into_iter().fold(index, |index, (field, place)| placed(index, field, place.as_ref()))
    }
}

/// A place is found by its code and by its name.
fn placed(index: Index, field: &str, place: Option<&Place>) -> Index {
    let of = place.map(|place| {
        let code = place.code.as_ref().map(domain::text::Code::as_str);
        [code, place.name.as_ref().map(domain::Name::as_str)]
    });
    let values = of.into_iter().flatten().flatten();
    values.fold(index, |index, value| index.found(field, &Value::Text(value.to_owned())))
}

impl Searched for User {
    fn schema() -> Schema {
        let schema = ["status", "gender", "identification_type"]
            .into_iter()
            .fold(Schema::default(), |schema, facet| schema.with(facet, Kind::Facet, ValueType::Word));
        let schema = ["email", "name", "last_name"]
            .into_iter()
            .fold(schema, |schema, field| schema.with(field, Kind::Sorted, ValueType::Text))
            .with("updated_at", Kind::Sorted, ValueType::Word)
            .with("identification_value", Kind::Sorted, ValueType::Word);
        let schema = ["username", "second_last_name", "country", "state", "city"]
            .into_iter()
            .fold(schema, |schema, field| schema.with(field, Kind::Found, ValueType::Text));
        let words = [
            "status_reason",
            "reference_id",
            "phone",
            "birthdate",
            "nationality",
            "operation_country",
            "language",
            "tax_identification_type",
            "tax_identification_value",
            "tax_condition",
            "photo_upload_id",
            "partner_id",
            "status_id",
            "parent_id",
            "valid_until",
        ];
        words.into_iter().fold(schema, |schema, field| schema.with(field, Kind::Found, ValueType::Word))
    }
}

/// The directory of a segment's users.
pub(crate) fn directory(segment: SegmentId) -> String {
    format!("S#{segment}")
}

/// The directory of a segment's users who are deleted.
pub(crate) fn deleted_directory(segment: SegmentId) -> String {
    format!("D#{segment}")
}

/// The directory of a segment's users who have a status that is excluded.
pub(crate) fn excluded_directory(segment: SegmentId) -> String {
    format!("Z#{segment}")
}

/// The directory that a user is in; master users are in none.
pub(super) fn directory_of(user: &User) -> Option<String> {
    let name = match (user.status, user.excluded) {
        (Status::Deleted, _) => deleted_directory,
        (Status::Unverified | Status::Active | Status::Blocked, true) => excluded_directory,
        (Status::Unverified | Status::Active | Status::Blocked, false) => directory,
    };
    user.segment_id.map(name)
}

impl Store {
    /// The users of a segment whose identity document has this number, of whatever type: 2 `Query` and 1 `BatchGetItem`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn with_document(&self, segment: SegmentId, number: &DocumentNumber) -> Result<Vec<UserId>, Error> {
        let forms = number.search_forms();
        let same = Test::AnyOf(forms.into_iter().map(|form| Match::Exact(Value::word(form))).collect());
        let search = Search {
            filters: vec![Filter { field: "identification_value".to_owned(), test: same }],
            sort: Vec::new(),
            size: 2,
            from: From::Offset(0),
            // Nobody asks how many there are.
            total: Some((0, false)),
        };
        let (some, others) = tokio::try_join!(self.users(segment, &search), self.excluded_users(segment, &search))?;
        Ok(some.rows.into_iter().chain(others.rows).map(|user| user.id).collect())
    }

    /// The users with these ids, in no order, without those who are not there: 1 `BatchGetItem` for each 100.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn users_by_id(&self, ids: impl IntoIterator<Item = UserId>) -> Result<Vec<User>, Error> {
        let keys: BTreeSet<_> = ids.into_iter().map(keys::user).collect();
        let items = self.table.get_all(keys.iter().map(keys::Key::attributes).collect()).await?;
        let users = items.into_iter().map(from_item::<User>);
        users.filter(|found| !matches!(found, Ok(user) if user.is_tombstone())).collect()
    }

    /// A page of a segment's users, without those who are deleted or have a status that is excluded.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn users(&self, segment: SegmentId, search: &Search) -> Result<Found<User>, Error> {
        self.users_in(&directory(segment), search).await
    }

    /// A page of a segment's users who are deleted.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn deleted_users(&self, segment: SegmentId, search: &Search) -> Result<Found<User>, Error> {
        self.users_in(&deleted_directory(segment), search).await
    }

    /// A page of a segment's users who have a status that is excluded.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn excluded_users(&self, segment: SegmentId, search: &Search) -> Result<Found<User>, Error> {
        self.users_in(&excluded_directory(segment), search).await
    }

    /// Whether a segment has users, deleted ones included: 3 searches.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn has_users(&self, segment: SegmentId) -> Result<bool, Error> {
        let one =
            Search { filters: Vec::new(), sort: Vec::new(), size: 1, from: From::Offset(0), total: Some((0, false)) };
        let (some, excluded, deleted) = tokio::try_join!(
            self.users(segment, &one),
            self.excluded_users(segment, &one),
            self.deleted_users(segment, &one)
        )?;
        Ok([some, excluded, deleted].iter().any(|found| !found.rows.is_empty()))
    }

    async fn users_in(&self, name: &str, search: &Search) -> Result<Found<User>, Error> {
        let schema = User::schema();
        let directory = Directory { table: &self.table, name, schema: &schema, key_of: &|id| keys::user(id.into()) };
        search::find(&directory, search).await
    }
}

//! A segment, and the people in it: skewed as people are. Few names are most people's, most are active, and not
//! everybody has everything.

use std::cmp::Ordering;

use benches::Failure;
use benches::names::LAST_NAMES;
use benches::random::Random;
use domain::segment::SegmentNumber;
use domain::{
    Act, Action, Actor, Body as _, Entry, Segment, SegmentFields, SegmentId, Status, Time, User, UserFields, UserId,
};
use serde_json::json;
use store::Store;
use store::search::{Sort, fold};
use uuid::Uuid;

/// Types of documents, and how many of a thousand people have one of these.
const DOCUMENTS: &[(&str, usize)] = &[("INE", 520), ("PASSPORT", 140), ("DNI", 90), ("CC", 50), ("CI", 24), ("CE", 6)];

/// Genders, and how many of a hundred have each.
const GENDERS: &[(&str, usize)] = &[("FEMALE", 49), ("MALE", 43), ("OTHER", 2)];

/// So many of a hundred are blocked.
const BLOCKED: usize = 6;

/// When the first one signed up; the others did second by second.
const BEGINNING: i64 = 1_735_689_600_000;

/// Last names, the `n`th of which is `n` times as rare as the first.
pub(crate) struct Names {
    /// Each with how often it and those before it occur.
    all: Vec<(String, usize)>,
    sum: usize,
}

impl Names {
    pub(crate) fn new() -> Self {
        let doubles = LAST_NAMES.iter().flat_map(|one| LAST_NAMES.iter().map(move |other| format!("{one}-{other}")));
        let names = LAST_NAMES.iter().map(|name| (*name).to_owned()).chain(doubles);
        let mut sum = 0;
        let all = names.enumerate().map(|(nth, name)| {
            sum += 1_000_000 / (nth + 1);
            (name, sum)
        });
        Self { all: all.collect(), sum }
    }

    fn one(&self, random: &mut Random) -> &str {
        let at = random.below(self.sum);
        let nth = self.all.partition_point(|(_, until)| *until <= at);
        self.all.get(nth).map_or("", |(name, _)| name)
    }
}

/// Makes a segment.
pub(crate) async fn segment(store: &Store) -> Result<Segment, Failure> {
    let (now, owner) = (Time::now(), UserId::fresh());
    let fields = UserFields::parse(json!({ "email": format!("{owner}@example.com"), "name": "Ana" }))?;
    let user = User::master(owner, fields, now);
    store.sign_up(&user, &Entry::between(None, &user, Action::Created, Act::of(Actor::System, "bench")), false).await?;
    let fields = SegmentFields::parse(json!({ "name": "Bench" }))?;
    let segment = Segment::new(SegmentId::fresh(), owner, SegmentNumber::default(), fields, now);
    Ok(store.create_segment(&segment).await?)
}

/// The user who signs up as the `nth`, and what its history says of it.
pub(crate) fn user(
    segment: &Segment,
    names: &Names,
    random: &mut Random,
    nth: usize,
) -> Result<(User, Entry), Failure> {
    let millis = BEGINNING + 1_000 * i64::try_from(nth)?;
    let bits = random.any().to_be_bytes();
    let id = uuid::Builder::from_unix_timestamp_millis(u64::try_from(millis)?, &id_bytes(bits)).into_uuid();
    let last_name = names.one(random);
    let gender = one_of(GENDERS, random.below(100));
    let document = one_of(DOCUMENTS, random.below(1_000))
        .map(|kind| json!({ "type": kind, "value": format!("{:09}{nth}", random.below(1_000_000_000)) }));
    let fields = json!({
        "email": (!random.happens(8)).then(|| format!("{}.{nth}@example.com", ascii(last_name))),
        "username": random.happens(40).then(|| format!("{}{nth}", ascii(last_name))),
        "reference_id": random.happens(40).then(|| format!("R-{nth}")),
        "last_name": (!random.happens(3)).then_some(last_name),
        "gender": gender,
        "identification": document,
    });
    let mut user =
        User::of_segment(UserId::from(id), segment.id, UserFields::parse(fields)?, Time::from_millis(millis));
    if random.happens(BLOCKED) {
        user.status = Status::Blocked;
    }
    let entry = Entry::between(None, &user, Action::Created, Act::of(Actor::System, "bench"));
    Ok((user, entry))
}

/// What an id takes besides the time.
fn id_bytes(bits: [u8; 8]) -> [u8; 10] {
    let mut bytes = [0; 10];
    bytes.iter_mut().zip(bits.iter().cycle()).for_each(|(byte, bit)| *byte = *bit);
    bytes
}

/// Which one `at` falls on; none beyond the last.
fn one_of(all: &'static [(&'static str, usize)], at: usize) -> Option<&'static str> {
    let mut until = 0;
    let found = all.iter().find(|(_, share)| {
        until += share;
        at < until
    });
    found.map(|(name, _)| *name)
}

fn ascii(name: &str) -> String {
    fold(name).chars().filter(char::is_ascii).collect()
}

/// What users are ordered by, as it is compared.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) id: Uuid,
    pub(crate) status: Status,
    gender: Option<&'static str>,
    kind: Option<&'static str>,
    number: Option<Box<str>>,
    email: Option<Box<str>>,
    last_name: Option<Box<str>>,
}

impl Person {
    pub(crate) fn of(user: &User) -> Self {
        let fields = &user.fields;
        let document = fields.identification.as_ref();
        Self {
            id: user.id.uuid(),
            status: user.status,
            gender: fields.gender.map(domain::user::Gender::as_str),
            kind: document.map(|document| document.kind.as_str()),
            number: document.map(|document| document.value.as_str().into()),
            email: fields.email.as_ref().map(|email| fold(email.as_str()).into()),
            last_name: fields.last_name.as_ref().map(|name| fold(name.as_str()).into()),
        }
    }

    /// Two people in a list's order: who has no value comes last, and the id decides in the end.
    pub(crate) fn compare(&self, other: &Self, sorts: &[Sort]) -> Ordering {
        let by = sorts.iter().map(|Sort { field, descending }| match (self.value(field), other.value(field)) {
            (Some(one), Some(other)) if *descending => other.cmp(one),
            (Some(one), Some(other)) => one.cmp(other),
            (one, other) => one.is_none().cmp(&other.is_none()),
        });
        by.fold(Ordering::Equal, Ordering::then).then_with(|| self.id.cmp(&other.id))
    }

    fn value(&self, field: &str) -> Option<&str> {
        match field {
            "status" => Some(self.status.as_str()),
            "gender" => self.gender,
            "identification_type" => self.kind,
            "identification_value" => self.number.as_deref(),
            "email" => self.email.as_deref(),
            "last_name" => self.last_name.as_deref(),
            // All alike, so that the id decides.
            _ => None,
        }
    }
}

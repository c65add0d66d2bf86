//! Members of a membership.

use domain::member::MemberNumber;
use domain::{Act, Error, Member};

use crate::Store;
use crate::bulk::Gathered;
use crate::member::{AlsoOfMember, MemberRecord, NUMBER, NUMBER_TRIES};
use crate::membership::Configuration;
use crate::table::Item;

/// Gathers new members of a membership that has none yet.
#[derive(Debug)]
pub struct NewMembers<'a> {
    store: &'a Store,
    configuration: &'a Configuration,
    gathered: Gathered,
}

impl Store {
    /// No members yet, of this membership.
    #[must_use]
    pub fn new_members<'a>(&'a self, configuration: &'a Configuration) -> NewMembers<'a> {
        NewMembers { store: self, configuration, gathered: Gathered::default() }
    }
}

impl NewMembers<'_> {
    /// Adds a member, with the writes of [`Store::create_member`]: its row, claims and entries. Nothing is
    /// written, and nothing asked of what is there.
    ///
    /// # Errors
    /// [`Error::Conflict`] where another one has its id or a value that is unique.
    pub fn add(&mut self, new: &Member) -> Result<Vec<Item>, Error> {
        let mut attempt = 0;
        loop {
            let number = MemberNumber::of(new.id, attempt);
            match self.try_add(Member { number, ..new.clone() }) {
                Err(Error::Conflict(taken))
                    if attempt < NUMBER_TRIES && taken.iter().all(|one| one.pointer == NUMBER) =>
                {
                    attempt += 1;
                }
                added => return added,
            }
        }
    }

    /// The items that all of them change together: counters and ranking.
    pub fn counters(self) -> impl Iterator<Item = Item> {
        self.gathered.counters()
    }

    fn try_add(&mut self, member: Member) -> Result<Vec<Item>, Error> {
        let record = MemberRecord::under(member, 0, self.configuration);
        let act = Act::by_itself("bulk").untold();
        self.gathered.add(self.store.member_writes(None, Some(&record), AlsoOfMember::default(), act)?)
    }
}

#[cfg(test)]
mod tests {
    use domain::answer::{Given, check_answers};
    use domain::field::Pointer;
    use domain::level::Points;
    use domain::segment::SegmentNumber;
    use domain::{
        Answers, Body as _, Checks, CustomField, CustomFieldFields, FieldId, Level, LevelFields, LevelId, MemberFields,
        MemberId, Membership, MembershipFields, MembershipId, Segment, SegmentFields, SegmentId, Time, UserId,
    };
    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::bulk::{everything, key};
    use crate::emulator::Emulator;
    use crate::keys;
    use crate::membership::Part;
    use crate::table::string;

    /// A membership with a level and two fields, the same in each emulator.
    async fn configuration(store: &Store, emulator: &Emulator) -> Configuration {
        let (id, now) = (Uuid::from_u128(1), Time::of(Uuid::nil()));
        let owner = Item::from([("status".to_owned(), string("ACTIVE"))]);
        emulator.fill([(keys::user(UserId::from(id)), owner)].into_iter());
        let fields = SegmentFields::parse(json!({ "name": "S" })).unwrap();
        let segment = Segment::new(SegmentId::from(id), UserId::from(id), SegmentNumber::default(), fields, now);
        let segment = store.create_segment(&segment).await.unwrap();
        let fields = MembershipFields::parse(json!({ "name": "M" })).unwrap();
        let membership = Membership::new(MembershipId::from(id), segment.id, segment.owner_id, fields, now);
        store.create_membership(&membership, Act::by_itself("test").untold()).await.unwrap();
        let level = LevelFields::parse(json!({ "name": "L", "number": 1, "from_point": 0, "to_point": 9 })).unwrap();
        let level = Level::new(LevelId::from(id), membership.id, level, now);
        let city = json!({ "key": "city", "name": "City", "type": "string", "searchable": true });
        let rfc = json!({ "key": "rfc", "name": "RFC", "type": "rfc", "searchable": true, "unique": true });
        let field = |nth, field| {
            let fields = CustomFieldFields::parse(field).unwrap();
            CustomField::new(FieldId::from(Uuid::from_u128(nth)), membership.id, fields, now)
        };
        let (city, rfc) = (field(1, city), field(2, rfc));
        for part in [Part::NewLevel(&level), Part::NewField(&city), Part::NewField(&rfc)] {
            let before = store.configuration(membership.id).await.unwrap();
            store.change_configuration(&before, part, false, Act::by_itself("test").untold()).await.unwrap();
        }
        store.configuration(membership.id).await.unwrap()
    }

    fn member(of: &Configuration, (id, points): (u128, i64), answers: serde_json::Value) -> Member {
        let fields = MemberFields::parse(json!({ "name": "Ana", "last_name": (id > 5).then_some("Núñez") })).unwrap();
        let (id, now) = (MemberId::from(Uuid::from_u128(id)), Time::of(Uuid::nil()));
        let (at, mut errors) = (Pointer::root(), Vec::new());
        let given = Given(answers.as_object().unwrap().clone());
        let answers = check_answers(&of.questions(), Checks::Format, &Answers::default(), given, &at, &mut errors);
        assert!(errors.is_empty(), "{errors:?}");
        Member { answers, points: Points::new(points).unwrap(), ..Member::new(id, &of.membership, fields, now) }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_items_are_those_that_transactions_leave() {
        let (one, other) = (Emulator::start().await, Emulator::start().await);
        let (by_one, at_once) = (Store::new(one.table.clone()), Store::new(other.table.clone()));
        let act = Act::by_itself("test").untold();
        let (of, again) = (configuration(&by_one, &one).await, configuration(&at_once, &other).await);
        let mut new = at_once.new_members(&again);
        // The second one's number would be the first one's, for which the last 64 bits of an id decide.
        for (id, points, answers) in [
            (1, 0, json!({ "rfc": "GODE561231GR8" })),
            (1 + (1 << 64), 9, json!({ "city": "Mérida" })),
            (7, 300, json!({ "city": "Mérida", "rfc": "GOMC900101ABA" })),
        ] {
            let member = member(&of, (id, points), answers);
            by_one.create_member(member.clone(), &of, AlsoOfMember::default(), act).await.unwrap();
            let items = new.add(&member).unwrap();
            other.fill(items.into_iter().map(|item| (key(&item).unwrap(), item)));
        }
        for (id, taken) in [(8, "/rfc"), (7, "/id")] {
            let answers = if id == 8 { json!({ "rfc": "GODE561231GR8" }) } else { json!({}) };
            let Err(Error::Conflict(fields)) = new.add(&member(&of, (id, 0), answers)) else { panic!("added") };
            assert_eq!(fields.first().unwrap().pointer, taken);
        }
        other.fill(new.counters().map(|item| (key(&item).unwrap(), item)));
        let (by_one, at_once) = (everything(&one).await, everything(&other).await);
        assert!(by_one.len() > 60, "{}", by_one.len());
        assert_eq!(by_one.keys().collect::<Vec<_>>(), at_once.keys().collect::<Vec<_>>());
        assert_eq!(by_one, at_once);
    }
}

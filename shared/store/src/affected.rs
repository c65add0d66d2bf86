//! How many members a change of a custom field would leave with an answer that no longer holds, or without one that is
//! required: counted by the tallies, so that no member has to be read.

use std::collections::BTreeMap;

use domain::answer::{Invalidates, invalidates};
use domain::{CatalogId, CustomField, Error, Membership, MembershipId, Question, SegmentId};

use crate::Store;
use crate::member_index::{ALL, answered, at_level, chosen, kept};
use crate::membership::Configuration;
use crate::search::{From, Search};

/// What a change would do to members.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Affected {
    /// How many members it affects.
    pub members: u64,
    /// Whether it cannot be made at all while there are any.
    pub is_final: bool,
}

/// How many members have each tally.
type Tallies = BTreeMap<String, u64>;

impl Store {
    /// How many members are affected where the question `old` becomes `new`, or goes: 1 `Query`, none where nobody can
    /// be.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn affected(
        &self,
        membership: MembershipId,
        old: &Question<'_>,
        new: Option<&Question<'_>>,
    ) -> Result<Affected, Error> {
        let changes = new.map(|new| invalidates(old, new));
        if changes.as_ref().is_some_and(Vec::is_empty) {
            return Ok(Affected::default());
        }
        let tallies = self.member_tallies(membership).await?;
        let tally = |name: &str| tallies.get(name).copied().unwrap_or_default();
        let key = old.field.fields.key.as_str();
        let answers = tally(&answered(key));
        // Those who are not asked at the moment may be asked again.
        let all_answers = answers + tally(&kept(key));
        let Some(changes) = changes else {
            return Ok(Affected { members: all_answers, is_final: false });
        };
        let count = |change: &Invalidates| match change {
            Invalidates::Type | Invalidates::Levels => answers,
            Invalidates::NewlyUnique => all_answers,
            Invalidates::Options(keys) => {
                let chosen = keys.iter().map(|option| tally(&chosen(key, option)));
                // Who chose several that go is counted several times, but nobody beyond those who answered.
                chosen.sum::<u64>().min(answers)
            }
            Invalidates::NewlyRequired => new.map_or(0, |new| asked(new.field, &tallies)).saturating_sub(answers),
        };
        Ok(Affected {
            members: changes.iter().map(count).max().unwrap_or_default(),
            // Two of those who answered may have the same answer: no force makes it unique.
            is_final: all_answers > 0 && changes.contains(&Invalidates::NewlyUnique),
        })
    }

    /// How many members have kept an answer to the field with this key, or to a former one: 1 `Query`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn answers_kept(&self, membership: MembershipId, key: &str) -> Result<u64, Error> {
        let tallies = self.member_tallies(membership).await?;
        Ok([answered(key), kept(key)].iter().filter_map(|name| tallies.get(name)).sum())
    }

    /// The memberships of a segment with a field that names this catalog, with their fields and catalogs: 1 `Query`
    /// and 1 more for each membership.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn catalog_uses(&self, segment: SegmentId, catalog: CatalogId) -> Result<Vec<Configuration>, Error> {
        let (mut uses, mut from) = (Vec::new(), From::Offset(0));
        loop {
            let search = Search { filters: Vec::new(), sort: Vec::new(), size: 100, from, total: Some((0, false)) };
            let found = self.memberships(segment, &search).await?;
            for Membership { id, .. } in &found.rows {
                let configuration = match self.configuration(*id).await {
                    // Deleted while this was looking.
                    Err(Error::NotFound) => continue,
                    read => read?,
                };
                if configuration.fields.iter().any(|field| field.fields.catalog_id == Some(catalog)) {
                    uses.push(self.with_catalogs(configuration).await?);
                }
            }
            match found.positions.last().filter(|_| found.more_after) {
                Some(position) => from = From::After(position.clone()),
                None => return Ok(uses),
            }
        }
    }
}

/// How many members are asked a field.
fn asked(field: &CustomField, tallies: &Tallies) -> u64 {
    let tally = |name: &str| tallies.get(name).copied().unwrap_or_default();
    let levels = &field.fields.level_ids.0.0;
    if levels.is_empty() { tally(ALL) } else { levels.iter().map(|level| tally(&at_level(level))).sum() }
}

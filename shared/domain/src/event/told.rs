//! The things whose changes are told, each as an event tells of it.

use super::{About, Thing};
use crate::field::Object;
use crate::id::SegmentId;
use crate::{
    Address, Catalog, CustomField, CustomStatus, Device, Level, Member, Membership, Notification, Partner, Product,
    Segment, Subscription, Upload,
};

impl Address {
    /// The address as an event tells of it, as one of a user of a segment.
    #[must_use]
    pub fn about_in(&self, segment: SegmentId) -> About {
        About::new(Thing::Address, segment, self.id.uuid()).of_user(Some(self.user_id))
    }
}

impl Device {
    /// The device as an event tells of it, as one of a user of a segment.
    #[must_use]
    pub fn about_in(&self, segment: SegmentId) -> About {
        About::new(Thing::Device, segment, self.id.uuid()).of_user(Some(self.user_id))
    }
}

impl Level {
    /// The level as an event tells of it, as one of a membership of a segment.
    #[must_use]
    pub fn about_in(&self, segment: SegmentId) -> About {
        About::new(Thing::Level, segment, self.id.uuid()).of_membership(self.membership_id)
    }
}

impl CustomField {
    /// The field as an event tells of it, as one of a membership of a segment.
    #[must_use]
    pub fn about_in(&self, segment: SegmentId) -> About {
        About::new(Thing::Field, segment, self.id.uuid()).of_membership(self.membership_id)
    }
}

/// What is in a segment, and knows in which.
pub trait Told: Object {
    /// It, as an event tells of it.
    fn about(&self) -> About;
}

macro_rules! told {
    ($($name:ident as $thing:ident),*) => { $(
        impl Told for $name {
            fn about(&self) -> About {
                About::new(Thing::$thing, self.segment_id, self.id.uuid())
            }
        }
    )* };
}

told!(
    Catalog as Catalog,
    CustomStatus as Status,
    Partner as Partner,
    Product as Product,
    Membership as Membership,
    Notification as Notification
);

impl Told for Segment {
    fn about(&self) -> About {
        About::new(Thing::Segment, self.id, self.id.uuid())
    }
}

impl Told for Member {
    fn about(&self) -> About {
        let about = About::new(Thing::Member, self.segment_id, self.id.uuid());
        about.of_membership(self.membership_id).of_user(self.fields.user_id)
    }
}

impl Told for Subscription {
    fn about(&self) -> About {
        let about = About::new(Thing::Subscription, self.segment_id, self.id.uuid());
        about.of_membership(self.membership_id).of_user(Some(self.fields.user_id))
    }
}

impl Told for Upload {
    fn about(&self) -> About {
        About::new(Thing::Upload, self.fields.segment_id, self.id.uuid())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::event::{Event, What};
    use crate::field::Body as _;
    use crate::id::{AddressId, UserId};
    use crate::{Act, Actor, AddressFields, Time};

    #[test]
    fn an_address_is_told_with_its_user() {
        let fields = AddressFields::parse(json!({ "street": "Reforma" })).unwrap();
        let (user, segment) = (UserId::fresh(), SegmentId::fresh());
        let address = Address::new(AddressId::fresh(), user, fields, Time::now());
        let event =
            Event::of(address.about_in(segment), What::Created, (None, Some(&address)), Act::of(Actor::System, "test"))
                .unwrap();
        assert_eq!((event.user_id, event.segment_id), (Some(user), segment));
        assert!(event.changed.contains(&"street".to_owned()), "{:?}", event.changed);
        assert_eq!(event.subject(), format!("addresses/{}", address.id));
    }
}

//! Subscriptions: members who came from a product. There is nothing of a subscription that its member does not have.

use serde::{Deserialize, Serialize};

use crate::clock::Time;
use crate::id::{MemberId, MembershipId, ProductId, SegmentId, UserId};
use crate::member::{Member, MemberFields, MemberStatus};
use crate::money::Amount;
use crate::text::ReferenceId;
use crate::value::{Integer, OrDefault};
use crate::{body, object};

/// How many of a product somebody has.
pub type Quantity = Integer<1, 1_000_000>;

body! {
    /// What is written about a subscription.
    #[derive(Serialize, Deserialize)]
    pub struct SubscriptionFields {
        /// Who subscribes: a user of the segment.
        pub user_id: UserId,
        /// What to: a product of the segment.
        pub product_id: ProductId,
        /// The subscription's id in another system.
        pub reference_id: Option<ReferenceId>,
        /// How many of the product.
        pub quantity: OrDefault<Quantity>,
        /// The price of one in this subscription, in the product's currency; null where it is the product's `value`.
        pub price: Option<Amount>,
        /// Whether it holds.
        pub status: OrDefault<MemberStatus>,
        /// When it begins.
        pub starts_at: Option<Time>,
        /// When it ends.
        pub expires_at: Option<Time>,
        /// When it was last paid.
        pub last_payment_at: Option<Time>,
    }
    example {
        "user_id": "0199d2a4-5c00-7000-8000-000000000002", "product_id": "0199d2a4-5c00-7000-8000-000000000d01",
        "reference_id": "order-5", "quantity": 1, "price": null, "status": "ACTIVE", "starts_at": "2026-11-01T00:00:00.000Z",
        "expires_at": "2027-11-01T00:00:00.000Z", "last_payment_at": null
    }
    patch { "expires_at": "2028-11-01T00:00:00.000Z", "last_payment_at": "2027-10-30T09:00:00.000Z" }
    fixed [user_id, product_id]
}

object! {
    /// What a user of a segment has of a product. Its id and its version are those of the member that it is.
    pub struct Subscription of SubscriptionFields {
        /// Its id.
        pub id: MemberId = "0199d2a4-5c00-7000-8000-00000000ae01",
        /// The segment that it belongs to.
        pub segment_id: SegmentId = "0199d2a4-5c00-7000-8000-0000000005e6",
        /// The product's membership, which the user has joined by it.
        pub membership_id: MembershipId = "0199d2a4-5c00-7000-8000-00000000ab01",
    }
}

impl Subscription {
    /// Whether it has ended: it is inactive, or past its end. One that is blocked has not: its owner shut it out.
    #[must_use]
    pub fn is_over(&self, now: Time) -> bool {
        match self.fields.status.0 {
            MemberStatus::Active => self.fields.expires_at.is_some_and(|end| end <= now),
            MemberStatus::Inactive => true,
            MemberStatus::Blocked => false,
        }
    }

    /// Whether it is in use: it is active, and its end has not passed.
    #[must_use]
    pub fn is_active(&self, now: Time) -> bool {
        self.fields.status.0 == MemberStatus::Active && !self.is_over(now)
    }
}

impl Member {
    /// The subscription that the member is, if it came from a product.
    #[must_use]
    pub fn subscription(&self) -> Option<Subscription> {
        let fields = SubscriptionFields {
            user_id: self.fields.user_id?,
            product_id: self.fields.product_id?,
            reference_id: self.fields.reference_id.clone(),
            quantity: OrDefault(self.fields.quantity.unwrap_or_default()),
            price: self.fields.price.clone(),
            status: self.fields.status,
            starts_at: self.fields.starts_at,
            expires_at: self.fields.expires_at,
            last_payment_at: self.fields.last_payment_at,
        };
        Some(Subscription {
            id: self.id,
            segment_id: self.segment_id,
            membership_id: self.membership_id,
            fields,
            version: self.version,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }

    /// Why the member cannot come to subscribe to a product, if it cannot.
    ///
    /// # Errors
    /// What is told of the user.
    pub fn may_subscribe(&self, product: ProductId) -> Result<(), &'static str> {
        match self.fields.product_id {
            Some(has) if has == product => Err("has this product already"),
            Some(_) => Err("is a member of this product's membership by another product"),
            None => Ok(()),
        }
    }

    /// Why the member cannot buy a product, if it cannot: as [`Self::may_subscribe`], but what is over can be bought again.
    ///
    /// # Errors
    /// What is told of the user.
    pub fn may_buy(&self, product: ProductId, now: Time) -> Result<(), &'static str> {
        let own = self.subscription().filter(|own| own.fields.product_id == product);
        if own.is_some_and(|own| own.is_over(now)) { Ok(()) } else { self.may_subscribe(product) }
    }

    /// The member with what a subscription says of it, one version on.
    #[must_use]
    pub fn subscribed(&self, fields: SubscriptionFields, now: Time) -> Self {
        Self { fields: self.fields.clone().subscribed(fields), ..self.next(now) }
    }
}

impl MemberFields {
    /// What is written about a member who comes from a product.
    #[must_use]
    pub fn subscriber(fields: SubscriptionFields) -> Self {
        Self::nothing(Some(fields.user_id)).subscribed(fields)
    }

    /// These with what a subscription says.
    #[must_use]
    pub fn subscribed(self, fields: SubscriptionFields) -> Self {
        Self {
            user_id: Some(fields.user_id),
            product_id: Some(fields.product_id),
            reference_id: fields.reference_id,
            quantity: Some(fields.quantity.0),
            price: fields.price,
            status: fields.status,
            starts_at: fields.starts_at,
            expires_at: fields.expires_at,
            last_payment_at: fields.last_payment_at,
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use crate::field::{Body as _, MergePatch};
    use crate::membership::{Membership, MembershipFields};
    use serde_json::json;

    #[test]
    fn every_example_is_accepted() {
        assert!(SubscriptionFields::parse(SubscriptionFields::example()).is_ok());
        assert!(MergePatch::<SubscriptionFields>::parse(SubscriptionFields::patch_example()).is_ok());
    }

    #[test]
    fn a_member_is_the_subscription_that_it_came_from() -> Result<(), Error> {
        let called = MembershipFields::parse(json!({ "name": "M" }))?;
        let membership =
            Membership::new(MembershipId::fresh(), SegmentId::fresh(), UserId::fresh(), called, Time::now());
        let plain = MemberFields::parse(json!({ "name": "Ana", "status": "BLOCKED" }))?;
        let member = Member::new(MemberId::fresh(), &membership, plain, Time::now());
        assert!(member.subscription().is_none());
        let fields = SubscriptionFields::parse(SubscriptionFields::example())?;
        let member = member.subscribed(fields.clone(), Time::now());
        assert_eq!((member.version, member.fields.name.as_ref().map(|name| name.as_str())), (2, Some("Ana")));
        let shown = member.subscription().map(|subscription| subscription.fields.show());
        assert_eq!(shown, Some(fields.show()));
        Ok(())
    }

    #[test]
    fn subscription_is_over_once_it_is_inactive_or_past_its_end() -> Result<(), Error> {
        let membership = Membership::new(
            MembershipId::fresh(),
            SegmentId::fresh(),
            UserId::fresh(),
            MembershipFields::parse(json!({ "name": "M" }))?,
            Time::now(),
        );
        let (now, day) = (Time::now(), std::time::Duration::from_secs(24 * 60 * 60));
        let (past, later) = (Time::from_millis(now.millis() - 1000), now.plus(day));
        for (status, end, is_over, is_active) in [
            ("ACTIVE", None, false, true),
            ("ACTIVE", Some(later), false, true),
            ("ACTIVE", Some(now), true, false),
            ("ACTIVE", Some(past), true, false),
            ("INACTIVE", Some(later), true, false),
            ("BLOCKED", Some(past), false, false),
            ("BLOCKED", Some(later), false, false),
        ] {
            let product = ProductId::fresh();
            let fields =
                json!({ "user_id": UserId::fresh(), "product_id": product, "status": status, "expires_at": end });
            let fields = MemberFields::subscriber(SubscriptionFields::parse(fields)?);
            let member = Member::new(MemberId::fresh(), &membership, fields, now);
            assert_eq!(member.subscription().is_some_and(|own| own.is_over(now)), is_over, "{status} {end:?}");
            assert_eq!(member.subscription().is_some_and(|own| own.is_active(now)), is_active, "{status} {end:?}");
            assert_eq!(member.may_buy(product, now).is_ok(), is_over, "{status} {end:?}");
            assert!(member.may_buy(ProductId::fresh(), now).is_err(), "another product of the membership");
        }
        Ok(())
    }

    #[test]
    fn a_product_has_somebody_who_subscribes_to_it() {
        let product = json!({ "product_id": ProductId::fresh() });
        let Err(Error::Invalid(errors)) = MemberFields::parse(product.clone()) else { panic!("accepted") };
        assert_eq!(
            errors.iter().map(|one| (one.pointer.as_str(), one.code)).collect::<Vec<_>>(),
            [("/user_id", "required")]
        );
        let joining = crate::member::Joining::<MemberFields>::parse(product);
        assert!(matches!(joining, Err(Error::Invalid(_))));
    }
}

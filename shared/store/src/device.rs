//! Devices. They live in their user's partition, and those of a segment's users are listed in one partition besides. A
//! token is claimed: within a segment it belongs to one device of one user.

use domain::device::{MOST_DEVICES, PushToken};
use domain::user::Unique;
use domain::{Act, Device, DeviceId, Error, Object, SegmentId, Status, UserId};
use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize};

use crate::Store;
use crate::backoff::Tries;
use crate::keys::{self, DEVICES, PK, SK, Scope};
use crate::search::{Index, Indexed, Kind, Schema, Searched, Value, ValueType};
use crate::table::{Changes, Item, Query, Write, from_item, number, string, to_item};
use crate::user::{UserRecord, record};

/// A device, and where whoever sends has registered it.
#[derive(Debug, Clone, Deserialize)]
pub struct DeviceRecord {
    /// The device.
    #[serde(flatten)]
    pub device: Device,
    /// What Amazon SNS calls it, once it has been sent to.
    pub endpoint: Option<String>,
}

impl DeviceRecord {
    /// What holds as long as nobody has changed it since it was read, nor registered it where it is sent to.
    fn same(&self) -> (&'static str, Item) {
        let version = (":version".to_owned(), number(self.device.version));
        match &self.endpoint {
            None => ("version = :version AND attribute_not_exists(endpoint)", Item::from([version])),
            Some(endpoint) => {
                let endpoint = (":endpoint".to_owned(), string(endpoint));
                ("version = :version AND endpoint = :endpoint", Item::from([version, endpoint]))
            }
        }
    }
}

/// What the claim of a token says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Whose device has it.
    pub user_id: UserId,
    /// The device.
    pub device_id: DeviceId,
}

/// Some devices of a segment, and where to go on; absent at the end.
pub type SomeDevices = (Vec<DeviceRecord>, Option<String>);

impl Indexed for Device {
    fn index(&self) -> Index {
        Index::new(self.id.uuid()).found("platform", &Value::word(self.fields.platform.as_str()))
    }
}

impl Searched for Device {
    fn schema() -> Schema {
        Schema::default().with("platform", Kind::Found, ValueType::Word)
    }
}

impl Store {
    /// The devices of a user, oldest first: 1 `Query`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn devices(&self, user: UserId) -> Result<Vec<DeviceRecord>, Error> {
        self.table.all(&Query::under(keys::partition(user), DEVICES)).await
    }

    /// A device: 1 `GetItem`.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn device(&self, user: UserId, id: DeviceId) -> Result<DeviceRecord, Error> {
        self.table.get(&keys::device(user, id)).await?.ok_or(Error::NotFound).and_then(from_item)
    }

    /// Which device of a segment's users, or of the master users, has a token: 1 `GetItem`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn holder_of_token(&self, scope: Scope, token: &PushToken) -> Result<Option<Holder>, Error> {
        self.table.get(&keys::claim(scope, &unique(token))).await?.map(from_item).transpose()
    }

    /// Writes a new device of `owner`; where another user's has its token, in the place of that one. 1 transaction.
    ///
    /// # Errors
    /// [`Error::Conflict`] where some device has the token that is not `former`; [`Error::Stale`] where `former`, the
    /// owner or how many devices it has have changed since they were read.
    pub async fn create_device(
        &self,
        owner: &UserRecord,
        new: &Device,
        former: Option<&DeviceRecord>,
        act: Act<'_>,
    ) -> Result<(), Error> {
        let segment = owner.user.segment_id;
        let holder = Holder { user_id: new.user_id, device_id: new.id };
        let taken = Error::conflict("/token", "taken", "belongs to another device");
        let claim = keys::claim(segment.into(), &unique(&new.fields.token));
        let mut writes = vec![
            Write::create(&self.table, &keys::device(new.user_id, new.id), to_item(new)?)
                .on_condition_failed(Error::Stale),
            self.one_device_more(new.user_id),
        ];
        writes.extend(segment.map(|segment| Write::mark(&self.table, &listed(segment, holder))));
        writes.push(match former {
            None => Write::create(&self.table, &claim, to_item(&holder)?).on_condition_failed(taken),
            Some(former) => {
                let changes = Changes::default()
                    .set("user_id", string(holder.user_id))
                    .set("device_id", string(holder.device_id))
                    .value(":former", string(former.device.id));
                Write::update(&self.table, &claim, "device_id = :former", changes).on_condition_failed(Error::Stale)
            }
        });
        if let Some(former) = former {
            writes.extend(self.device_gone(segment, former, act)?);
        }
        writes.extend(self.tells_device(segment, (None, Some(new)), act)?);
        self.table.transact(writes).await
    }

    /// Writes `new` over `old`, of the same token: 1 transaction.
    ///
    /// # Errors
    /// [`Error::Stale`] where it has changed, or gone, since it was read.
    pub async fn change_device(
        &self,
        segment: Option<SegmentId>,
        old: &DeviceRecord,
        new: &Device,
        act: Act<'_>,
    ) -> Result<(), Error> {
        let changes = Changes::between(&to_item(&old.device)?, &to_item(new)?);
        // Where it is registered is of its platform.
        let moved = old.device.fields.platform != new.fields.platform && old.endpoint.is_some();
        let changes = if moved { changes.remove("endpoint") } else { changes };
        let key = keys::device(new.user_id, new.id);
        let (same, values) = old.same();
        let changes = values.into_iter().fold(changes, |changes, (name, value)| changes.value(&name, value));
        let mut writes = vec![Write::update(&self.table, &key, same, changes).on_condition_failed(Error::Stale)];
        writes.extend(old.endpoint.as_deref().filter(|_| moved).map(|endpoint| self.endpoint_left(endpoint)));
        writes.extend(self.tells_device(segment, (Some(&old.device), Some(new)), act)?);
        self.table.transact(writes).await
    }

    /// Notes where whoever sends has registered a device, if it is still there, and of its platform: 1 `UpdateItem`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn device_registered(&self, device: &Device, endpoint: &str) -> Result<bool, Error> {
        let changes = Changes::default()
            .set("endpoint", string(endpoint))
            .value(":platform", string(device.fields.platform.as_str()));
        // One that has just gone must not come back.
        let key = keys::device(device.user_id, device.id);
        self.table.update(&key, "platform = :platform", changes).await
    }

    /// Deletes a device of a segment's user, or of a master user: 1 transaction.
    ///
    /// # Errors
    /// [`Error::Stale`] where it has changed, or gone, since it was read.
    pub async fn delete_device(
        &self,
        segment: Option<SegmentId>,
        record: &DeviceRecord,
        act: Act<'_>,
    ) -> Result<(), Error> {
        let mine = Item::from([(":device".to_owned(), string(record.device.id))]);
        let claim = keys::claim(segment.into(), &unique(&record.device.fields.token));
        let mut writes = self.device_gone(segment, record, act)?;
        writes.push(Write::delete(&self.table, &claim, "device_id = :device", mine).on_condition_failed(Error::Stale));
        self.table.transact(writes).await
    }

    /// The end of a device, but for the claim of its token.
    fn device_gone(
        &self,
        segment: Option<SegmentId>,
        record: &DeviceRecord,
        act: Act<'_>,
    ) -> Result<Vec<Write>, Error> {
        let device = &record.device;
        let holder = Holder { user_id: device.user_id, device_id: device.id };
        let (same, values) = record.same();
        let gone = Write::delete(&self.table, &keys::device(device.user_id, device.id), same, values);
        let mut writes = vec![gone.on_condition_failed(Error::Stale), self.one_device_less(device.user_id)];
        writes.extend(segment.map(|segment| Write::delete_item(&self.table, listed(segment, holder).attributes())));
        writes.extend(record.endpoint.as_deref().map(|endpoint| self.endpoint_left(endpoint)));
        writes.extend(self.tells_device(segment, (Some(device), None), act)?);
        Ok(writes)
    }

    /// What tells of a device, if it is one of a segment's user.
    fn tells_device(
        &self,
        segment: Option<SegmentId>,
        (old, new): (Option<&Device>, Option<&Device>),
        act: Act<'_>,
    ) -> Result<Option<Write>, Error> {
        let Some((device, segment)) = new.or(old).zip(segment) else { return Ok(None) };
        let as_object = |device| device as &dyn Object;
        self.tells_of(device.about_in(segment), (old.map(as_object), new.map(as_object)), act)
    }

    /// Deletes all devices of a user who is being erased.
    pub(crate) async fn leave_devices(
        &self,
        user: UserId,
        segment: Option<SegmentId>,
        act: Act<'_>,
    ) -> Result<(), Error> {
        let mut tries = Tries::default();
        loop {
            let found = self.devices(user).await?;
            let mut stale = false;
            for record in &found {
                match self.delete_device(segment, record, act).await {
                    // Somebody else has changed it, or has taken its token over.
                    Err(Error::Stale) => stale = true,
                    done => done?,
                }
            }
            if !stale {
                return Ok(());
            }
            tries.again().await?;
        }
    }

    /// Some devices of a segment's users who are in use, in the order in which they were registered, and after which one
    /// to go on: 1 `Query`, 1 `BatchGetItem`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn devices_of_segment(&self, segment: SegmentId, after: Option<&str>) -> Result<SomeDevices, Error> {
        let pk = keys::devices_of(segment);
        let start = after.map(|after| Item::from([(PK.to_owned(), string(&pk)), (SK.to_owned(), string(after))]));
        let read = self.table.query(&Query::all(pk), Some(PAGE), start).await?;
        let places: Vec<_> = read.items.iter().filter_map(|item| item.get(SK)?.as_s().ok()).collect();
        let last = read.next.and(places.last().map(|place| (*place).clone()));
        let mut wanted = Vec::new();
        for (device, user) in places.into_iter().filter_map(|place| keys::listed_device(place)) {
            wanted.extend([keys::device(user, device).attributes(), keys::user(user).attributes()]);
        }
        // No key may be asked for twice.
        let mut seen = std::collections::HashSet::new();
        wanted.retain(|key| seen.insert(format!("{:?}{:?}", key.get(PK), key.get(SK))));
        let (mut users, mut devices) = (Vec::new(), Vec::new());
        for item in self.table.get_all(wanted).await? {
            match item.get(SK).and_then(|sk| sk.as_s().ok()).is_some_and(|sk| sk.starts_with(DEVICES)) {
                true => devices.push(from_item::<DeviceRecord>(item)?),
                false => users.push(record(item)?),
            }
        }
        devices.retain(|found| users.iter().any(|user| user.user.id == found.device.user_id && gets(user, segment)));
        Ok((devices, last))
    }

    /// The devices of those of these users who are in use in a segment: 1 `Query` for each, 1 `BatchGetItem`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn devices_of_users(&self, segment: SegmentId, users: &[UserId]) -> Result<Vec<DeviceRecord>, Error> {
        let records = self.table.get_all(users.iter().map(|user| keys::user(*user).attributes()).collect()).await?;
        let records = records.into_iter().map(record).collect::<Result<Vec<_>, _>>()?;
        let getting = records.iter().filter(|record| gets(record, segment));
        Ok(try_join_all(getting.map(|record| self.devices(record.user.id))).await?.concat())
    }

    fn one_device_more(&self, user: UserId) -> Write {
        let changes = Changes::default()
            .add(COUNT, 1)
            .value(":deleted", string(Status::Deleted.as_str()))
            .value(":most", number(MOST_DEVICES))
            .named("#status", "status");
        let fits = "attribute_exists(PK) AND #status <> :deleted AND \
            (attribute_not_exists(device_count) OR device_count < :most)";
        Write::update(&self.table, &keys::user(user), fits, changes).on_condition_failed(Error::Stale)
    }

    fn one_device_less(&self, user: UserId) -> Write {
        let changes = Changes::default().add(COUNT, -1);
        Write::update(&self.table, &keys::user(user), EXISTS, changes).on_condition_failed(Error::Stale)
    }
}

/// How many devices are looked at together: with their users, what one `BatchGetItem` takes.
const PAGE: u32 = 50;

/// The attribute of a user that counts its devices.
const COUNT: &str = "device_count";

const EXISTS: &str = "attribute_exists(PK)";

/// What no other device of a segment has.
fn unique(token: &PushToken) -> Unique {
    Unique::new("device", token.reveal().to_owned())
}

fn listed(segment: SegmentId, device: Holder) -> keys::Key {
    keys::listing(segment, device.device_id, device.user_id)
}

/// Whether notifications to all of a segment's users are for this one too.
fn gets(record: &UserRecord, segment: SegmentId) -> bool {
    let user = &record.user;
    user.segment_id == Some(segment) && user.status == Status::Active && !user.excluded
}

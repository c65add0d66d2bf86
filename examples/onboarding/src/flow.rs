//! Master user → segment → membership → levels → custom fields → a member with answers and files → found again.

use serde_json::{Map, Value, json};

use crate::client::{Failure, Muster, check, id, say, text};
use crate::data;

/// The whole of it.
pub(crate) async fn onboard(mut muster: Muster) -> Result<(), Failure> {
    sign_up(&mut muster).await?;
    let (segment, membership) = make_membership(&muster).await?;
    let member = join(&muster, &membership).await?;
    send_files(&muster, &segment, &member).await?;
    read_back(&muster, &member).await?;
    find(&muster, &membership, &member).await
}

/// A master user proves its e-mail by the code that was sent there, which signs it in.
async fn sign_up(muster: &mut Muster) -> Result<(), Failure> {
    let email = format!("ana+{}@example.com", domain::UserId::fresh());
    let new = json!({ "email": email, "name": "Ana", "password": "correct horse battery" });
    let user = id(&muster.create("/v1/users", &new).await?)?;
    let code = json!({ "code": muster.code_sent_to(&email).await? });
    let tokens = muster.post(&format!("/v1/users/{user}/verification"), &code).await?;
    muster.sign_in(&text(&tokens, "/access_token")?);
    say("Master user", format!("{email} is verified and signed in"));
    Ok(())
}

/// A segment is a database of users; a membership, with levels and custom fields, is what they join in it.
async fn make_membership(muster: &Muster) -> Result<(String, String), Failure> {
    let new = json!({ "name": "Merchants", "role": "consumer", "settings": { "document_checks": "checksum" } });
    let segment = id(&muster.create("/v1/segments", &new).await?)?;
    say("Segment", "Merchants, where check digits of documents are checked");
    let new = muster.create(&format!("/v1/segments/{segment}/memberships"), &json!({ "name": "Card" })).await?;
    let membership = format!("/v1/memberships/{}", id(&new)?);
    say("Membership", "Card");

    for (number, name) in (1..).zip(["Blue", "Silver", "Gold", "Platinum", "Black"]) {
        let (from, to) = (if number == 1 { 0 } else { 100 * number - 99 }, 100 * number);
        let level = json!({ "name": name, "number": number, "from_point": from, "to_point": to });
        muster.create(&format!("{membership}/levels"), &level).await?;
        say("Level", format!("{name}, {from} to {to} points"));
    }

    // Several fields can share a catalog; other choices stand in their fields.
    let banks = json!({ "name": "Banks", "options": data::banks()? });
    let banks = id(&muster.create(&format!("/v1/segments/{segment}/catalogs"), &banks).await?)?;
    for field in data::fields(&banks)? {
        muster.create(&format!("{membership}/fields"), &field).await?;
        say("Custom field", format!("{} ({})", text(&field, "/name")?, text(&field, "/type")?));
    }
    let levels = muster.get(&format!("{membership}/levels?include=fields")).await?;
    check(&levels, "/data/0/fields/0/key", &json!("country"))?;
    check(&levels, "/data/4/fields/18/key", &json!("private_key"))?;
    Ok((segment, membership))
}

/// Somebody joins with all answers but the files, which are for this member alone and so come after it.
async fn join(muster: &Muster, membership: &str) -> Result<String, Failure> {
    let new = json!({ "name": "Carla", "last_name": "Núñez", "answers": data::answers()? });
    let member = muster.create(&format!("{membership}/members"), &new).await?;
    let files: Vec<_> = data::FILES.iter().map(|file| file.field).collect();
    check(&member, "/missing_fields", &json!(files))?;
    say("Member", format!("number {}; missing are {}", text(&member, "/number")?, files.join(", ")));
    // Another one, who must not be found below.
    muster.create(&format!("{membership}/members"), &json!({ "name": "Carlos", "last_name": "Ruiz" })).await?;

    let member = id(&member)?;
    let award = json!({ "delta": 150, "reason": "Joined in the first week" });
    let award = muster.create(&format!("/v1/members/{member}/points"), &award).await?;
    let silver = muster.get(&format!("{membership}/levels?filter[name]=silver")).await?;
    check(&award, "/points", &json!(150))?;
    check(&award, "/level_id", &json!(text(&silver, "/data/0/id")?))?;
    say("Points", "150, which is the level Silver");
    Ok(member)
}

/// Each file is begun, sent to where the answer says, checked by Muster, and then an answer like others.
async fn send_files(muster: &Muster, segment: &str, member: &str) -> Result<(), Failure> {
    let mut answers = Map::new();
    for file in data::FILES {
        let new = json!({
            "segment_id": segment, "member_id": member, "field": file.field,
            "filename": file.name, "content_type": file.content_type, "size": file.bytes.len(),
        });
        let begun = muster.create("/v1/uploads", &new).await?;
        muster.put_file(&begun, file.bytes).await?;
        muster.wait_until_available(&id(&begun)?).await?;
        answers.insert(file.field.to_owned(), json!(id(&begun)?));
        say("File", format!("{} is available", file.name));
    }
    muster.put(&format!("/v1/members/{member}/answers"), &Value::Object(answers)).await.map(drop)
}

async fn read_back(muster: &Muster, member: &str) -> Result<(), Failure> {
    let read = muster.get(&format!("/v1/members/{member}")).await?;
    check(&read, "/missing_fields", &json!([]))?;
    for (key, answer) in data::answers()?.as_object().into_iter().flatten() {
        check(&read, &format!("/answers/{key}"), answer)?;
    }
    for file in data::FILES {
        let upload = text(&read, &format!("/answers/{}", file.field))?;
        let fetched = muster.fetch(&format!("/v1/uploads/{upload}/content")).await?;
        check(&json!({ "bytes": fetched }), "/bytes", &json!(file.bytes))?;
    }
    say("Read back", "19 answers, and 4 files byte by byte");
    Ok(())
}

/// Any field finds members, alone or with others; text ignores case and accents.
async fn find(muster: &Muster, membership: &str, member: &str) -> Result<(), Failure> {
    for filter in [
        "filter[answers.rfc]=GODE561231GR8",
        "filter[answers.bank]=banco_del_colibri&filter[answers.yearly_income][gte]=1000000",
        "filter[last_name]=nun*&filter[answers.business_categories]=cafe&sort=-points",
    ] {
        let found = muster.get(&format!("{membership}/members?{filter}")).await?;
        check(&found, "/page/total_items", &json!(1))?;
        check(&found, "/data/0/id", &json!(member))?;
        say("Found by", filter);
    }
    Ok(())
}

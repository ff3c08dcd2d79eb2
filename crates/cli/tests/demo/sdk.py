"""Uses the published SDK against a demo, in the forms that work with it (a list, get, delete, custom methods)."""
import asyncio
import json
import sys

import aiohttp
from truto_python_sdk import TrutoApi


async def main():
    facts = json.loads(sys.argv[1])
    api = TrutoApi(facts["token"], facts["url"])
    okta = facts["accounts"]["okta"]
    query = lambda **more: {"integrated_account_id": okta, **more}

    users = await api.unified_api.list("user-directory", "users", query()).to_array()
    assert len(users) == 250, len(users)
    some = [user async for user in api.unified_api.list("user-directory", "users", query(limit=100))]
    assert [user["id"] for user in some] == [user["id"] for user in users]

    ada = next(user for user in users if user["emails"][0]["email"] == "ada@example.com")
    got = await api.unified_api.get("user-directory", "users", ada["id"], query())
    assert got["name"] == "Ada Byrne", got

    gone = await api.unified_api.delete("user-directory", "users", ada["id"], query(emails=["ada@example.com"]))
    assert gone["id"] == ada["id"] and gone["status"] == "deleted", gone
    again = await api.unified_api.delete("user-directory", "users", ada["id"], query())
    assert again["id"] == ada["id"], again
    try:
        await api.unified_api.delete("user-directory", "users", "00unobody", query())
        raise AssertionError("nobody was deleted")
    except aiohttp.ClientResponseError as error:
        assert error.status == 404, error

    bob = users[5]["id"]
    off = await api.unified_api.create("user-directory", "users/deactivate", {"user_id": bob}, query())
    assert off["id"] == bob and off["status"] == "inactive", off

    groups = await api.unified_api.list("user-directory", "groups", query()).to_array()
    group = next(group for group in groups if group["name"] == "Engineering")
    left = await api._post(
        "unified/user-directory/groups/remove-user",
        data={"group_id": group["id"], "user_id": users[8]["id"]},
        params=query(),
    )
    assert left["id"] == group["id"], left

    tickets = {"integrated_account_id": facts["accounts"]["help-scout"]}
    agent = await api.unified_api.delete("ticketing", "users", "4005", tickets)
    assert agent["id"] == "4005", agent
    signers = {"integrated_account_id": facts["accounts"]["dropbox-sign"]}
    signer = (await api.unified_api.list("e-signature", "users", dict(signers)).to_array())[6]
    signer = await api.unified_api.delete("e-signature", "users", signer["id"], signers)
    assert signer["id"], signer
    print("all as expected")


asyncio.run(main())

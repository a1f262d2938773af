"""The whole backup, by Azure's own Python SDKs: snapshot, difference, copy, blob snapshot, restore.

Nothing of snapferry is used. Where everything is comes from the environment (scripts/conformance/stage.mjs); the content of disks is
written and digested by the control API of the local Azure, in the place of a virtual machine. Ends with 0 only if every restored
disk has the digest of the snapshot that it was restored from.
"""

import json
import os
import random
import sys
from datetime import datetime, timedelta, timezone
from urllib.parse import quote
from urllib.request import Request, urlopen

from azure.identity import DefaultAzureCredential
from azure.mgmt.compute import ComputeManagementClient
from azure.storage.blob import BlobClient, BlobSasPermissions, BlobServiceClient, generate_blob_sas

PAGE = 512
MIB = 2**20
MAX_COPY = 4 * MIB
FOOTER = 512
REGION = os.environ["WITNESS_REGION"]
GROUP = os.environ["WITNESS_RESOURCE_GROUP"]
ACCOUNT_URL = os.environ["WITNESS_ACCOUNT_URL"]
CONTROL = os.environ["WITNESS_CONTROL_ENDPOINT"]
CONTAINER = "points"
BASE_BLOB = "base.vhd"
DISK_GIB = 1
DISK_BYTES = DISK_GIB * 1024 * MIB
# The machine works at both ends of the disk only, so that it meets again what it wrote before.
REACH = 16 * MIB

credential = DefaultAzureCredential()
compute = ComputeManagementClient(
    credential,
    os.environ["WITNESS_SUBSCRIPTION_ID"],
    base_url=os.environ["SNAPFERRY_RESOURCE_MANAGER_ENDPOINT"],
    credential_scopes=[os.environ["SNAPFERRY_RESOURCE_MANAGER_AUDIENCE"] + "/.default"],
    polling_interval=0,
)
storage = BlobServiceClient(ACCOUNT_URL, credential=credential)


def main() -> None:
    seed = int(os.environ.get("WITNESS_SEED", random.randrange(2**31)))
    print(f"seed {seed}")
    machine = random.Random(seed)
    container = storage.create_container(CONTAINER)
    disk = compute.disks.begin_create_or_update(
        GROUP, "source", {"location": REGION, "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": DISK_GIB}}
    ).result()

    base = container.get_blob_client(BASE_BLOB)
    points = []
    previous = None
    total_cleared = 0
    for number in range(3):
        change(disk.id, machine)
        snapshot = take_snapshot(f"point-{number}", disk.id)
        changed, cleared = bring_forward(base, snapshot, previous)
        points.append((snapshot, base.create_snapshot(metadata={"point": str(number)})["snapshot"]))
        total_cleared += cleared
        print(f"point {number}: {changed} ranges copied, {cleared} cleared")
        previous = snapshot

    if total_cleared == 0:
        sys.exit("no difference had a cleared range: the scenario shows less than it claims")

    for number, (snapshot, blob_snapshot) in enumerate(points):
        restored = restore(f"restored-{number}", blob_snapshot)
        expect_equal(f"digest of point {number}", digest(restored), digest(snapshot.id))
    expect_equal("families of the points", len({family_of(snapshot) for snapshot, _ in points}), 1)


def take_snapshot(name: str, disk_id: str):
    body = {
        "location": REGION,
        "properties": {"incremental": True, "creationData": {"createOption": "Copy", "sourceResourceId": disk_id}},
    }
    return compute.snapshots.begin_create_or_update(GROUP, name, body).result()


def bring_forward(base: BlobClient, snapshot, previous) -> tuple[int, int]:
    """Makes the base blob equal to the snapshot; all of it when there is no previous one."""
    source_url = grant(compute.snapshots, snapshot.name, "Read")
    source = BlobClient.from_blob_url(source_url)
    try:
        if previous is None:
            base.create_page_blob(source.get_blob_properties().size)
            changed, cleared = source.get_page_ranges()
        else:
            previous_url = grant(compute.snapshots, previous.name, "Read")
            try:
                changed, cleared = source.get_page_range_diff_for_managed_disk(previous_snapshot_url=previous_url)
            finally:
                compute.snapshots.begin_revoke_access(GROUP, previous.name).result()
        for piece in cleared:
            base.clear_page(piece["start"], piece["end"] - piece["start"] + 1)
        copy_ranges(base, source_url, changed)
    finally:
        compute.snapshots.begin_revoke_access(GROUP, snapshot.name).result()
    return len(changed), len(cleared)


def restore(name: str, blob_snapshot: str) -> str:
    """Uploads a blob snapshot into a new disk, by server-side copies; gives the id of the disk."""
    point = storage.get_blob_client(CONTAINER, BASE_BLOB, snapshot=blob_snapshot)
    size = point.get_blob_properties().size
    body = {"location": REGION, "properties": {"creationData": {"createOption": "Upload", "uploadSizeBytes": size}}}
    disk = compute.disks.begin_create_or_update(GROUP, name, body).result()
    target = BlobClient.from_blob_url(grant(compute.disks, name, "Write"))
    copy_ranges(target, f"{point.url}&{read_signature(blob_snapshot)}", point.get_page_ranges()[0])
    compute.disks.begin_revoke_access(GROUP, name).result()
    expect_equal(f"size of {name}", compute.disks.get(GROUP, name).properties.disk_size_bytes, size - FOOTER)
    return disk.id


def copy_ranges(target: BlobClient, source_url: str, ranges) -> None:
    for piece in ranges:
        for offset in range(piece["start"], piece["end"] + 1, MAX_COPY):
            length = min(MAX_COPY, piece["end"] + 1 - offset)
            target.upload_pages_from_url(source_url, offset, length, source_offset=offset)


def grant(operations, name: str, access: str) -> str:
    return operations.begin_grant_access(GROUP, name, {"access": access, "durationInSeconds": 3600}).result().access_sas


def read_signature(blob_snapshot: str) -> str:
    now = datetime.now(timezone.utc)
    start, expiry = now - timedelta(hours=1), now + timedelta(hours=1)
    return generate_blob_sas(
        account_name=ACCOUNT_URL.rsplit("/", 1)[1],
        container_name=CONTAINER,
        blob_name=BASE_BLOB,
        snapshot=blob_snapshot,
        user_delegation_key=storage.get_user_delegation_key(start, expiry),
        permission=BlobSasPermissions(read=True),
        start=start,
        expiry=expiry,
    )


def family_of(snapshot) -> str:
    return compute.snapshots.get(GROUP, snapshot.name).properties.incremental_snapshot_family_id


def change(disk_id: str, machine: random.Random) -> None:
    """What a virtual machine does between two backups: writes and discards."""
    for _ in range(60):
        length = PAGE * machine.randint(1, 1024)
        start = machine.choice([0, DISK_BYTES - REACH])
        offset = start + PAGE * machine.randrange((REACH - length) // PAGE)
        where = f"/content?id={quote(disk_id, safe='')}&offset={offset}"
        if machine.random() < 0.75:
            control("PUT", where, machine.randbytes(length))
        else:
            control("DELETE", f"{where}&length={length}")


def digest(resource_id: str) -> str:
    return json.loads(control("GET", f"/digest?id={quote(resource_id, safe='')}"))["sha256"]


def control(method: str, path: str, body: bytes | None = None) -> bytes:
    with urlopen(Request(CONTROL + path, data=body, method=method)) as response:
        return response.read()


def expect_equal(what: str, actual, expected) -> None:
    if actual != expected:
        sys.exit(f"{what}: {actual} instead of {expected}")
    print(f"{what}: {actual}")


main()

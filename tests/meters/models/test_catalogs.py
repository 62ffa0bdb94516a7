from decimal import Decimal

from meters.catalogs.facts import ObjectFacts
from meters.catalogs.rights import ClientRights
from meters.cosem.obis import ObisCode
from meters.cosem.profile import CaptureObject
from meters.models import CatalogObject, MeterType

CODE = ObisCode.parse("1-0:99.1.0*255")
WHOLE = ObjectFacts(
    class_id=7,
    logical_name=CODE,
    version=1,
    title="Load profile",
    scaler=-1,
    unit=30,
    low=Decimal("0.5"),
    high=Decimal("99999999999999999999.123456789"),
    group="Profiles",
    rights={16: ClientRights({2: "r"}, {1: False})},
    base_name=0xFA00,
    capture_objects=(CaptureObject(8, ObisCode.parse("0-0:1.0.0*255"), 2),),
    note="quarter hours",
)


def test_the_columns_hold_all_facts_exactly(db):
    row = CatalogObject(meter_type=MeterType.objects.create(manufacturer="ACME", model="X"))
    row.facts = WHOLE
    row.save()
    again = CatalogObject.objects.get()
    assert again.facts == WHOLE
    assert (again.octets, again.logical_name) == ("0100630100ff", "1-0:99.1.0*255")
    assert str(again) == "7/1-0:99.1.0*255 of ACME X"
    assert again.logged_as == again.meter_type_id
    assert again.class_name == "Profile generic"


def test_rows_stand_in_the_order_of_their_codes(db):
    meter_type = MeterType.objects.create(model="X")
    for code in ("1-0:10.8.0*255", "1-0:2.8.0*255", "0-0:1.0.0*255"):
        row = CatalogObject(meter_type=meter_type)
        row.facts = ObjectFacts(class_id=3, logical_name=ObisCode.parse(code))
        row.save()
    assert [row.logical_name for row in CatalogObject.objects.all()] == [
        "0-0:1.0.0*255",
        "1-0:2.8.0*255",
        "1-0:10.8.0*255",
    ]

"""Interface classes as tables: attributes with their types, and methods (Blue Book, clause 4).

A row reads `number name: type`; types are the standard's names, `any` is a CHOICE of simple types. Attribute 1 is the
logical name in every class and is not repeated. Later versions are given where they differ in attributes or methods.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute; `type` is the standard's name of its type."""

    attribute_id: int
    name: str
    type: str


@dataclass(frozen=True, slots=True)
class InterfaceClass:
    """One version of one class."""

    class_id: int
    version: int
    name: str
    attributes: dict[int, Attribute]
    methods: dict[int, str]


def _class(class_id: int, version: int, name: str, attributes: str, methods: str = "") -> InterfaceClass:
    rows = {1: Attribute(1, "logical_name", "octet-string")}
    for row in filter(None, (part.strip() for part in attributes.split(";"))):
        number, _, rest = row.partition(" ")
        title, _, kind = rest.partition(": ")
        rows[int(number)] = Attribute(int(number), title, kind)
    named = {}
    for row in filter(None, (part.strip() for part in methods.split(";"))):
        number, _, title = row.partition(" ")
        named[int(number)] = title
    return InterfaceClass(class_id, version, name, rows, named)


_CLASSES: Final = (
    _class(1, 0, "Data", "2 value: any"),
    _class(3, 0, "Register", "2 value: any; 3 scaler_unit: structure", "1 reset"),
    _class(
        4,
        0,
        "Extended register",
        "2 value: any; 3 scaler_unit: structure; 4 status: any; 5 capture_time: octet-string",
        "1 reset",
    ),
    _class(
        5,
        0,
        "Demand register",
        "2 current_average_value: any; 3 last_average_value: any; 4 scaler_unit: structure; 5 status: any; "
        "6 capture_time: octet-string; 7 start_time_current: octet-string; 8 period: double-long-unsigned; "
        "9 number_of_periods: long-unsigned",
        "1 reset; 2 next_period",
    ),
    _class(
        6,
        0,
        "Register activation",
        "2 register_assignment: array; 3 mask_list: array; 4 active_mask: octet-string",
        "1 add_register; 2 add_mask; 3 delete_mask",
    ),
    _class(
        7,
        1,
        "Profile generic",
        "2 buffer: array; 3 capture_objects: array; 4 capture_period: double-long-unsigned; 5 sort_method: enum; "
        "6 sort_object: structure; 7 entries_in_use: double-long-unsigned; 8 profile_entries: double-long-unsigned",
        "1 reset; 2 capture",
    ),
    _class(
        8,
        0,
        "Clock",
        "2 time: octet-string; 3 time_zone: long; 4 status: unsigned; 5 daylight_savings_begin: octet-string; "
        "6 daylight_savings_end: octet-string; 7 daylight_savings_deviation: integer; "
        "8 daylight_savings_enabled: boolean; 9 clock_base: enum",
        "1 adjust_to_quarter; 2 adjust_to_measuring_period; 3 adjust_to_minute; 4 adjust_to_preset_time; "
        "5 preset_adjusting_time; 6 shift_time",
    ),
    _class(9, 0, "Script table", "2 scripts: array", "1 execute"),
    _class(10, 0, "Schedule", "2 entries: array", "1 enable/disable; 2 insert; 3 delete"),
    _class(11, 0, "Special days table", "2 entries: array", "1 insert; 2 delete"),
    _class(
        12,
        0,
        "Association SN",
        "2 object_list: array",
        "1 getlist_by_classid; 2 getobj_by_logicalname; 3 read_by_logicalname; 4 get_attributes&methods; "
        "5 change_LLS_secret; 6 change_HLS_secret; 8 reply_to_HLS_authentication",
    ),
    _class(
        15,
        0,
        "Association LN",
        "2 object_list: array; 3 associated_partners_id: structure; 4 application_context_name: any; "
        "5 xDLMS_context_info: structure; 6 authentication_mechanism_name: any; 7 secret: octet-string; "
        "8 association_status: enum",
        "1 reply_to_HLS_authentication; 2 change_HLS_secret; 3 add_object; 4 remove_object",
    ),
    _class(
        15,
        1,
        "Association LN",
        "2 object_list: array; 3 associated_partners_id: structure; 4 application_context_name: any; "
        "5 xDLMS_context_info: structure; 6 authentication_mechanism_name: any; 7 secret: octet-string; "
        "8 association_status: enum; 9 security_setup_reference: octet-string",
        "1 reply_to_HLS_authentication; 2 change_HLS_secret; 3 add_object; 4 remove_object",
    ),
    _class(
        15,
        2,
        "Association LN",
        "2 object_list: array; 3 associated_partners_id: structure; 4 application_context_name: any; "
        "5 xDLMS_context_info: structure; 6 authentication_mechanism_name: any; 7 secret: octet-string; "
        "8 association_status: enum; 9 security_setup_reference: octet-string; 10 user_list: array; "
        "11 current_user: structure",
        "1 reply_to_HLS_authentication; 2 change_HLS_secret; 3 add_object; 4 remove_object; 5 add_user; 6 remove_user",
    ),
    _class(17, 0, "SAP assignment", "2 SAP_assignment_list: array", "1 connect_logical_device"),
    _class(
        18,
        0,
        "Image transfer",
        "2 image_block_size: double-long-unsigned; 3 image_transferred_blocks_status: bit-string; "
        "4 image_first_not_transferred_block_number: double-long-unsigned; 5 image_transfer_enabled: boolean; "
        "6 image_transfer_status: enum; 7 image_to_activate_info: array",
        "1 image_transfer_initiate; 2 image_block_transfer; 3 image_verify; 4 image_activate",
    ),
    _class(
        19,
        1,
        "IEC local port setup",
        "2 default_mode: enum; 3 default_baud: enum; 4 prop_baud: enum; 5 response_time: enum; "
        "6 device_addr: octet-string; 7 pass_p1: octet-string; 8 pass_p2: octet-string; 9 pass_w5: octet-string",
    ),
    _class(
        20,
        0,
        "Activity calendar",
        "2 calendar_name_active: octet-string; 3 season_profile_active: array; 4 week_profile_table_active: array; "
        "5 day_profile_table_active: array; 6 calendar_name_passive: octet-string; 7 season_profile_passive: array; "
        "8 week_profile_table_passive: array; 9 day_profile_table_passive: array; "
        "10 activate_passive_calendar_time: octet-string",
        "1 activate_passive_calendar",
    ),
    _class(
        21,
        0,
        "Register monitor",
        "2 thresholds: array; 3 monitored_value: structure; 4 actions: array",
    ),
    _class(
        22,
        0,
        "Single action schedule",
        "2 executed_script: structure; 3 type: enum; 4 execution_time: array",
    ),
    _class(
        23,
        1,
        "IEC HDLC setup",
        "2 comm_speed: enum; 3 window_size_transmit: unsigned; 4 window_size_receive: unsigned; "
        "5 max_info_field_length_transmit: long-unsigned; 6 max_info_field_length_receive: long-unsigned; "
        "7 inter_octet_time_out: long-unsigned; 8 inactivity_time_out: long-unsigned; 9 device_address: long-unsigned",
    ),
    _class(
        27,
        1,
        "Modem configuration",
        "2 comm_speed: enum; 3 initialization_string: array; 4 modem_profile: array",
    ),
    _class(
        28,
        2,
        "Auto answer",
        "2 mode: enum; 3 listening_window: array; 4 status: enum; 5 number_of_calls: unsigned; "
        "6 number_of_rings: structure; 7 list_of_allowed_callers: array",
    ),
    _class(
        29,
        2,
        "Auto connect",
        "2 mode: enum; 3 repetitions: unsigned; 4 repetition_delay: long-unsigned; 5 calling_window: array; "
        "6 destination_list: array",
        "1 connect",
    ),
    _class(
        40,
        0,
        "Push setup",
        "2 push_object_list: array; 3 send_destination_and_method: structure; 4 communication_window: array; "
        "5 randomisation_start_interval: long-unsigned; 6 number_of_retries: unsigned; 7 repetition_delay: any",
        "1 push",
    ),
    _class(
        41,
        0,
        "TCP-UDP setup",
        "2 TCP-UDP_port: long-unsigned; 3 IP_reference: octet-string; 4 MSS: long-unsigned; "
        "5 nb_of_sim_conn: unsigned; 6 inactivity_time_out: long-unsigned",
    ),
    _class(
        42,
        0,
        "IPv4 setup",
        "2 DL_reference: octet-string; 3 IP_address: double-long-unsigned; 4 multicast_IP_address: array; "
        "5 IP_options: array; 6 subnet_mask: double-long-unsigned; 7 gateway_IP_address: double-long-unsigned; "
        "8 use_DHCP_flag: boolean; 9 primary_DNS_address: double-long-unsigned; "
        "10 secondary_DNS_address: double-long-unsigned",
        "1 add_mc_IP_address; 2 delete_mc_IP_address; 3 get_nbof_mc_IP_addresses",
    ),
    _class(43, 0, "MAC address setup", "2 MAC_address: octet-string"),
    _class(
        45,
        0,
        "GPRS modem setup",
        "2 APN: octet-string; 3 PIN_code: long-unsigned; 4 quality_of_service: structure",
    ),
    _class(
        47,
        2,
        "GSM diagnostic",
        "2 operator: visible-string; 3 status: enum; 4 cs_attachment: enum; 5 ps_status: enum; 6 cell_info: structure; "
        "7 adjacent_cells: array; 8 capture_time: date-time",
    ),
    _class(
        61,
        0,
        "Register table",
        "2 table_cell_values: any; 3 table_cell_definition: structure; 4 scaler_unit: structure",
        "1 reset; 2 capture",
    ),
    _class(
        62,
        1,
        "Compact data",
        "2 compact_buffer: octet-string; 3 capture_objects: array; 4 template_id: unsigned; "
        "5 template_description: octet-string; 6 capture_method: enum",
        "1 reset; 2 capture",
    ),
    _class(63, 0, "Status mapping", "2 status_word: any; 3 mapping_table: structure"),
    _class(
        64,
        0,
        "Security setup",
        "2 security_policy: enum; 3 security_suite: enum; 4 client_system_title: octet-string; "
        "5 server_system_title: octet-string",
        "1 security_activate; 2 global_key_transfer",
    ),
    _class(
        64,
        1,
        "Security setup",
        "2 security_policy: enum; 3 security_suite: enum; 4 client_system_title: octet-string; "
        "5 server_system_title: octet-string; 6 certificates: array",
        "1 security_activate; 2 key_transfer; 3 key_agreement; 4 generate_key_pair; 5 generate_certificate_request; "
        "6 import_certificate; 7 export_certificate; 8 remove_certificate",
    ),
    _class(
        70,
        0,
        "Disconnect control",
        "2 output_state: boolean; 3 control_state: enum; 4 control_mode: enum",
        "1 remote_disconnect; 2 remote_reconnect",
    ),
    _class(
        71,
        0,
        "Limiter",
        "2 monitored_value: structure; 3 threshold_active: any; 4 threshold_normal: any; 5 threshold_emergency: any; "
        "6 min_over_threshold_duration: double-long-unsigned; 7 min_under_threshold_duration: double-long-unsigned; "
        "8 emergency_profile: structure; 9 emergency_profile_group_id_list: array; 10 emergency_profile_active: boolean; "
        "11 actions: structure",
    ),
    _class(
        72,
        1,
        "M-Bus client",
        "2 mbus_port_reference: octet-string; 3 capture_definition: array; 4 capture_period: double-long-unsigned; "
        "5 primary_address: unsigned; 6 identification_number: double-long-unsigned; 7 manufacturer_id: long-unsigned; "
        "8 version: unsigned; 9 device_type: unsigned; 10 access_number: unsigned; 11 status: unsigned; "
        "12 alarm: unsigned; 13 configuration: long-unsigned; 14 encryption_key_status: enum",
        "1 slave_install; 2 slave_deinstall; 3 capture; 4 reset_alarm; 5 synchronize_clock; 6 data_send; "
        "7 set_encryption_key; 8 transfer_key",
    ),
)

_BY_VERSION: Final = {(known.class_id, known.version): known for known in _CLASSES}


def interface_class(class_id: int, version: int | None = None) -> InterfaceClass | None:
    """The class as it is known: the version itself, else the nearest known one; None for an unknown class."""
    versions = [known for known in _CLASSES if known.class_id == class_id]
    if not versions:
        return None
    if version is None:
        return versions[-1]
    exact = _BY_VERSION.get((class_id, version))
    return exact or min(versions, key=lambda known: abs(known.version - version))


def class_name(class_id: int) -> str:
    """`Register`; `class 8192` for an unknown one."""
    known = interface_class(class_id)
    return known.name if known else f"class {class_id}"


def attribute_name(class_id: int, attribute_id: int) -> str:
    """`scaler_unit`; `attribute 9` for an unknown one."""
    known = interface_class(class_id)
    attribute = known.attributes.get(attribute_id) if known else None
    return attribute.name if attribute else f"attribute {attribute_id}"


def method_name(class_id: int, method_id: int) -> str:
    """`remote_disconnect`; `method 9` for an unknown one."""
    known = interface_class(class_id)
    return known.methods.get(method_id, f"method {method_id}") if known else f"method {method_id}"

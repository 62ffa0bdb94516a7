"""The structures of the interface classes by name, in the notation of `value_type` (Blue Book, clause 4).

A field's name is the standard's. A structure whose first version had fewer fields has a name for each.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_MEASUREMENT: Final = {
    "scaler_unit": "{scaler i8, unit e(unit)}",
    "object_definition": "{class_id class, logical_name ln}",
    "attribute_reference": "{class_id class, logical_name ln, attribute_index attribute}",
    "capture_object": "{class_id class, logical_name ln, attribute_index attribute, data_index u16}",
    "register_mask": "{mask_name text, index_list [u8]}",
    "table_cell_definition": "{class_id class, logical_name ln, group_E_values [u8], attribute_index attribute}",
    "mapping_table": "{ref_table_id u8, ref_table_mapping u16/[u16]}",
    "trigger_source": "{origin e(trigger_origin), cause u16}",
}

_ASSOCIATION: Final = {
    "sn_object": "{base_name i16, class_id class, version u8, logical_name ln}",
    "sn_access_rights": "{base_name i16, attribute_access [attribute_access], method_access [method_access]}",
    "attribute_access": "{attribute_id attribute, access_mode e(access_mode), access_selectors null/[i8]}",
    "method_access": "{method_id method, access_mode b/e(method_access)}",
    "attribute_access_bits": "{attribute_id attribute, access_mode e(attribute_access_bits), access_selectors null/[i8]}",
    "method_access_bits": "{method_id method, access_mode e(method_access_bits)}",
    "access_rights": "{attribute_access [attribute_access], method_access [method_access]}",
    "access_rights_bits": "{attribute_access [attribute_access_bits], method_access [method_access_bits]}",
    "object": "{class_id class, version u8, logical_name ln, access_rights access_rights}",
    "object_3": "{class_id class, version u8, logical_name ln, access_rights access_rights_bits}",
    "associated_partners": "{client_SAP i8, server_SAP u16}",
    "xdlms_context": "{conformance bs:24(conformance), max_receive_pdu_size u16, max_send_pdu_size u16, \
dlms_version_number u8, quality_of_service i8, cyphering_info os}",
    "context_name": "{joint_iso_ctt num, country num, country_name num, identified_organization num, dlms_ua num, \
application_context num, context_id num}",
    "mechanism_name": "{joint_iso_ctt num, country num, country_name num, identified_organization num, dlms_ua num, \
authentication_mechanism_name num, mechanism_id num}",
    "user": "{user_id u8, user_name vs}",
    "sap": "{SAP u16, logical_device_name text}",
}

_SECURITY: Final = {
    "restriction": "{restriction_type e(restriction_type), restriction_value null/{from_date dt, to_date dt}\
/{from_entry u32, to_entry u32}}",
    "protected_object": "{class_id class, logical_name ln, attribute_index attribute, data_index u16, \
restriction restriction}",
    "key_info": "{key_info_type e(key_info), key_info_options {key_id e(key_id)}/{kek_id e, key_ciphered_data os}\
/{key_parameters os, key_ciphered_data os}}",
    "protection_options": "{transaction_id os, originator_system_title os, recipient_system_title os, \
other_information os, key_info key_info}",
    "protection_parameters": "{protection_type e(protection_type), protection_options protection_options}",
    "wrapped_key": "{key_id e(key_id), key_wrapped os}",
    "key_agreement_data": "{key_id e(key_id), key_data os}",
    "certificate": "{certificate_entity e(certificate_entity), certificate_type e(certificate_type), serial_number os, \
issuer os, subject os, subject_alt_name os}",
    "certificate_by_entity": "{certificate_entity e(certificate_entity), certificate_type e(certificate_type), \
system_title title}",
    "certificate_by_serial": "{serial_number os, issuer os}",
    "certificate_identification": "{certificate_identification_type e(certificate_identification), \
certificate_identification certificate_by_entity/certificate_by_serial}",
    "function_status": "{function_name text, function_status b}",
    "function": "{function_name text, function_specification [object_definition]}",
    "array_object": "{array_object_id u8, target_object attribute_reference}",
    "array_range": "{from_index u16, to_index u16}",
    "array_entry": "{entry_position u16, entry any}",
    "array_range_of": "{array_object_id u8, entry_range array_range}",
    "array_entry_of": "{array_object_id u8, entry array_entry}",
    "image_to_activate": "{image_to_activate_size u32<octets>, image_to_activate_identification text, \
image_to_activate_signature os}",
    "image_to_transfer": "{image_identifier text, image_size u32<octets>}",
    "image_block": "{image_block_number u32, image_block_value os}",
}

_TIME_AND_EVENTS: Final = {
    "window": "{start_time dt, end_time dt}",
    "preset_time": "{preset_time dt, validity_interval_start dt, validity_interval_end dt}",
    "script_action": "{service_id e(script_service), class_id class, logical_name ln, index attribute, parameter any}",
    "script": "{script_identifier u16, actions [script_action]}",
    "script_reference": "{script_logical_name ln, script_selector u16}",
    "schedule_entry": "{index u16, enable b, script_logical_name ln, script_selector u16, switch_time ti, \
validity_window u16(validity_window)<min>, exec_weekdays bs:7(weekdays), exec_specdays bs, begin_date da, end_date da}",
    "schedule_ranges": "{firstIndexA u16, lastIndexA u16, firstIndexB u16, lastIndexB u16}",
    "schedule_range": "{firstIndex u16, lastIndex u16}",
    "special_day": "{index u16, specialday_date da, day_id u8}",
    "season": "{season_profile_name text, season_start dt, week_name text}",
    "week_profile": "{week_profile_name text, monday u8, tuesday u8, wednesday u8, thursday u8, friday u8, saturday u8, \
sunday u8}",
    "day_action": "{start_time ti, script_logical_name ln, script_selector u16}",
    "day_profile": "{day_id u8, day_schedule [day_action]}",
    "monitor_action": "{action_up script_reference, action_down script_reference}",
    "limiter_actions": "{action_over_threshold script_reference, action_under_threshold script_reference}",
    "emergency_profile": "{emergency_profile_id u16, emergency_activation_time dt, emergency_duration u32<s>}",
    "execution_time": "{time ti, date da}",
    "changed_parameter": "{class_id class, logical_name ln, attribute_index attribute, attribute_value any}",
    "action_request": "{request_actor u8, request_action_list bs}",
}

_COMMUNICATION: Final = {
    "initialization": "{request text, response text, delay_after_response u16<ms>}",
    "number_of_rings": "{nr_rings_in_window u8, nr_rings_out_of_window u8}",
    "allowed_caller": "{caller_id text, call_type e(call_type)}",
    "push_object_1": "{class_id class, logical_name ln, attribute_index attribute, data_index u16, restriction restriction}",
    "push_object_2": "{class_id class, logical_name ln, attribute_index attribute, data_index u16, restriction restriction, \
columns [capture_object]}",
    "send_destination_and_method": "{transport_service e(transport_service), destination text, message e(message_type)}",
    "repetition_delay": "{repetition_delay_min u16<s>, repetition_delay_exponent u16, repetition_delay_max u16<s>}",
    "confirmation_parameters": "{confirmation_start_date dt, confirmation_interval u32<s>}",
    "ip_option": "{IP_option_type u8, IP_option_length u8, IP_option_data os}",
    "ppp_option": "{option_type u8, option_length u8, option_data any}",
    "ppp_authentication": "{user_name text, PAP_password os}",
    "quality_of_service_element": "{precedence u8, delay u8, reliability u8, peak_throughput u8, mean_throughput u8}",
    "quality_of_service": "{default quality_of_service_element, requested quality_of_service_element}",
    "gsm_cell": "{cell_ID u16, location_ID u16, signal_quality u8, ber u8}",
    "gsm_cell_1": "{cell_ID u32, location_ID u16, signal_quality u8, ber u8, mcc u16, mnc u16, channel_number u32}",
    "adjacent_cell": "{cell_ID u16/u32, signal_quality u8}",
    "neighbor_discovery": "{RS_max_retry u8, RS_retry_wait_time u16, RA_send_period u32}",
    "ipv6_address": "{IPv6_address_type e(ipv6_address_type), IPv6_address ip6}",
    "ntp_key": "{key_id u32, key os}",
    "lte_parameters": "{T3402 u16, T3412 u16, RSRQ u8, RSRP u8, qRxlevMin i8}",
    "lte_parameters_1": "{T3402 u16, T3412 u16, T3412ext2 u32, T3324 u16, TeDRX u32, TPTW u16, qRxlevMin i8, \
qRxlevMinCE i8, qRxLevMinCE1 i8}",
    "lte_quality": "{RSRQ i8, RSRP i8, SNR i8, coverage_enhancement e}",
    "coap_messages": "{tx u32, rx u32, tx_resend u32, tx_reset u32, rx_reset u32, tx_ack u32, rx_ack u32, rx_drop u32, \
tx_nonpiggybacked u32, max_rtx_exceeded u32}",
    "attribute_capture_time": "{attribute_id u8, timestamp dt}",
    # M-Bus
    "capture_definition": "{data_information_block os/u8, value_information_block os}",
    "mbus_broadcast": "{client_id u8, counter u32, time_stamp dt}",
}

_NETWORKS: Final = {
    "frequencies": "{mark_frequency u32<Hz>, space_frequency u32<Hz>}",
    "active_initiator": "{system_title os, MAC_address u16, L_SAP_selector u8}",
    "mac_counter": "{mac_address u16, counter u32}",
    "desynchronization": "{nb_physical_layer_desynchronization u32, nb_time_out_not_addressed_desynchronization u32, \
nb_time_out_frame_not_OK_desynchronization u32, nb_write_request_desynchronization u32, \
nb_wrong_initiator_desynchronization u32}",
    "reply_status": "{L_SAP_selector u8, length_of_waiting_L_SDU u8}",
    "prime_multicast": "{mcast_entry_LCID i8, mcast_entry_members i16}",
    "prime_direct": "{dconn_entry_SID i16, dconn_entry_LNID i16, dconn_entry_LCID i16, dconn_entry_DNSID i16, \
dconn_entry_DLNID i16, dconn_entry_DLCID i16, dconn_entry_DID os}",
    "prime_switch": "{slist_entry_SNA os, slist_entry_LSID i16, slist_entry_level i8, slist_entry_rx_level i8, \
slist_entry_rx_SNR i8}",
    "prime_communication": "{EUI os, tx_power i8, tx_coding i8, rx_coding i8, rx_lvl i8, snr i8, tx_power_modified i8, \
tx_coding_modified i8, rx_coding_modified i8}",
    "g3_key": "{key_id u8, key os}",
    "g3_neighbour": "{short_address u16, payload_modulation_scheme b, tone_map bs, modulation e(g3_modulation), tx_gain i8, \
tx_res e(g3_tx_resolution), tx_coeff bs, lqi u8, phase_differential i8, TMR_valid_time u8, neighbour_valid_time u8}",
    "g3_position": "{short_address u16, lqi u8, valid_time u8}",
    "g3_routing": "{net_traversal_time u8, routing_table_entry_TTL u16, Kr u8, Km u8, Kc u8, Kq u8, Kh u8, Krt u8, \
RREQ_retries u8, RREQ_RERR_wait u8, blacklist_table_entry_TTL u16, unicast_RREQ_gen_enable b, RLC_enabled b, \
add_rev_link_cost u8}",
    "g3_route": "{destination_address u16, next_hop_address u16, route_cost u16, hop_count u8, weak_link_count u8, \
valid_time u16}",
    "g3_context": "{CID bs, context_length u8, context os, compression b, valid_lifetime u16}",
    "g3_blacklisted": "{blacklisted_neighbour_address u16, valid_time u16}",
}

_PAYMENT: Final = {
    "account_mode_and_status": "{payment_mode e(payment_mode), account_status e(account_status)}",
    "credit_charge_configuration": "{credit_reference ln, charge_reference ln, \
collection_configuration bs:3(collection_configuration)}",
    "token_gateway_configuration": "{credit_reference ln, token_proportion u8<%>}",
    "currency": "{currency_name utf8, currency_scale i8, currency_unit e(currency_unit)}",
    "charge_per_unit_scaling": "{commodity_scale i8, price_scale i8}",
    "charge_table_element": "{index os, charge_per_unit i16}",
    "unit_charge": "{charge_per_unit_scaling charge_per_unit_scaling, commodity_reference attribute_reference, \
charge_table [charge_table_element]}",
    "token_status": "{status_code e(token_status), data_value bs}",
    "meter_pan": "{issuer_id u32, decoder_reference u64, check_digit u8}",
}

STRUCTURES: Final[Mapping[str, str]] = {
    **_MEASUREMENT,
    **_ASSOCIATION,
    **_SECURITY,
    **_TIME_AND_EVENTS,
    **_COMMUNICATION,
    **_NETWORKS,
    **_PAYMENT,
}

"""The interface classes as text (Blue Book, clause 4): a line for each version of a class, read by `interface_class`.

    class:version Name | attributes from 2 on | methods from 1 on

An attribute is its name and its type in short; attribute 1 is the logical name everywhere. A line whose name is `+` has what
the version before it has, and more. The short types:

    u8 u16 u32 u64   unsigned … long64-unsigned          i8 i16 i32 i64   integer … long64
    os vs bs         octet-, visible- and bit-string     b e              boolean, enum
    dt               octet-string that holds a date-time  moment           typed date-time
    su               structure {scaler, unit}             st arr ca        structure, array, compact-array
    any              a CHOICE of types
"""

from __future__ import annotations

from typing import Final

TYPES: Final = {
    "u8": "unsigned",
    "u16": "long-unsigned",
    "u32": "double-long-unsigned",
    "u64": "long64-unsigned",
    "i8": "integer",
    "i16": "long",
    "i32": "double-long",
    "i64": "long64",
    "os": "octet-string",
    "vs": "visible-string",
    "bs": "bit-string",
    "b": "boolean",
    "e": "enum",
    "dt": "octet-string",
    "moment": "date-time",
    "su": "structure",
    "st": "structure",
    "arr": "array",
    "ca": "compact-array",
    "any": "any",
}

MEASUREMENT: Final = """
1:0 Data | value any
3:0 Register | value any, scaler_unit su | reset
4:0 Extended register | value any, scaler_unit su, status any, capture_time dt | reset
5:0 Demand register | current_average_value any, last_average_value any, scaler_unit su, status any, capture_time dt, \
start_time_current dt, period u32, number_of_periods u16 | reset, next_period
6:0 Register activation | register_assignment arr, mask_list arr, active_mask os | add_register, add_mask, delete_mask
7:0 Profile generic | buffer arr, capture_objects arr, capture_period u32, sort_method e, sort_object st, entries_in_use u32, \
profile_entries u32 | reset, capture, get_buffer_by_range, get_buffer_by_index
7:1 Profile generic | buffer arr, capture_objects arr, capture_period u32, sort_method e, sort_object st, entries_in_use u32, \
profile_entries u32 | reset, capture
26:0 Utility tables | table_ID u16, length u32, buffer os
61:0 Register table | table_cell_values any, table_cell_definition st, scaler_unit su | reset, capture
62:1 Compact data | compact_buffer os, capture_objects arr, template_id u8, template_description os, capture_method e \
| reset, capture
63:0 Status mapping | status_word any, mapping_table st
66:0 Measurement data monitoring | waveform_data ca, trigger_time u64, trigger_source st, status e, sampling_rate u32, \
samples_before u32, samples_after u32, scaler_unit su | reset, trigger
"""

ACCESS: Final = """
12:0 Association SN | object_list arr | getlist_by_classid, getobj_by_logicalname, read_by_logicalname, \
get_attributes&methods, change_LLS_secret, change_HLS_secret, get_HLS_challenge, reply_to_HLS_authentication
12:1 + | access_rights_list arr
12:2 + | security_setup_reference os
12:3 + | user_list arr, current_user st | add_user, remove_user
15:0 Association LN | object_list arr, associated_partners_id st, application_context_name any, xDLMS_context_info st, \
authentication_mechanism_name any, secret os, association_status e \
| reply_to_HLS_authentication, change_HLS_secret, add_object, remove_object
15:1 + | security_setup_reference os
15:2 + | user_list arr, current_user st | add_user, remove_user
15:3 +
17:0 SAP assignment | SAP_assignment_list arr | connect_logical_device
18:0 Image transfer | image_block_size u32, image_transferred_blocks_status bs, \
image_first_not_transferred_block_number u32, image_transfer_enabled b, image_transfer_status e, image_to_activate_info arr \
| image_transfer_initiate, image_block_transfer, image_verify, image_activate
30:0 Data protection | protection_buffer os, protection_object_list arr, protection_parameters_get arr, \
protection_parameters_set arr, required_protection e | get_protected_attributes, set_protected_attributes, \
invoke_protected_method
64:0 Security setup | security_policy e, security_suite e, client_system_title os, server_system_title os \
| security_activate, global_key_transfer
64:1 Security setup | security_policy e, security_suite e, client_system_title os, server_system_title os, certificates arr \
| security_activate, key_transfer, key_agreement, generate_key_pair, generate_certificate_request, import_certificate, \
export_certificate, remove_certificate
122:0 Function control | activation_status arr, function_list arr | set_function_status, add_function, remove_function
123:0 Array manager | array_object_list arr | retrieve_number_of_entries, retrieve_entries, insert_entry, update_entry, \
remove_entries
124:0 Communication port protection | protection_mode e, allowed_failed_attempts u16, initial_lockout_time u32, \
steepness_factor u8, max_lockout_time u32, port_reference os, protection_status e, failed_attempts u32, \
cumulative_failed_attempts u32 | reset
"""

TIME_AND_EVENTS: Final = """
8:0 Clock | time dt, time_zone i16, status u8, daylight_savings_begin dt, daylight_savings_end dt, \
daylight_savings_deviation i8, daylight_savings_enabled b, clock_base e | adjust_to_quarter, adjust_to_measuring_period, \
adjust_to_minute, adjust_to_preset_time, preset_adjusting_time, shift_time
9:0 Script table | scripts arr | execute
10:0 Schedule | entries arr | enable/disable, insert, delete
11:0 Special days table | entries arr | insert, delete
20:0 Activity calendar | calendar_name_active os, season_profile_active arr, week_profile_table_active arr, \
day_profile_table_active arr, calendar_name_passive os, season_profile_passive arr, week_profile_table_passive arr, \
day_profile_table_passive arr, activate_passive_calendar_time dt | activate_passive_calendar
21:0 Register monitor | thresholds arr, monitored_value st, actions arr
22:0 Single action schedule | executed_script st, type e, execution_time arr
65:0 Parameter monitor | changed_parameter st, capture_time dt, parameter_list arr | add_parameter, delete_parameter
65:1 + | parameter_list_name os, hash_algorithm_id e, parameter_value_digest os, parameter_values st
67:0 Sensor manager | serial_number os, metrological_identification os, output_type e, adjustment_method os, \
sealing_method e, raw_value any, scaler_unit su, status any, capture_time dt, raw_value_thresholds arr, \
raw_value_actions arr, processed_value st, processed_value_thresholds arr, processed_value_actions arr | reset
68:0 Arbitrator | actions arr, permissions_table arr, weightings_table arr, most_recent_requests_table arr, \
last_outcome u8 | request_action, reset
70:0 Disconnect control | output_state b, control_state e, control_mode e | remote_disconnect, remote_reconnect
71:0 Limiter | monitored_value st, threshold_active any, threshold_normal any, threshold_emergency any, \
min_over_threshold_duration u32, min_under_threshold_duration u32, emergency_profile st, \
emergency_profile_group_id_list arr, emergency_profile_active b, actions st
"""

COMMUNICATION: Final = """
19:1 IEC local port setup | default_mode e, default_baud e, prop_baud e, response_time e, device_addr os, pass_p1 os, \
pass_p2 os, pass_w5 os
23:0 IEC HDLC setup | comm_speed e, window_size_transmit u8, window_size_receive u8, max_info_field_length_transmit u8, \
max_info_field_length_receive u8, inter_octet_time_out u16, inactivity_time_out u16, device_address u16
23:1 IEC HDLC setup | comm_speed e, window_size_transmit u8, window_size_receive u8, max_info_field_length_transmit u16, \
max_info_field_length_receive u16, inter_octet_time_out u16, inactivity_time_out u16, device_address u16
24:1 IEC twisted pair setup | mode e, speed e, primary_address_list arr, tabi_list arr
27:1 Modem configuration | comm_speed e, initialization_string arr, modem_profile arr
28:0 Auto answer | mode e, listening_window arr, status e, number_of_calls u8, number_of_rings st
28:2 + | list_of_allowed_callers arr
29:1 Auto connect | mode e, repetitions u8, repetition_delay u16, calling_window arr, destination_list arr
29:2 + | | connect
40:0 Push setup | push_object_list arr, send_destination_and_method st, communication_window arr, \
randomisation_start_interval u16, number_of_retries u8, repetition_delay u16 | push
40:2 Push setup | push_object_list arr, send_destination_and_method st, communication_window arr, \
randomisation_start_interval u16, number_of_retries u8, repetition_delay st, port_reference os, push_client_SAP i8, \
push_protection_parameters arr, push_operation_method e, confirmation_parameters st, last_confirmation_date_time dt \
| push, reset
41:0 TCP-UDP setup | TCP-UDP_port u16, IP_reference os, MSS u16, nb_of_sim_conn u8, inactivity_time_out u16
42:0 IPv4 setup | DL_reference os, IP_address u32, multicast_IP_address arr, IP_options arr, subnet_mask u32, \
gateway_IP_address u32, use_DHCP_flag b, primary_DNS_address u32, secondary_DNS_address u32 \
| add_mc_IP_address, delete_mc_IP_address, get_nbof_mc_IP_addresses
43:0 MAC address setup | MAC_address os
44:0 PPP setup | PHY_reference os, LCP_options arr, IPCP_options arr, PPP_authentication any
45:0 GPRS modem setup | APN os, PIN_code u16, quality_of_service st
46:0 SMTP setup | server_port u16, user_name os, login_password os, server_address os, sender_address os
47:2 GSM diagnostic | operator vs, status e, cs_attachment e, ps_status e, cell_info st, adjacent_cells arr, \
capture_time moment
48:0 IPv6 setup | DL_reference os, address_config_mode e, unicast_IPv6_address arr, multicast_IPv6_address arr, \
gateway_IPv6_address arr, primary_DNS_address os, secondary_DNS_address os, traffic_class u8, \
neighbor_discovery_setup arr | add_IPv6_address, remove_IPv6_address
100:0 NTP setup | activated b, server_address os, server_port u16, authentication_method e, authentication_keys arr, \
client_key os | synchronize, add_authentication_key, delete_authentication_key
151:0 LTE monitoring | LTE_network_parameters st
151:1 + | LTE_quality_of_service st
152:0 CoAP setup | UDP_reference os, ack_timeout u16, ack_random_factor u16, max_retransmit u16, nstart u16, \
delay_ack_timeout u16, exponential_back_off u16, probing_rate u16, CoAP_uri_path os, transport_mode e, \
wrapper_version any, token_length u8
153:0 CoAP diagnostic | messages_counter st, request_response_counter st, bt_counter st, capture_time st | reset
"""

MBUS: Final = """
25:0 M-Bus slave port setup | default_baud e, avail_baud e, addr_state e, bus_address u8
72:0 M-Bus client | mbus_port_reference os, capture_definition arr, capture_period u32, primary_address u8, \
identification_number u32, manufacturer_id u16, version u8, device_type u8, access_number u8, status u8, alarm u8 \
| slave_install, slave_deinstall, capture, reset_alarm, synchronize_clock, data_send, set_encryption_key, transfer_key
72:1 + | configuration u16, encryption_key_status e
73:1 Wireless mode Q channel | addr_state e, device_address os, address_mask os
74:0 M-Bus master port setup | comm_speed e
76:0 DLMS server M-Bus port setup | M-Bus_profile_selection os, port_communication_status e, data_header_type e, \
primary_address u8, identification_number u32, manufacturer_id u16, version u8, device_type u8, max_pdu_size u16, \
listening_window arr
77:0 M-Bus diagnostic | received_signal_strength u8, channel_id u8, link_status e, broadcast_frames_counter arr, \
transmissions_counter u32, received_counter u32, failed_received_counter u32, capture_time st | reset
"""

NETWORKS: Final = """
50:1 S-FSK Phy&MAC setup | initiator_electrical_phase e, delta_electrical_phase e, max_receiving_gain u8, \
max_transmitting_gain u8, search_initiator_threshold u8, frequencies st, mac_address u16, mac_group_addresses arr, \
repeater e, repeater_status b, min_delta_credit u8, initiator_mac_address u16, synchronization_locked b, \
transmission_speed e
51:0 S-FSK active initiator | active_initiator st | reset_NEW_not_synchronized
52:0 S-FSK MAC synchronization timeouts | search_initiator_timeout u16, synchronization_confirmation_timeout u16, \
time_out_not_addressed u16, time_out_frame_not_OK u16
53:0 S-FSK MAC counters | synchronization_register arr, desynchronization_listing st, broadcast_frames_counter arr, \
repetitions_counter u32, transmissions_counter u32, CRC_OK_frames_counter u32, CRC_NOK_frames_counter u32 | reset
55:1 IEC 61334-4-32 LLC setup | max_frame_length u8, reply_status_list arr
56:0 S-FSK reporting system list | reporting_system_list arr
57:0 ISO/IEC 8802-2 LLC type 1 setup | max_octets_ui_pdu u16
58:0 ISO/IEC 8802-2 LLC type 2 setup | transmit_window_size_k u8, receive_window_size_rw u8, max_octets_i_pdu_n1 u16, \
max_number_transmissions_n2 u8, acknowledgement_timer u16, p_bit_timer u16, reject_timer u16, busy_state_timer u16
59:0 ISO/IEC 8802-2 LLC type 3 setup | max_octets_acn_pdu_n3 u16, max_number_transmissions_n4 u8, ack_time_t1 u16, \
receive_lifetime_var_t2 u16, transmit_lifetime_var_t3 u16
80:0 PRIME LLC SSCS setup | service_node_address u16, base_node_address u16 | reset
81:0 PRIME physical layer counters | phy_stats_crc_incorrect_count u16, phy_stats_crc_fail_count u16, \
phy_stats_tx_drop_count u16, phy_stats_rx_drop_count u16 | reset
82:0 PRIME MAC setup | mac_min_switch_search_time u8, mac_max_promotion_pdu u8, mac_promotion_pdu_tx_period u8, \
mac_beacons_per_frame u8, mac_scp_max_tx_attempts u8, mac_ctl_re_tx_timer u8, mac_max_ctl_re_tx u8
83:0 PRIME MAC functional parameters | mac_LNID i16, mac_LSID u8, mac_SID u8, mac_SNA os, mac_state e, \
mac_scp_length i16, mac_node_hierarchy_level u8, mac_beacon_slot_count u8, mac_beacon_rx_slot u8, mac_beacon_tx_slot u8, \
mac_beacon_rx_frequency u8, mac_beacon_tx_frequency u8, mac_capabilities u16
84:0 PRIME MAC counters | mac_tx_data_pkt_count u32, mac_rx_data_pkt_count u32, mac_tx_ctrl_pkt_count u32, \
mac_rx_ctrl_pkt_count u32, mac_csma_fail_count u32, mac_csma_ch_busy_count u32 | reset
85:0 PRIME network administration | mac_list_multicast_entries arr, mac_list_switch_table arr, mac_list_direct_table arr, \
mac_list_available_switches arr, mac_list_phy_comm arr | reset
86:0 PRIME application identification | firmware_version os, vendor_id u16, product_id u16
90:1 G3-PLC MAC counters | mac_tx_data_packet_count u32, mac_rx_data_packet_count u32, mac_tx_cmd_packet_count u32, \
mac_rx_cmd_packet_count u32, mac_csma_fail_count u32, mac_csma_no_ack_count u32, mac_bad_crc_count u32, \
mac_tx_data_broadcast_count u32, mac_rx_data_broadcast_count u32 | reset
91:0 G3-PLC MAC setup | mac_short_address u16, mac_RC_coord u16, mac_PAN_id u16, mac_key_table arr, mac_frame_counter u32, \
mac_tone_mask bs, mac_TMR_TTL u8, mac_max_frame_retries u8, mac_neighbour_table_entry_TTL u8, mac_neighbour_table arr, \
mac_high_priority_window_size u8, mac_CSMA_fairness_limit u8, mac_beacon_randomization_window_length u8, mac_A u8, \
mac_K u8, mac_min_CW_attempts u8, mac_cenelec_legacy_mode u8, mac_FCC_legacy_mode u8, mac_max_BE u8, \
mac_max_CSMA_backoffs u8, mac_min_BE u8 | MAC_get_neighbour_table_entry
91:2 + | mac_broadcast_max_CW_enabled b, mac_transmit_atten u8, mac_POS_table arr | MAC_get_POS_table_entry
91:3 + | mac_duplicate_detection_TTL u8
92:0 G3-PLC 6LoWPAN setup | adp_max_hops u8, adp_weak_LQI_value u8, adp_security_level u8, adp_prefix_table arr, \
adp_routing_configuration arr, adp_broadcast_log_table_entry_TTL u16, adp_routing_table arr, \
adp_context_information_table arr, adp_blacklist_table arr, adp_broadcast_log_table arr, adp_group_table arr, \
adp_max_join_wait_time u16, adp_path_discovery_time u8, adp_active_key_index u8, adp_metric_type u8, \
adp_coord_short_address u16, adp_disable_default_routing b, adp_device_type e
92:2 + | adp_default_coord_route_enabled b, adp_destination_address_set arr
92:3 + | adp_low_LQI u8, adp_high_LQI u8
97:0 RPL diagnostic | rpl_instance_id u8, dodag_version_number u8, dodag_rank i16, grounded b, mode_of_operation e, \
dodag_prf u8, dodag_dtsn u8, dodag_id os | reset
98:0 MPL diagnostic | proactive_forwarding b, z u8, tunit u8, se_lifetime u16, dm_k u8, dm_imin u16, dm_imax u8, \
dm_t_exp u16, c_k u8, c_imin u16, c_imax u8, c_t_exp u16 | reset
101:0 ZigBee SAS startup | short_address u16, extended_pan_id os, pan_id u16, channel_mask u32, protocol_version u8, \
stack_profile e, start_up_control u8, trust_center_address os, link_key os, network_key os, use_insecure_join b
102:0 ZigBee SAS join | scan_attempts u8, time_between_scans u16, rejoin_interval u16, rejoin_retry_interval u16
103:0 ZigBee SAS APS fragmentation | aps_interframe_delay u16, aps_max_window_size u16
104:0 ZigBee network control | enable_disable_joining b, join_timeout u16, active_devices arr \
| register_device, unregister_device, unregister_all_devices, backup_PAN, restore_PAN, identify_device, remove_mirror, \
update_network_key, update_link_key, create_PAN, remove_PAN
105:0 ZigBee tunnel setup | maximum_incoming_transfer_size u16, maximum_outgoing_transfer_size u16, protocol_address os, \
close_tunnel_timeout u16
126:0 SCHC-LPWAN setup | lpwan_reference os, schc_cd_rules arr, schc_fr_parameters st
130:0 ISO/IEC 14908 identification | node_ID u8, subnet_ID u8, domain_ID os, program_ID os, unique_node_ID os
131:0 ISO/IEC 14908 protocol setup | inactivity_timeout u16
132:0 ISO/IEC 14908 protocol status | transmission_errors u16, transmit_tx_failure u16, transmit_tx_retries u16, \
receive_tx_full u16, lost_messages u16, missed_messages u16, layer2_received u16, layer3_received u16, \
messages_received u32, messages_validated u32
132:1 + | | reset
133:0 ISO/IEC 14908 diagnostic | plc_signal_quality_status e, com_module_state e, received_message_status u8, \
no_receive_buffer u16, transmit_no_data u16, backlog_overflows u16, late_ack u16, frequency_invalid u16
133:1 + | | reset
140:0 HS-PLC MAC setup | group_id u64, secondary_group_id u64, station_id u64, parent_station_id u64, repeater_status b, \
encryption_mode e, initial_encryption_key os, rts/cts b
141:0 HS-PLC CPAS setup | cpas_address u64, cpas_ether_type u16, master_station_cpas_address u64
142:0 HS-PLC IP SSAS setup | ip_header_comp_type e, ip_alive_time u16
143:0 HS-PLC HDLC SSAS setup | master_station_id u64
"""

PAYMENT: Final = """
111:0 Account | account_mode_and_status st, current_credit_in_use u8, current_credit_status bs, available_credit i32, \
amount_to_clear i32, clearance_threshold i32, aggregated_debt i32, credit_reference_list arr, charge_reference_list arr, \
credit_charge_configuration arr, token_gateway_configuration arr, account_activation_time dt, account_closure_time dt, \
currency st, low_credit_threshold i32, next_credit_available_threshold i32, max_provision u16, max_provision_period i32 \
| activate_account, close_account, reset_account
112:0 Credit | current_credit_amount i32, credit_type e, priority u8, warning_threshold i32, limit i32, \
credit_configuration bs, credit_status e, preset_credit_amount i32, credit_available_threshold i32, period dt \
| update_amount, set_amount_to_value, invoke_credit
113:0 Charge | total_amount_paid i32, charge_type e, priority u8, unit_charge_active st, unit_charge_passive st, \
unit_charge_activation_time dt, period u32, charge_configuration bs, last_collection_time dt, last_collection_amount i32, \
total_amount_remaining i32, proportion u16 | update_unit_charge, activate_passive_unit_charge, collect, \
update_total_amount_remaining, set_total_amount_remaining
115:0 Token gateway | token os, token_time dt, token_description arr, token_delivery_method e, token_status st | enter
116:0 IEC 62055-41 attributes | meter_pan st, commodity vs, token_carrier_types arr, encryption_algorithm u8, \
supply_group_code u32, tariff_index u8, key_revision u8, key_type u8, key_expiry u8, no_of_kct_supported u8, \
sts_certificate_no vs
"""

ALL: Final = MEASUREMENT + ACCESS + TIME_AND_EVENTS + COMMUNICATION + MBUS + NETWORKS + PAYMENT

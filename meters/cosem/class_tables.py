"""The interface classes as text (Blue Book, clause 4): a line for each version of a class, read by `interface_class`.

    class:version Name | attributes from 2 on | methods from 1 on | offset of method 1

An attribute is its name and its type in the notation of `value_type`, with a mark behind: `~` the meter keeps it by itself,
`!` it holds a secret, written and not read. Attribute 1 is the logical name everywhere. A method is its name and its
parameter's type, where that is known. The offset (hexadecimal, for short names) is left out where it is not known; `10+`
before it says that from this offset on the attributes stand one place further.

A line whose name is `+` has what the version before it has, and more; `3=` before an item says that it takes the place of
number 3, `1-` alone that number 1 is gone. A class without attributes is one of which only the name is known.
"""

from __future__ import annotations

from typing import Final

MEASUREMENT: Final = """
1:0 Data | value any
3:0 Register | value any ~, scaler_unit scaler_unit | reset zero | 28
4:0 Extended register | value any ~, scaler_unit scaler_unit, status any ~, capture_time dt ~ | reset zero | 38
5:0 Demand register | current_average_value any ~, last_average_value any ~, scaler_unit scaler_unit, status any ~, \
capture_time dt ~, start_time_current dt ~, period u32<s>, number_of_periods u16 | reset zero, next_period zero | 48
6:0 Register activation | register_assignment [object_definition], mask_list [register_mask], active_mask text \
| add_register object_definition, add_mask register_mask, delete_mask text | 30
7:0 Profile generic | buffer [st]/ca ~, capture_objects [capture_object], capture_period u32<s>, sort_method e(sort_method), \
sort_object capture_object, entries_in_use u32 ~, profile_entries u32 \
| reset zero, capture zero, get_buffer_by_range, get_buffer_by_index | 58
7:1 + | | 3-, 4-
26:0 Utility tables | table_ID u16, length u32 ~, buffer os ~
61:0 Register table | table_cell_values arr/ca ~, table_cell_definition table_cell_definition, scaler_unit scaler_unit \
| reset zero, capture zero | 28
62:0 Compact data | compact_buffer os ~, capture_objects [capture_object], template_id u8, template_description os ~, \
capture_method e(capture_method) | reset zero, capture zero | 30
62:1 + | 3=capture_objects [push_object_2]
63:0 Status mapping | status_word bs/u8/u16/u32/u64 ~, mapping_table mapping_table
66:0 Measurement data monitoring | waveform_data ca ~, trigger_time u64<µs> ~, trigger_source trigger_source ~, status e ~, \
sampling_rate u32, samples_before u32, samples_after u32, scaler_unit scaler_unit | reset zero, trigger zero | 48
"""

ACCESS: Final = """
12:0 Association SN | object_list [sn_object] ~ | getlist_by_classid [u16], getobj_by_logicalname ln, read_by_logicalname, \
get_attributes&methods, change_LLS_secret os, change_HLS_secret os, get_HLS_challenge, reply_to_HLS_authentication os | 20
12:1 + | access_rights_list [sn_access_rights] ~
12:2 + | security_setup_reference ln
12:3 + | user_list [user], current_user user ~ | 1-, 2-, add_user user, remove_user user
12:4 +
15:0 Association LN | object_list [object] ~, associated_partners_id associated_partners ~, \
application_context_name oid/context_name ~, xDLMS_context_info xdlms_context ~, \
authentication_mechanism_name oid/mechanism_name ~, secret os !, association_status e(association_status) ~ \
| reply_to_HLS_authentication os, change_HLS_secret os, add_object object, remove_object object | 60
15:1 + | security_setup_reference ln
15:2 + | user_list [user], current_user user ~ | add_user user, remove_user user
15:3 + | 2=object_list [object_3] ~ | 3=add_object object_3, 4=remove_object object_3
17:0 SAP assignment | SAP_assignment_list [sap] | connect_logical_device sap | 20
18:0 Image transfer | image_block_size u32<octets>, image_transferred_blocks_status bs ~, \
image_first_not_transferred_block_number u32 ~, image_transfer_enabled b, image_transfer_status e(image_transfer_status) ~, \
image_to_activate_info [image_to_activate] ~ \
| image_transfer_initiate image_to_transfer, image_block_transfer image_block, image_verify zero, image_activate zero | 40
30:0 Data protection | protection_buffer os ~, protection_object_list [protected_object], \
protection_parameters_get [protection_parameters], protection_parameters_set [protection_parameters], \
required_protection e(security_policy_bits) | get_protected_attributes, set_protected_attributes, invoke_protected_method
64:0 Security setup | security_policy e(security_policy), security_suite e(security_suite), client_system_title title ~, \
server_system_title title | security_activate e(security_policy), global_key_transfer [wrapped_key] | 28
64:1 + | 2=security_policy e(security_policy_bits), certificates [certificate] ~ \
| 1=security_activate e(security_policy_bits), 2=key_transfer [wrapped_key], key_agreement [key_agreement_data], \
generate_key_pair e(certificate_type), generate_certificate_request e(certificate_type), import_certificate os, \
export_certificate certificate_identification, remove_certificate certificate_identification | 30
122:0 Function control | activation_status [function_status] ~, function_list [function] \
| set_function_status [function_status], add_function, remove_function
123:0 Array manager | array_object_list [array_object] | retrieve_number_of_entries u8, retrieve_entries array_range_of, \
insert_entry array_entry_of, update_entry array_entry_of, remove_entries array_range_of
124:0 Communication port protection | protection_mode e(port_protection_mode), allowed_failed_attempts u16, \
initial_lockout_time u32<s>, steepness_factor u8, max_lockout_time u32<s>, port_reference ln, \
protection_status e(port_protection_status) ~, failed_attempts u32 ~, cumulative_failed_attempts u32 ~ | reset zero
170:0 Attestation
"""

TIME_AND_EVENTS: Final = """
8:0 Clock | time dt, time_zone i16<min>, status u8(clock_status) ~, daylight_savings_begin dt, daylight_savings_end dt, \
daylight_savings_deviation i8<min>, daylight_savings_enabled b, clock_base e(clock_base) \
| adjust_to_quarter zero, adjust_to_measuring_period zero, adjust_to_minute zero, adjust_to_preset_time zero, \
preset_adjusting_time preset_time, shift_time i16<s> | 60
9:0 Script table | scripts [script] | execute u16 | 20
10:0 Schedule | entries [schedule_entry] | enable/disable schedule_ranges, insert schedule_entry, delete schedule_range | 20
11:0 Special days table | entries [special_day] | insert special_day, delete u16 | 10
20:0 Activity calendar | calendar_name_active text ~, season_profile_active [season] ~, \
week_profile_table_active [week_profile] ~, day_profile_table_active [day_profile] ~, calendar_name_passive text, \
season_profile_passive [season], week_profile_table_passive [week_profile], day_profile_table_passive [day_profile], \
activate_passive_calendar_time dt | activate_passive_calendar zero | 50
21:0 Register monitor | thresholds [any], monitored_value attribute_reference, actions [monitor_action]
22:0 Single action schedule | executed_script script_reference, type e(schedule_type), execution_time [execution_time]
65:0 Parameter monitor | changed_parameter changed_parameter ~, capture_time dt ~, parameter_list [attribute_reference] \
| add_parameter attribute_reference, delete_parameter attribute_reference
65:1 + | parameter_list_name os, hash_algorithm_id e, parameter_value_digest os ~, parameter_values st ~
67:0 Sensor manager | serial_number text, metrological_identification text, output_type e, adjustment_method os, \
sealing_method e, raw_value any ~, scaler_unit scaler_unit, status any ~, capture_time dt ~, raw_value_thresholds [any], \
raw_value_actions [monitor_action], processed_value attribute_reference, processed_value_thresholds [any], \
processed_value_actions [monitor_action] | reset zero | 80
68:0 Arbitrator | actions [script_reference], permissions_table [bs], weightings_table [[u16]], \
most_recent_requests_table [bs] ~, last_outcome u8 ~ | request_action action_request, reset zero
70:0 Disconnect control | output_state b ~, control_state e(control_state) ~, control_mode e(control_mode) \
| remote_disconnect zero, remote_reconnect zero | 20
70:1 +
70:2 +
71:0 Limiter | monitored_value attribute_reference, threshold_active any ~, threshold_normal any, threshold_emergency any, \
min_over_threshold_duration u32<s>, min_under_threshold_duration u32<s>, emergency_profile emergency_profile, \
emergency_profile_group_id_list [u16], emergency_profile_active b ~, actions limiter_actions
"""

COMMUNICATION: Final = """
19:1 IEC local port setup | default_mode e(local_port_mode), default_baud e(baud), prop_baud e(baud), \
response_time e(response_time), device_addr text, pass_p1 os !, pass_p2 os !, pass_w5 os !
23:0 IEC HDLC setup | comm_speed e(baud), window_size_transmit u8, window_size_receive u8, \
max_info_field_length_transmit u8<octets>, max_info_field_length_receive u8<octets>, inter_octet_time_out u16<ms>, \
inactivity_time_out u16<s>, device_address u16
23:1 + | 5=max_info_field_length_transmit u16<octets>, 6=max_info_field_length_receive u16<octets>
24:1 IEC twisted pair (1) setup | mode e(activity), speed e(baud), primary_address_list [u8], tabi_list [i8]
27:1 Modem configuration | comm_speed e(baud), initialization_string [initialization], modem_profile [text]
28:0 Auto answer | mode e(auto_answer_mode), listening_window [window], status e(auto_answer_status) ~, number_of_calls u8, \
number_of_rings number_of_rings
28:2 + | list_of_allowed_callers [allowed_caller]
29:1 Auto connect | mode e(auto_connect_mode), repetitions u8, repetition_delay u16<s>, calling_window [window], \
destination_list [text]
29:2 + | | connect zero
40:0 Push setup | push_object_list [capture_object], send_destination_and_method send_destination_and_method, \
communication_window [window], randomisation_start_interval u16<s>, number_of_retries u8, repetition_delay u16<s> \
| push zero | 38
40:1 + | 2=push_object_list [push_object_1]
40:2 + | 2=push_object_list [push_object_2], 7=repetition_delay repetition_delay, port_reference ln, push_client_SAP i8, \
push_protection_parameters [protection_parameters], push_operation_method e(push_operation_method), \
confirmation_parameters confirmation_parameters, last_confirmation_date_time dt ~ | reset zero
40:3 +
41:0 TCP-UDP setup | TCP-UDP_port u16, IP_reference ln, MSS u16<octets>, nb_of_sim_conn u8, inactivity_time_out u16<s>
42:0 IPv4 setup | DL_reference ln, IP_address ip4, multicast_IP_address [ip4], IP_options [ip_option], subnet_mask ip4, \
gateway_IP_address ip4, use_DHCP_flag b, primary_DNS_address ip4, secondary_DNS_address ip4 \
| add_mc_IP_address ip4, delete_mc_IP_address ip4, get_nbof_mc_IP_addresses zero | 60
43:0 MAC address setup | MAC_address os
44:0 PPP setup | PHY_reference ln, LCP_options [ppp_option], IPCP_options [ppp_option], \
PPP_authentication null/ppp_authentication/st
45:0 GPRS modem setup | APN text, PIN_code u16, quality_of_service quality_of_service
46:0 SMTP setup | server_port u16, user_name text, login_password os !, server_address text, sender_address text
47:0 GSM diagnostic | operator vs ~, status e(gsm_status) ~, cs_attachment e(cs_attachment) ~, ps_status e(ps_status) ~, \
cell_info gsm_cell ~, adjacent_cells [adjacent_cell] ~, capture_time dt ~
47:1 + | 6=cell_info gsm_cell_1 ~
47:2 +
48:0 IPv6 setup | DL_reference ln, address_config_mode e(address_config_mode), unicast_IPv6_address [ip6], \
multicast_IPv6_address [ip6], gateway_IPv6_address [ip6], primary_DNS_address ip6, secondary_DNS_address ip6, \
traffic_class u8, neighbor_discovery_setup [neighbor_discovery] \
| add_IPv6_address ipv6_address, remove_IPv6_address ipv6_address
100:0 NTP setup | activated b, server_address text, server_port u16, authentication_method e(ntp_authentication), \
authentication_keys [ntp_key] !, client_key os ! | synchronize zero, add_authentication_key, delete_authentication_key
151:0 LTE monitoring | LTE_network_parameters lte_parameters ~
151:1 + | 2=LTE_network_parameters lte_parameters_1 ~, LTE_quality_of_service lte_quality ~
152:0 CoAP setup | UDP_reference ln, ack_timeout u16, ack_random_factor u16, max_retransmit u16, nstart u16, \
delay_ack_timeout u16, exponential_back_off u16, probing_rate u16, CoAP_uri_path text, \
transport_mode e(coap_transport_mode), wrapper_version any, token_length u8
153:0 CoAP diagnostic | messages_counter coap_messages ~, request_response_counter st ~, bt_counter st ~, \
capture_time attribute_capture_time ~ | reset zero
"""

MBUS: Final = """
25:0 M-Bus slave port setup | default_baud e(baud), avail_baud e(baud), addr_state e(address_state), bus_address u8
72:0 M-Bus client | mbus_port_reference ln, capture_definition [capture_definition], capture_period u32<s>, \
primary_address u8, identification_number u32, manufacturer_id u16, version u8, device_type u8(mbus_device_type), \
access_number u8 ~, status u8 ~, alarm u8 ~ \
| slave_install u8, slave_deinstall zero, capture zero, reset_alarm zero, synchronize_clock zero, data_send arr, \
set_encryption_key os, transfer_key os
72:1 + | configuration u16, encryption_key_status e(mbus_key_status) ~
72:2 +
73:1 Wireless mode Q channel | addr_state e(address_state), device_address os, address_mask os
74:0 M-Bus master port setup | comm_speed e(baud)
76:0 DLMS server M-Bus port setup | M-Bus_profile_selection ln, port_communication_status e(mbus_port_status) ~, \
data_header_type e(mbus_header), primary_address u8, identification_number u32, manufacturer_id u16, version u8, \
device_type u8(mbus_device_type), max_pdu_size u16<octets>, listening_window [window]
77:0 M-Bus diagnostic | received_signal_strength u8 ~, channel_id u8 ~, link_status e(mbus_link_status) ~, \
broadcast_frames_counter [mbus_broadcast] ~, transmissions_counter u32 ~, received_counter u32 ~, \
failed_received_counter u32 ~, capture_time attribute_capture_time ~ | reset zero
"""

NETWORKS: Final = """
50:1 S-FSK Phy&MAC setup | initiator_electrical_phase e(initiator_phase), delta_electrical_phase e(delta_phase) ~, \
max_receiving_gain u8<dB>, max_transmitting_gain u8<dB>, search_initiator_threshold u8<dB>, frequencies frequencies, \
mac_address u16 ~, mac_group_addresses [u16], repeater e(repeater), repeater_status b ~, min_delta_credit u8 ~, \
initiator_mac_address u16 ~, synchronization_locked b ~, transmission_speed e ~
51:0 S-FSK active initiator | active_initiator active_initiator ~ | reset_NEW_not_synchronized u16
52:0 S-FSK MAC synchronization timeouts | search_initiator_timeout u16<s>, synchronization_confirmation_timeout u16<s>, \
time_out_not_addressed u16<min>, time_out_frame_not_OK u16<s>
53:0 S-FSK MAC counters | synchronization_register [mac_counter] ~, desynchronization_listing desynchronization ~, \
broadcast_frames_counter [mac_counter] ~, repetitions_counter u32 ~, transmissions_counter u32 ~, \
CRC_OK_frames_counter u32 ~, CRC_NOK_frames_counter u32 ~ | reset zero
55:1 IEC 61334-4-32 LLC setup | max_frame_length u8<octets>, reply_status_list [reply_status] ~
56:0 S-FSK reporting system list | reporting_system_list [os] ~
57:0 ISO/IEC 8802-2 LLC type 1 setup | max_octets_ui_pdu u16<octets>
58:0 ISO/IEC 8802-2 LLC type 2 setup | transmit_window_size_k u8, receive_window_size_rw u8, \
max_octets_i_pdu_n1 u16<octets>, max_number_transmissions_n2 u8, acknowledgement_timer u16<s>, p_bit_timer u16<s>, \
reject_timer u16<s>, busy_state_timer u16<s>
59:0 ISO/IEC 8802-2 LLC type 3 setup | max_octets_acn_pdu_n3 u16<octets>, max_number_transmissions_n4 u8, ack_time_t1 u16<s>, \
receive_lifetime_var_t2 u16<s>, transmit_lifetime_var_t3 u16<s>
80:0 PRIME LLC SSCS setup | service_node_address u16 ~, base_node_address u16 ~ | reset zero
81:0 PRIME physical layer counters | phy_stats_crc_incorrect_count u16 ~, phy_stats_crc_fail_count u16 ~, \
phy_stats_tx_drop_count u16 ~, phy_stats_rx_drop_count u16 ~ | reset zero
82:0 PRIME MAC setup | mac_min_switch_search_time u8, mac_max_promotion_pdu u8, mac_promotion_pdu_tx_period u8, \
mac_beacons_per_frame u8, mac_scp_max_tx_attempts u8, mac_ctl_re_tx_timer u8, mac_max_ctl_re_tx u8
83:0 PRIME MAC functional parameters | mac_LNID i16 ~, mac_LSID u8 ~, mac_SID u8 ~, mac_SNA os:6 ~, \
mac_state e(prime_state) ~, mac_scp_length i16 ~, mac_node_hierarchy_level u8 ~, mac_beacon_slot_count u8 ~, \
mac_beacon_rx_slot u8 ~, mac_beacon_tx_slot u8 ~, mac_beacon_rx_frequency u8 ~, mac_beacon_tx_frequency u8 ~, \
mac_capabilities u16 ~
84:0 PRIME MAC counters | mac_tx_data_pkt_count u32 ~, mac_rx_data_pkt_count u32 ~, mac_tx_ctrl_pkt_count u32 ~, \
mac_rx_ctrl_pkt_count u32 ~, mac_csma_fail_count u32 ~, mac_csma_ch_busy_count u32 ~ | reset zero
85:0 PRIME network administration | mac_list_multicast_entries [prime_multicast] ~, mac_list_switch_table [i16] ~, \
mac_list_direct_table [prime_direct] ~, mac_list_available_switches [prime_switch] ~, \
mac_list_phy_comm [prime_communication] ~ | reset zero
86:0 PRIME application identification | firmware_version text ~, vendor_id u16 ~, product_id u16 ~
90:1 G3-PLC MAC counters | mac_tx_data_packet_count u32 ~, mac_rx_data_packet_count u32 ~, mac_tx_cmd_packet_count u32 ~, \
mac_rx_cmd_packet_count u32 ~, mac_csma_fail_count u32 ~, mac_csma_no_ack_count u32 ~, mac_bad_crc_count u32 ~, \
mac_tx_data_broadcast_count u32 ~, mac_rx_data_broadcast_count u32 ~ | reset zero
91:0 G3-PLC MAC setup | mac_short_address u16 ~, mac_RC_coord u16 ~, mac_PAN_id u16 ~, mac_key_table [g3_key] !, \
mac_frame_counter u32 ~, mac_tone_mask bs, mac_TMR_TTL u8, mac_max_frame_retries u8, mac_neighbour_table_entry_TTL u8, \
mac_neighbour_table [g3_neighbour] ~, mac_high_priority_window_size u8, mac_CSMA_fairness_limit u8, \
mac_beacon_randomization_window_length u8, mac_A u8, mac_K u8, mac_min_CW_attempts u8, mac_cenelec_legacy_mode u8, \
mac_FCC_legacy_mode u8, mac_max_BE u8, mac_max_CSMA_backoffs u8, mac_min_BE u8 | MAC_get_neighbour_table_entry u16
91:2 + | mac_broadcast_max_CW_enabled b, mac_transmit_atten u8, mac_POS_table [g3_position] ~ | MAC_get_POS_table_entry u16
91:3 + | mac_duplicate_detection_TTL u8
91:4 +
92:0 G3-PLC 6LoWPAN setup | adp_max_hops u8, adp_weak_LQI_value u8, adp_security_level u8, adp_prefix_table [u8], \
adp_routing_configuration [g3_routing], adp_broadcast_log_table_entry_TTL u16, adp_routing_table [g3_route] ~, \
adp_context_information_table [g3_context] ~, adp_blacklist_table [g3_blacklisted] ~, adp_broadcast_log_table arr ~, \
adp_group_table [u16], adp_max_join_wait_time u16, adp_path_discovery_time u8, adp_active_key_index u8, adp_metric_type u8, \
adp_coord_short_address u16 ~, adp_disable_default_routing b, adp_device_type e
92:2 + | adp_default_coord_route_enabled b, adp_destination_address_set arr
92:3 + | adp_low_LQI u8, adp_high_LQI u8
92:4 +
95:0 Wi-SUN setup | network_name any, routing_method e, pan_id u16, disc_imin any, disc_imax any, data_message_imin any, \
data_message_imax any, default_dio_interval_min any, default_dio_interval_doublings any, channel_plan st, \
channel_function e, excluded_channels any, join_state e ~, reg_channel_exclusions any | reset_join_state
96:0 Wi-SUN diagnostic
97:0 RPL diagnostic | rpl_instance_id u8 ~, dodag_version_number u8 ~, dodag_rank i16 ~, grounded b ~, \
mode_of_operation e ~, dodag_prf u8 ~, dodag_dtsn u8 ~, dodag_id ip6 ~ | reset zero | 48
98:0 MPL diagnostic | proactive_forwarding b, z u8, tunit u8, se_lifetime u16, dm_k u8, dm_imin u16, dm_imax u8, \
dm_t_exp u16, c_k u8, c_imin u16, c_imax u8, c_t_exp u16 | reset zero | 10+70
101:0 ZigBee SAS startup | short_address u16, extended_pan_id os:8, pan_id u16, channel_mask u32, protocol_version u8, \
stack_profile e, start_up_control u8, trust_center_address os:8, link_key os:16 !, network_key os:16 !, use_insecure_join b
102:0 ZigBee SAS join | scan_attempts u8, time_between_scans u16, rejoin_interval u16, rejoin_retry_interval u16
103:0 ZigBee SAS APS fragmentation | aps_interframe_delay u16, aps_max_window_size u16
104:0 ZigBee network control | enable_disable_joining b, join_timeout u16, active_devices arr ~ \
| register_device, unregister_device, unregister_all_devices, backup_PAN, restore_PAN, identify_device, remove_mirror, \
update_network_key, update_link_key, create_PAN, remove_PAN | 20
105:0 ZigBee tunnel setup | maximum_incoming_transfer_size u16, maximum_outgoing_transfer_size u16, protocol_address os, \
close_tunnel_timeout u16
126:0 SCHC-LPWAN setup | lpwan_reference ln, schc_cd_rules arr, schc_fr_parameters st
127:0 SCHC-LPWAN diagnostic | counter_2 u32 ~, counter_3 u32 ~, counter_4 u32 ~, counter_5 u32 ~, counter_6 u32 ~, \
counter_7 u32 ~ | reset zero
128:0 LoRaWAN setup | class any, state any ~, max_transmit_EIRP any, ADR_mode any, regional_parameters any, \
device_operation any, modem_versions any ~, devAddr any, join_strategy any, multicasts any \
| disconnect_from_network, change_class, change_region
129:0 LoRaWAN diagnostic
130:0 ISO/IEC 14908 identification | node_ID u8, subnet_ID u8, domain_ID os, program_ID os, unique_node_ID os
131:0 ISO/IEC 14908 protocol setup | inactivity_timeout u16<min>
132:0 ISO/IEC 14908 protocol status | transmission_errors u16 ~, transmit_tx_failure u16 ~, transmit_tx_retries u16 ~, \
receive_tx_full u16 ~, lost_messages u16 ~, missed_messages u16 ~, layer2_received u16 ~, layer3_received u16 ~, \
messages_received u32 ~, messages_validated u32 ~
132:1 + | | reset zero | 70
133:0 ISO/IEC 14908 diagnostic | plc_signal_quality_status e ~, com_module_state e ~, received_message_status u8 ~, \
no_receive_buffer u16 ~, transmit_no_data u16 ~, backlog_overflows u16 ~, late_ack u16 ~, frequency_invalid u16 ~
133:1 + | | reset zero | 60
140:0 HS-PLC MAC setup | group_id u64, secondary_group_id u64, station_id u64, parent_station_id u64 ~, repeater_status b, \
encryption_mode e, initial_encryption_key os !, rts/cts b
141:0 HS-PLC CPAS setup | cpas_address u64, cpas_ether_type u16, master_station_cpas_address u64
142:0 HS-PLC IP SSAS setup | ip_header_comp_type e, ip_alive_time u16
143:0 HS-PLC HDLC SSAS setup | master_station_id u64
160:0 G3-PLC Hybrid RF MAC counters
161:1 G3-PLC Hybrid RF MAC setup
162:1 G3-PLC Hybrid 6LoWPAN setup
"""

PAYMENT: Final = """
111:0 Account | account_mode_and_status account_mode_and_status ~, current_credit_in_use u8 ~, \
current_credit_status bs:8(current_credit_status) ~, available_credit i32 ~, amount_to_clear i32 ~, clearance_threshold i32, \
aggregated_debt i32 ~, credit_reference_list [ln], charge_reference_list [ln], \
credit_charge_configuration [credit_charge_configuration], token_gateway_configuration [token_gateway_configuration], \
account_activation_time dt, account_closure_time dt, currency currency, low_credit_threshold i32, \
next_credit_available_threshold i32, max_provision u16, max_provision_period i32 \
| activate_account zero, close_account zero, reset_account zero
112:0 Credit | current_credit_amount i32 ~, credit_type e(credit_type), priority u8, warning_threshold i32, limit i32, \
credit_configuration bs:5(credit_configuration), credit_status e(credit_status) ~, preset_credit_amount i32, \
credit_available_threshold i32, period dt | update_amount i32, set_amount_to_value i32, invoke_credit zero
113:0 Charge | total_amount_paid i32 ~, charge_type e(charge_type), priority u8, unit_charge_active unit_charge ~, \
unit_charge_passive unit_charge, unit_charge_activation_time dt, period u32<s>, charge_configuration bs:2, \
last_collection_time dt ~, last_collection_amount i32 ~, total_amount_remaining i32 ~, proportion u16 \
| update_unit_charge [charge_table_element], activate_passive_unit_charge zero, collect zero, \
update_total_amount_remaining i32, set_total_amount_remaining i32
115:0 Token gateway | token os ~, token_time dt ~, token_description [os] ~, token_delivery_method e(token_delivery) ~, \
token_status token_status ~ | enter os
116:0 IEC 62055-41 attributes | meter_pan meter_pan, commodity vs, token_carrier_types [u8], encryption_algorithm u8, \
supply_group_code u32, tariff_index u8, key_revision u8, key_type u8, key_expiry u8, no_of_kct_supported u8, \
sts_certificate_no vs
"""

ALL: Final = MEASUREMENT + ACCESS + TIME_AND_EVENTS + COMMUNICATION + MBUS + NETWORKS + PAYMENT

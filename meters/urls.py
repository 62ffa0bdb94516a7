from django.urls import path, re_path

from meters import catalog_views, inventory_views, label_views, list_views, views
from meters.catalogs import views as catalogs
from meters.gxc_import import views as gxc_views
from meters.lines import views as lines
from meters.meter_types import views as type_views
from meters.quirks import views as quirk_views
from meters.targets import views as targets

app_name = "meters"

urlpatterns = [
    path("", list_views.meter_list, name="meter_list"),
    path("obis/", catalog_views.obis_lookup, name="obis_lookup"),
    path("export/", list_views.meter_export, name="meter_export"),
    path("bulk/", list_views.meter_bulk, name="meter_bulk"),
    path("columns/", list_views.columns_choose, name="columns_choose"),
    path("filters/", list_views.filter_save, name="filter_save"),
    path("filters/<int:pk>/", list_views.filter_open, name="filter_open"),
    path("filters/<int:pk>/rename/", list_views.filter_rename, name="filter_rename"),
    path("filters/<int:pk>/delete/", list_views.filter_delete, name="filter_delete"),
    path("import/gxc/", gxc_views.gxc_upload, name="gxc_upload"),
    path("import/gxc/<int:pk>/", gxc_views.gxc_preview, name="gxc_preview"),
    path("import/gxc/<int:pk>/leave/", gxc_views.gxc_drop, name="gxc_drop"),
    path("import/gxc/<int:pk>/report/", gxc_views.gxc_report, name="gxc_report"),
    path("add/", views.meter_add, name="meter_add"),
    path("<int:pk>/", views.meter_detail, name="meter_detail"),
    path("prefill/", views.meter_prefill, name="meter_prefill"),
    path("<int:pk>/edit/", views.meter_edit, name="meter_edit"),
    path("<int:pk>/label/", label_views.meter_label, name="meter_label"),
    path("<int:pk>/qr.svg", label_views.meter_qr, name="meter_qr"),
    path("by-serial/<path:serial_number>/", label_views.meter_by_serial, name="meter_by_serial"),
    path("labels/", label_views.meter_labels, name="meter_labels"),
    path("batches/<int:pk>/delete/", inventory_views.batch_delete, name="batch_delete"),
    path("tags/", inventory_views.tag_list, name="tag_list"),
    path("tags/<int:pk>/rename/", inventory_views.tag_rename, name="tag_rename"),
    path("tags/<int:pk>/delete/", inventory_views.tag_delete, name="tag_delete"),
    path("batches/<int:pk>/labels/", label_views.batch_labels, name="batch_labels"),
    path("<int:pk>/changes/", inventory_views.meter_changes, name="meter_changes"),
    path("<int:pk>/comments/", inventory_views.comment_add, name="comment_add"),
    path("changes/<str:request_id>/", inventory_views.request_changes, name="request_changes"),
    path("types/<int:pk>/catalog/", catalogs.type_catalog, name="type_catalog"),
    path("types/<int:pk>/catalog/add/", catalogs.entry_add, name="entry_add"),
    path("types/<int:pk>/catalog/<int:entry_id>/", catalogs.catalog_entry, name="catalog_entry"),
    path("types/<int:pk>/catalog/bulk/", catalogs.catalog_bulk, name="catalog_bulk"),
    path("types/<int:pk>/catalog/changes/", catalogs.catalog_changes, name="catalog_changes"),
    path("types/<int:pk>/catalog/export/", catalogs.catalog_export, name="catalog_export"),
    path("types/<int:pk>/catalog/import/", catalogs.catalog_import, name="catalog_import"),
    path("types/<int:pk>/catalog/compare/", catalogs.catalog_compare, name="catalog_compare"),
    path("batches/", inventory_views.batch_list, name="batch_list"),
    path("batches/add/", inventory_views.batch_add, name="batch_add"),
    path("batches/<int:pk>/", inventory_views.batch_detail, name="batch_detail"),
    path("batches/<int:pk>/edit/", inventory_views.batch_edit, name="batch_edit"),
    path("lines/", lines.line_list, name="line_list"),
    path("lines/add/", lines.line_add, name="line_add"),
    path("lines/<int:pk>/", lines.line_detail, name="line_detail"),
    path("lines/<int:pk>/edit/", lines.line_edit, name="line_edit"),
    path("lines/<int:pk>/delete/", lines.line_delete, name="line_delete"),
    path("lines/<int:pk>/changes/", lines.line_changes, name="line_changes"),
    path("lines/targets/", targets.target_list, name="target_list"),
    path("lines/targets/add/", targets.target_add, name="target_add"),
    path("lines/targets/<int:pk>/", targets.target_edit, name="target_edit"),
    path("lines/targets/<int:pk>/delete/", targets.target_delete, name="target_delete"),
    path("types/", type_views.type_list, name="type_list"),
    path("types/add/", type_views.type_add, name="type_add"),
    path("types/<int:pk>/", type_views.type_detail, name="type_detail"),
    path("types/<int:pk>/edit/", type_views.type_edit, name="type_edit"),
    path("types/<int:pk>/delete/", type_views.type_delete, name="type_delete"),
    path("types/<int:pk>/changes/", type_views.type_changes, name="type_changes"),
    path("types/<int:pk>/associations/add/", type_views.template_add, name="template_add"),
    path("types/<int:pk>/associations/<int:template>/", type_views.template_edit, name="template_edit"),
    path("types/<int:pk>/associations/<int:template>/delete/", type_views.template_delete, name="template_delete"),
    path("types/<int:pk>/quirks/", quirk_views.type_quirks, name="type_quirks"),
    path("types/<int:pk>/quirks/add/", quirk_views.quirk_add, name="quirk_add"),
    path("quirks/<int:pk>/", quirk_views.quirk_detail, name="quirk_detail"),
    re_path(
        r"^quirks/(?P<pk>\d{1,15})/(?P<event>accept|refuse|withdraw)/$", quirk_views.quirk_review, name="quirk_review"
    ),
    path("quirks/<int:pk>/comments/", quirk_views.quirk_comment, name="quirk_comment"),
    path("<int:pk>/quirks/", quirk_views.meter_quirks, name="meter_quirks"),
    path("<int:pk>/quirks/<slug:name>/end/", quirk_views.exception_end, name="exception_end"),
]

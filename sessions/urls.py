from django.urls import path

from sessions import object_views, views
from sessions.catalogs import views as catalogs

app_name = "sessions"

urlpatterns = [
    path("meters/<int:pk>/open/", views.session_open, name="session_open"),
    path("meters/<int:pk>/catalog/", catalogs.catalog_learn, name="catalog_learn"),
    path("meters/<int:pk>/catalog/compare/", catalogs.meter_compare, name="meter_compare"),
    path("meters/lines/<int:pk>/test/", views.line_test, name="line_test"),
    path("sessions/", views.session_list, name="session_list"),
    path("sessions/test/", views.association_test, name="association_test"),
    path("sessions/<int:pk>/", views.session_detail, name="session_detail"),
    path("sessions/<int:pk>/cancel/", views.session_cancel, name="session_cancel"),
    path("sessions/<int:pk>/close/", views.session_close, name="session_close"),
    path("sessions/<int:pk>/frames/", views.frame_list, name="frame_list"),
    path("sessions/<int:pk>/frames/<int:seq>/", views.frame_detail, name="frame_detail"),
    path("sessions/<int:pk>/steps/", views.step_add, name="step_add"),
    path("sessions/<int:pk>/console/<str:kind>/", object_views.console_form, name="console_form"),
    path("sessions/<int:pk>/objects/", object_views.object_list, name="object_list"),
    path("sessions/<int:pk>/objects/snapshot.json", object_views.object_snapshot, name="object_snapshot"),
    path(
        "sessions/<int:pk>/objects/<int:class_id>/<str:logical_name>/",
        object_views.object_detail,
        name="object_detail",
    ),
    path(
        "sessions/<int:pk>/objects/<int:class_id>/<str:logical_name>/read/",
        object_views.object_read,
        name="object_read",
    ),
    path("sessions/<int:pk>/steps/<int:step>/", views.step_detail, name="step_detail"),
    path("sessions/<int:pk>/steps/<int:step>/entries/", views.step_entries, name="step_entries"),
    path("sessions/<int:pk>/steps/<int:step>/profile.csv", views.profile_export, name="profile_export"),
]

from django.urls import path

from meters import catalog_views, views

app_name = "meters"

urlpatterns = [
    path("", views.meter_list, name="meter_list"),
    path("obis/", catalog_views.obis_lookup, name="obis_lookup"),
    path("add/", views.meter_add, name="meter_add"),
    path("<int:pk>/", views.meter_detail, name="meter_detail"),
    path("<int:pk>/edit/", views.meter_edit, name="meter_edit"),
]

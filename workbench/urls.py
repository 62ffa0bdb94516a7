from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_not_required
from django.urls import include, path
from django.views.generic import RedirectView

from workbench import api, api_views, token_views
from workbench.views import health

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="meters:meter_list"), name="home"),
    path("accounts/login/", auth_views.LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("accounts/logout/", auth_views.LogoutView.as_view(), name="logout"),
    path("accounts/tokens/", token_views.token_list, name="token_list"),
    path("accounts/tokens/add/", token_views.token_add, name="token_add"),
    path("accounts/tokens/<int:pk>/revoke/", token_views.token_revoke, name="token_revoke"),
    path("health/", login_not_required(health), name="health"),
    path("api/", api_views.api_docs, name="api_docs"),
    path("api/v1/openapi.json", api_views.openapi_document, name="openapi"),
    path("api/v1/", include((api.urls(), "api"))),
    path("meters/", include("meters.urls")),
    path("", include("sessions.urls")),
]

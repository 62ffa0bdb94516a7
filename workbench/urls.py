from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_not_required
from django.urls import include, path
from django.views.generic import RedirectView

from workbench.views import health

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="meters:meter_list"), name="home"),
    path("accounts/login/", auth_views.LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("accounts/logout/", auth_views.LogoutView.as_view(), name="logout"),
    path("health/", login_not_required(health), name="health"),
    path("meters/", include("meters.urls")),
    path("", include("sessions.urls")),
]

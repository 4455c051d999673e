from django.urls import path

from integrations.providers.jira.demo import views

urlpatterns = [
    path("", views.home, name="home"),
    path("sign-in", views.sign_in, name="sign-in"),
    path("token", views.token, name="token"),
    path("healthz", views.healthz, name="healthz"),
]

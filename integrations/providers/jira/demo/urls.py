from django.urls import path

from integrations.providers.jira.demo import views

urlpatterns = [
    path("", views.home, name="home"),
    path("sign-in", views.sign_in, name="sign-in"),
    path("token", views.token, name="token"),
    path("tasks", views.task_list, name="tasks"),
    path("tasks/<str:task_id>", views.change_task, name="change-task"),
    path("hooks/jira", views.hear_of_jira, name="hear-of-jira"),
    path("healthz", views.healthz, name="healthz"),
]

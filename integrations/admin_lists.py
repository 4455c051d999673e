"""What the admin's lists are made of: tables to look at, and tables that grow without end."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

from integrations.models import Project
from integrations.models.base import CountUpTo
from integrations.providers import catalog

# Only the type checker's classes take the model's type.
if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
    BasePaginator = Paginator[Any]
else:
    ModelAdmin = admin.ModelAdmin
    BasePaginator = Paginator


class CappedPaginator(BasePaginator):
    """Pages of the first rows only: whoever looks for others filters or searches. No list is counted to its end."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by()[: CountUpTo.MOST + 1].count())


class ReadOnly(ModelAdmin):
    """Rows to look at: they say what happened, or belong to the machinery. Register it with the columns to show."""

    show_full_result_count = False
    # Facets count every row of every filter.
    show_facets = admin.ShowFacets.NEVER
    paginator = CappedPaginator

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class Endless(ReadOnly):
    """A table with millions of rows. It has one order, which an index gives; `exactly` names columns to search in.

    A column may be searched when an index begins with the project and that column.
    """

    sortable_by = ()
    exactly: tuple[str, ...] = ()
    list_per_page = 50

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        return [f"{column}__exact" for column in self.exactly]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        found, has_duplicates = super().get_search_results(request, queryset, search_term)
        if search_term:
            # All of them, by name: the indexes begin with the project.
            found = found.filter(project__in=list(Project.objects.values_list("pk", flat=True)))
        return found, has_duplicates


class ProviderFilter(admin.SimpleListFilter):
    """By provider, as the catalog has them: asking the table which ones it holds would read all of it."""

    title = parameter_name = "provider"
    column = "provider_slug"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(provider.slug, provider.name) for provider in catalog()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**{self.column: self.value()}) if self.value() else queryset


class StatusOfGrant(admin.ChoicesFieldListFilter):
    """Beside the status of the row itself."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = "status of the grant"


class ProviderOfIntegration(ProviderFilter):
    column = "integration__provider_slug"


class ProviderOfApp(ProviderFilter):
    column = "app__provider"
